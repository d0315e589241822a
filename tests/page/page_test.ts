/** The page in a real browser, over a run whose input the test writes. */
import assert from "node:assert/strict";
import { request } from "node:http";
import { DESK, PHONE, withPage } from "./browser.ts";
import { assertNoFaults, figure, isPainted, open } from "./looks.ts";
import { pageTest, PLANTED_PAN, PLANTED_SECRET, until, withRun } from "./run.ts";

let number = 0;
const payment = (more: Record<string, unknown> = {}) => (
  { id: `pay-${++number}`, account: PLANTED_PAN, amount: 12.5, kind: "shop", at: new Date().toISOString(), ...more }
);

pageTest("one record more, and the numbers, the newest rows and the search have it", async (chromium) => {
  await withRun(async (run) => {
    await withPage(chromium, DESK, async (page, complaints) => {
      await open(page, run);
      await run.send(payment());
      await until("one record is told", async () => (await figure(page, "Records read")).startsWith("1 in all"));
      const sent = payment({ id: "the-wanted-one", amount: 5000 });
      const sentMs = performance.now();
      await run.send(sent);
      await page.locator("td", { hasText: "the-wanted-one" }).first().waitFor();
      const tookMs = performance.now() - sentMs;
      console.log(`a decision was on the page ${Math.round(tookMs)} ms after its record was sent`);
      assert.ok(tookMs < 1_000, `it took ${tookMs} ms`);
      await until("two records are told", async () => (await figure(page, "Records read")).startsWith("2 in all"));
      await page.keyboard.press("/");
      await page.keyboard.type("the-wanted-one");
      await page.keyboard.press("Enter");
      const found = page.locator("#found-body article");
      await found.waitFor();
      const text = await found.innerText();
      assert.ok(text.includes("large") && text.includes("5000.00"), text);
      await page.keyboard.press("Escape");
      assert.equal(await page.locator("#found").evaluate((dialog) => (dialog as HTMLDialogElement).open), false);
      assert.deepEqual(complaints, []);
    });
  });
});

/** The Unix socket that a run answers `top` at, in a state folder below. */
async function controlSocket(folder: string): Promise<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (name.endsWith(".sock")) return `${folder}/${name}`;
    const found = isDirectory ? await controlSocket(`${folder}/${name}`) : "";
    if (found !== "") return found;
  }
  return "";
}
function askSocket(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk: string) => body += chunk).on("end", () => resolve(body));
    }).on("error", reject).end();
  });
}

pageTest(
  "nothing tagged and no secret is on the page, in the metrics, in any answer, at the control socket or in the log",
  async (chromium) => {
    await withRun(async (run) => {
      await withPage(chromium, DESK, async (page) => {
        await open(page, run);
        await run.send(payment({ id: "shown-id" }));
        await run.send(JSON.stringify({ ...payment(), amount: "not money", id: "refused-id" }));
        await run.send(`{"id":"broken-id","account":"${PLANTED_PAN}","amou`);
        await page.locator("td", { hasText: "shown-id" }).first().waitFor();
        await page.locator("td", { hasText: "refused-id" }).first().waitFor();
        await page.locator(".level", { hasText: "info" }).first().waitFor();
        const answers = await Promise.all(
          ["/metrics", "/api/state", "/api/top", "/api/search?q=shown-id", `/api/search?q=${PLANTED_PAN}`].map((path) => run.get(path)),
        );
        const [metrics, state, top, found, foundPan] = answers.map(({ body }) => body);
        assert.ok(metrics.includes(`reason="type:amount"} 1`), metrics);
        assert.ok(state.includes("refused-id") && state.includes("••••"));
        assert.ok(JSON.parse(found).found.length > 0);
        assert.deepEqual(JSON.parse(foundPan).found, []);
        let socket = "";
        await until("the control socket is there", async () => (socket = await controlSocket(`${run.folder}/out`)) !== "");
        const controlled = await Promise.all(
          ["/metrics", "/api/state", "/api/top", "/api/search?q=shown-id"].map((path) => askSocket(socket, path)),
        );
        assert.ok(controlled.every((body) => body.length > 0) && controlled[1].includes("refused-id"));
        const written = [await page.content(), await page.locator("body").innerText(), run.output()];
        const seen = [...written, metrics, state, top, found, foundPan, ...controlled];
        for (const text of seen) {
          assert.ok(!text.includes(PLANTED_PAN), "the tagged value was shown");
          assert.ok(!text.includes(PLANTED_PAN.slice(0, 12)), "a part of the tagged value was shown");
          assert.ok(!text.includes(PLANTED_SECRET), "the secret was shown");
        }
      });
    });
  },
);

