/**
 * Pictures of the pages of the shipped projects, at the widths of a phone and of a desk, dark and light. Each project is run for it, on
 * embedded defaults, in a folder of its own that is gone afterwards:
 *   deno run -A scripts/screenshots.ts [cards|trades|fintech|resumed ...] [--into FOLDER]      default: all of them, into screenshots/
 *   deno run -A scripts/screenshots.ts --at HOST:PORT[/#PIPELINE] [--into FOLDER]              of a page that is there
 */
import { chromiumPath, type Look, withPage } from "../tests/page/browser.ts";
import { type Process, startMillrace, withFolder } from "../tests/page/millrace.ts";

/** Charts need a few points. */
const SETTLE_MS = 3_000;
const WIDTHS = [{ name: "desktop", width: 1440, height: 1000 }, { name: "phone", width: 390, height: 844 }];

interface Show {
  /** Starts what is shown; what it started is to be stopped. */
  start(folder: string): Promise<readonly Process[]>;
  /** How long it runs before the first picture. */
  readonly runMs: number;
  /** Pipelines with pictures of their own; "" is what the page begins with. */
  readonly pipelines: readonly string[];
}
const endless = {
  FINTECH_UNTIL: "never",
  FINTECH_FILES: "parts",
  FINTECH_RATE: "60/s",
  FINTECH_VARIANT: "unusual",
  FINTECH_PROFILE: "EXT",
};
const fintech = (folder: string): Promise<Process> =>
  startMillrace(["run", "config/fintech", "--set", "params.transactions="], { ...endless, FINTECH_OUTPUT: folder });

const SHOWS: Readonly<Record<string, Show>> = {
  cards: {
    start: async (folder) => [await startMillrace(["run", "config/cards", "--stay"], { CARDS_OUTPUT: folder })],
    runMs: 12_000,
    pipelines: ["", "validate", "settle"],
  },
  trades: {
    start: async (folder) => {
      const env = { TRADES_OUTPUT: folder, TRADES_LAKE: `${folder}/lake`, TRADES_FEED: `127.0.0.1:${freePort()}` };
      const feed = await startMillrace(["serve", "-c", "config/trades", "--rate", "40", "--listen", env.TRADES_FEED], env);
      return [await startMillrace(["stream", "-c", "config/trades"], env), feed];
    },
    runMs: 40_000,
    pipelines: [""],
  },
  fintech: {
    start: async (folder) => [await fintech(folder)],
    runMs: 40_000,
    pipelines: ["", "fraud-ext", "merchants-ext", "metrics-ext", "lifecycle-ext"],
  },
  resumed: {
    start: async (folder) => {
      const first = await fintech(folder);
      await wait(15_000);
      await first.kill();
      return [await fintech(folder)];
    },
    runMs: 15_000,
    pipelines: ["fraud-ext"],
  },
};

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

type Freeze = (work: () => Promise<void>) => Promise<void>;

async function take(chromium: string, address: string, pipeline: string, prefix: string, frozen: Freeze): Promise<void> {
  for (const { name, width, height } of WIDTHS) {
    for (const theme of ["dark", "light"] as const) {
      const look: Look = { width, height, theme };
      const path = `${prefix}${name}-${theme}.png`;
      await withPage(chromium, look, async (page, complaints) => {
        await page.goto(`http://${address}/#${pipeline}`);
        await page.waitForSelector("#content:not([hidden])");
        await page.waitForTimeout(SETTLE_MS);
        await frozen(async () => void await page.screenshot({ path, fullPage: true, animations: "disabled", timeout: 90_000 }));
        for (const complaint of complaints) console.error(`${path}: ${complaint}`);
      });
      console.log(path);
    }
  }
}

function after(word: string): string | null {
  const at = Deno.args.indexOf(word);
  return at < 0 ? null : Deno.args[at + 1] ?? null;
}

const folder = after("--into") ?? "screenshots";
const given = after("--at");
const named = Deno.args.filter((word, i) => !word.startsWith("--") && !["--into", "--at"].includes(Deno.args[i - 1]));
const unknown = named.filter((name) => !(name in SHOWS));
const chromium = await chromiumPath();
if (chromium === null || unknown.length > 0) {
  console.error(
    unknown.length > 0
      ? `there is no ${unknown.join(", ")}: ${Object.keys(SHOWS).join(", ")}`
      : "there is no Chromium here: install the package `chromium`, or name one with CHROMIUM=PATH",
  );
  Deno.exit(1);
}
await Deno.mkdir(folder, { recursive: true });
if (given !== null) {
  const [address, pipeline = ""] = given.split("/#");
  await take(chromium, address, pipeline, `${folder}/`, (work) => work());
} else {
  for (const name of named.length > 0 ? named : Object.keys(SHOWS)) {
    await withFolder(async (output) => {
      const processes = await SHOWS[name].start(output);
      try {
        await wait(SHOWS[name].runMs);
        for (const pipeline of SHOWS[name].pipelines) {
          const prefix = `${folder}/${name}${pipeline === "" ? "" : `-${pipeline}`}-`;
          await take(chromium, processes[0].address, pipeline, prefix, processes[0].frozen);
        }
      } finally {
        for (const process of processes) await process.stop();
      }
    });
  }
}
