/** The pages of the shipped projects, in a real browser. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { DESK, PHONE, withPage } from "./browser.ts";
import { assertNoFaults, figure, isPainted, open } from "./looks.ts";
import { root, startMillrace, withFolder, withMillrace } from "./millrace.ts";
import { Feed, pageTest, until } from "./run.ts";

const allDone = async (page: Page): Promise<boolean> =>
  (await page.locator("#tabs small").allInnerTexts()).every((state) => state === "done");
const panel = (page: Page, title: string) => page.getByRole("article", { name: title, exact: true });

/** The bars of a panel of shares: label to count. */
async function sharesOf(page: Page, title: string): Promise<Record<string, number>> {
  const items = await panel(page, title).locator("li").allInnerTexts();
  return Object.fromEntries(items.map((text) => {
    const [, label, count] = /^(\S+)\s+([\d,]+) · /.exec(text)!;
    return [label, Number(count.replaceAll(",", ""))];
  }));
}

pageTest(
  "the demo: what its page tells is what lies in its files, and one payment more declined is one more on the page",
  async (chromium) => {
    await withFolder(async (folder) => {
      await Deno.mkdir(`${folder}/input`);
      for (const name of ["customers", "credit_card_types", "cards", "transactions"]) {
        await Deno.copyFile(`${root}datasets/cards/${name}.csv`, `${folder}/input/${name}.csv`);
      }
      const shown = async (output: string): Promise<Record<string, number>> => {
        const env = { CARDS_INPUT: `${folder}/input`, CARDS_OUTPUT: `${folder}/${output}` };
        return await withMillrace(["run", "config/cards", "--stay"], env, (run) =>
          withPage(chromium, DESK, async (page, complaints) => {
            await open(page, run);
            await until(
              "all seven pipelines are done",
              async () => await allDone(page) && await page.locator("#tabs small").count() === 7,
              60_000,
            );
            await until("charts are painted", () => page.locator(".panel canvas").first().evaluate(isPainted));
            await assertNoFaults(page);
            const decided = await decisionsIn(`${env.CARDS_OUTPUT}/stream_transactions.csv`);
            const reasons = await sharesOf(page, "Why payments were declined");
            const { "(none)": pending, ...declined } = reasons;
            assert.equal(pending, decided.pending);
            assert.equal(Object.values(declined).reduce((sum, count) => sum + count, 0), decided.declined);
            assert.deepEqual(complaints, []);
            return reasons;
          }));
      };
      const before = await shown("before");
      const path = `${folder}/input/transactions.csv`;
      const text = await Deno.readTextFile(path);
      // The first payment, of 57.11, was accepted; of more than half the card's limit it is not.
      const changed = text.replace(",57.11,", ",49999.11,");
      assert.notEqual(changed, text);
      await Deno.writeTextFile(path, changed);
      const after = await shown("after");
      assert.equal(after.half, before.half + 1);
      assert.equal(sum(after), sum(before));
    });
  },
);
const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((all, count) => all + count, 0);

async function decisionsIn(path: string): Promise<{ readonly pending: number; readonly declined: number }> {
  const text = await Deno.readTextFile(path);
  return { pending: text.match(/,pending,/g)?.length ?? 0, declined: text.match(/,declined,/g)?.length ?? 0 };
}

pageTest("trades: windows are drawn and move on", async (chromium) => {
  await withFolder(async (folder) => {
    const probe = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const feed = `127.0.0.1:${probe.addr.port}`;
    probe.close();
    const env = { TRADES_OUTPUT: folder, TRADES_LAKE: `${folder}/lake`, TRADES_FEED: feed, TRADES_WINDOW: "1s" };
    await withMillrace(
      ["serve", "-c", "config/trades", "--rate", "50", "--listen", feed],
      env,
      (server) =>
        withMillrace(["stream", "-c", "config/trades"], env, (stream) =>
          withPage(chromium, PHONE, async (page, complaints) => {
            await open(page, stream);
            const drawn = panel(page, "Trades by type").locator("[role=img]");
            const at = async (): Promise<string> =>
              /, at ([^:]+ \d+:\d+:\d+)/.exec(await drawn.getAttribute("aria-label") ?? "")?.[1] ?? "";
            await until("there is a window", async () => await at() !== "", 30_000);
            await until("it is painted", () => page.locator(".panel canvas").first().evaluate(isPainted));
            const first = await at();
            await until("a later window is there", async () => await at() > first, 30_000);
            await assertNoFaults(page);
            // The feed's own page counts what it sends.
            await open(page, server);
            await until("what is sent is counted", async () => /^[1-9]/.test(await figure(page, "Records written")));
            assert.deepEqual(complaints, []);
          })),
    );
  });
});