pageTest("charts draw, and axe finds no fault that matters, dark and light, at a desk and on a phone", async (chromium) => {
  await withRun(async (run) => {
    for (let i = 0; i < 30; i++) {
      await run.send(payment({ kind: i % 2 === 0 ? "shop" : "bar", at: new Date(Date.now() + i * 200).toISOString() }));
    }
    await run.send(JSON.stringify({ ...payment(), amount: "x" }));
    for (const look of [{ ...DESK, theme: "light" as const }, { ...PHONE, theme: "dark" as const }]) {
      await withPage(chromium, look, async (page, complaints) => {
        await open(page, run);
        await until("there are charts", async () => await page.locator(".panel canvas").count() >= 2);
        await until("they are painted", () => page.locator(".panel canvas").first().evaluate(isPainted));
        await assertNoFaults(page);
        assert.deepEqual(complaints, []);
      });
    }
  });
});
pageTest("a killed run is missed, and the page finds the one that goes on by itself, with its earlier counts", async (chromium) => {
  await withRun(async (run) => {
    await run.send(payment({ id: "before-the-kill" }));
    await run.send(payment());
    const judged = `records_in_total{pipeline="live",node="judge",role="transform"} 2`;
    await until("both are counted", async () => (await run.get("/metrics")).body.includes(judged));
    await withPage(chromium, DESK, async (page) => {
      await open(page, run);
      await page.locator("td", { hasText: "before-the-kill" }).first().waitFor();
      await run.kill();
      await page.locator("#link-text", { hasText: "does not answer" }).waitFor();
      await run.again();
      await page.locator("footer", { hasText: "went on with an unfinished run" }).waitFor();
      await page.locator("#link-text", { hasText: "running" }).waitFor();
      await until("the earlier counts are there", async () => (await figure(page, "Records read")).startsWith("2 in all"));
      await run.send(payment({ id: "after-the-kill", amount: 5000 }));
      await page.locator("td", { hasText: "after-the-kill" }).first().waitFor();
      await until("the counts go on", async () => (await figure(page, "Records read")).startsWith("3 in all"));
      await until("charts are painted", () => page.locator(".panel canvas").first().evaluate(isPainted));
      await run.stop();
      assert.equal(await run.rowsOf("judged"), 3, "what the page tells is what lies at the sink");
    });
  });
});

pageTest("the configured panels are drawn instead of the default ones", async (chromium) => {
  const panels = `
[[panels]]
title   = "Verdicts so far"
group   = "Decisions"
node    = "judge"
kind    = "shares"
by      = "verdict"
[[panels]]
title   = "The newest by kind"
group   = "Decisions"
node    = "judge"
kind    = "table"
key     = "kind"
y       = "amount"
columns = ["kind", "amount", "verdict"]
[[panels]]
title   = "Paid"
node    = "judge"
kind    = "number"
y       = "amount"
unit    = "USD"
`;
  await withRun(async (run) => {
    await withPage(chromium, DESK, async (page) => {
      await open(page, run);
      await run.send(payment({ amount: 2000 }));
      await run.send(payment({ kind: "bar", amount: 1 }));
      await run.send(payment({ kind: "bar", amount: 2 }));
      const shares = page.locator(".panel.shares");
      await until("shares are told", async () => /fine.*2 · 66\.7 %/s.test(await shares.innerText()));
      assert.match(await page.locator(".panel.table tbody").innerText(), /^shop\s+2000\.00\s+large\s+bar\s+2\.00\s+fine$/);
      assert.match(await page.locator(".panel.number").innerText(), /2,003 USD/);
      assert.equal(await page.locator("h2", { hasText: "Decisions" }).count(), 1);
    });
  }, panels);
});

pageTest("a threshold can be moved, and charts seen by event time or by the clock", async (chromium) => {
  const panels = `
[[panels]]
title  = "Scores"
node   = "judge"
kind   = "bars"
x      = "amount"
slider = { at = 50, marks = [{ name = "low", at = 10 }] }
[[panels]]
title   = "The newest"
node    = "judge"
kind    = "table"
columns = ["id", "amount"]
[[panels]]
title = "Paid"
node  = "judge"
x     = "at"
every = "1m"
right = { y = "amount", unit = "USD" }
[[panels]]
title   = "Kinds"
node    = "judge"
kind    = "number"
x       = "at"
by      = "kind"
measure = "distinct"
`;
  await withRun(async (run) => {
    await withPage(chromium, DESK, async (page, complaints) => {
      await open(page, run);
      const old = "2020-01-01T00:00:00Z";
      for (
        const [amount, kind, at] of [[5, "shop", old], [50, "bar", "2020-01-01T02:00:00Z"], [60, "inn", "2020-01-01T02:00:30Z"]] as const
      ) {
        await run.send(payment({ amount, kind, at }));
      }
      const counts = page.locator(".threshold-counts");
      await until("all are counted", async () => await counts.innerText() === "above 50: 1 of 3 · 33.3 %");
      assert.equal(await page.locator(".panel.table tbody tr").count(), 3);
      await page.getByRole("button", { name: "low 10" }).click();
      assert.equal(await counts.innerText(), "above 10: 2 of 3 · 66.7 %");
      assert.equal(await page.locator(".panel.table tbody tr").count(), 2, "the table shows what lies above");
      await page.getByRole("slider").focus();
      for (let i = 0; i < 50; i++) await page.keyboard.press("ArrowRight");
      assert.equal(await counts.innerText(), "above 60: 0 of 3 · 0 %");
      const kinds = page.locator(".panel.number dd");
      assert.deepEqual(await kinds.allInnerTexts(), ["2", "2", "3"], "by event time: of the newest minute, hour and day");
      const paid = page.getByRole("article", { name: "Paid" });
      assert.match(await paid.locator(".legend").innerText(), /records\s+2\s+amount\s+110 USD/, "of the newest minute, on two axes");
      await page.getByRole("button", { name: "Clock" }).click();
      assert.deepEqual(await kinds.allInnerTexts(), ["3", "3", "3"], "all were processed now");
      assert.doesNotMatch(await paid.locator("[role=img]").getAttribute("aria-label") ?? "", /at 2020-/);
      await page.reload();
      await page.waitForSelector("#content:not([hidden])");
      assert.equal(await page.getByRole("button", { name: "Clock" }).getAttribute("aria-pressed"), "true", "the choice is kept");
      assert.deepEqual(complaints, []);
    });
  }, panels);
});