const ALERTS = 7;
/** Of the seeded population: they are read beside the transactions. */
const ACCOUNTS = 193;
const ROUNDS_MAX = 5;
const WITHIN_MS = 1_000;

pageTest("fintech: an alert is on the page within a second of its transaction, also after a kill", async (chromium) => {
  await withFolder(async (folder) => {
    const feed = new Feed(Deno.listen({ hostname: "127.0.0.1", port: 0 }));
    await projectFedFrom(feed.address, folder);
    const env = { FINTECH_OUTPUT: `${folder}/out`, FINTECH_UNTIL: "never", FINTECH_FILES: "parts" };
    const words = ["run", `${folder}/fintech`, "population", "accounts", "produce", "fraud"];
    let run = await startMillrace(words, env);
    try {
      await withPage(chromium, DESK, async (page, complaints) => {
        await open(page, run, "fraud");
        const alert = async (number: number): Promise<number> => {
          const id = `alert-${number}`;
          const sentMs = performance.now();
          await feed.send(JSON.stringify(transaction(id)));
          await panel(page, "Latest alerts").getByRole("cell", { name: id, exact: true }).waitFor({ timeout: 60_000 });
          return performance.now() - sentMs;
        };
        await alert(0); // Everything has started.
        let alerts = 1;
        let median = Infinity;
        // A machine that is busy with something else gets several chances; one round in which half are slow is not held against it.
        for (let round = 0; round < ROUNDS_MAX && median >= WITHIN_MS; round++) {
          const tookMs: number[] = [];
          for (let i = 0; i < ALERTS; i++) tookMs.push(await alert(alerts++));
          tookMs.sort((a, b) => a - b);
          median = tookMs[ALERTS >> 1];
          console.log(`alerts were on the page ${tookMs.map((ms) => Math.round(ms)).join(", ")} ms after their transactions were sent`);
        }
        assert.ok(median < WITHIN_MS, `half of the alerts took more than ${Math.round(median)} ms, in each of ${ROUNDS_MAX} rounds`);
        assert.deepEqual(await sharesOf(page, "Alerts by type"), { HIGH_AMOUNT: alerts, DAILY_LIMIT_EXCEEDED: alerts });
        await until("the chart is painted", () => panel(page, "Alerts by severity").locator("canvas").evaluate(isPainted));
        await assertNoFaults(page);
        assert.deepEqual(complaints, []);

        const read = alerts + ACCOUNTS;
        await until("all that was read is told", async () => await readSoFar(page) === read);
        await run.kill();
        feed.renew();
        await page.locator("#link-text", { hasText: "does not answer" }).waitFor();
        run = await startMillrace(words, env, run.address);
        await page.locator("footer", { hasText: "went on with an unfinished run" }).waitFor({ timeout: 60_000 });
        await until("the earlier counts are there", async () => await readSoFar(page) === read, 30_000);
        await alert(alerts);
        await until("the counts go on", async () => await readSoFar(page) === read + 1);
        assert.deepEqual(await sharesOf(page, "Alerts by type"), { HIGH_AMOUNT: 1, DAILY_LIMIT_EXCEEDED: 1 }, "charts are of this process");
      });
    } finally {
      await run.stop();
      feed.close();
    }
  });
});

const readSoFar = async (page: Page): Promise<number> => parseInt(await figure(page, "Records read"));

/** One of its own customer: more than a day may have, and nothing else. */
const transaction = (id: string) => ({
  id,
  transaction_type: "wire_transfer",
  status: "completed",
  customer_id: `customer-of-${id}`,
  from_account_id: `account-of-${id}`,
  amount: "60000.00",
  created_at: "2025-01-16T12:00:00Z",
});

/** config/fintech, with a socket where it has its generator. */
async function projectFedFrom(address: string, folder: string): Promise<void> {
  await Deno.mkdir(`${folder}/fintech`);
  for await (const { name } of Deno.readDir(`${root}config/fintech`)) {
    if (name.endsWith(".toml")) await Deno.copyFile(`${root}config/fintech/${name}`, `${folder}/fintech/${name}`);
  }
  await Deno.writeTextFile(
    `${folder}/fintech/produce.toml`,
    `kind  = "produce"
after = ["accounts"]
epoch = { every = "100ms" }
[sources.transactions]
type    = "socket"
address = "${address}"
schema  = "transaction"
reconnect = { first = "100ms", most = "200ms" }
[sinks.transactions_topic]
connection = "made"
topic      = "\${params.prefix}.public.transactions"
inputs     = ["transactions"]
key        = "id"
format     = "debezium"
create     = { partitions = "\${params.partitions}" }
`,
  );
}
