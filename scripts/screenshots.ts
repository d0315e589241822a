/**
 * Pictures of a running pipeline's page, at the widths of a phone and of a desk, dark and light:
 *   deno run -A scripts/screenshots.ts [HOST:PORT] [FOLDER]        default 127.0.0.1:8089 screenshots
 */
import { chromiumPath, type Look, withPage } from "../tests/page/browser.ts";

const address = Deno.args[0] ?? "127.0.0.1:8089";
const folder = Deno.args[1] ?? "screenshots";
/** Charts need a few points. */
const SETTLE_MS = 4_000;
const WIDTHS = [{ name: "desktop", width: 1440, height: 1000 }, { name: "phone", width: 390, height: 844 }];

const chromium = await chromiumPath();
if (chromium === null) {
  console.error("there is no Chromium here: install the package `chromium`, or name one with CHROMIUM=PATH");
  Deno.exit(1);
}
await Deno.mkdir(folder, { recursive: true });
for (const { name, width, height } of WIDTHS) {
  for (const theme of ["dark", "light"] as const) {
    const look: Look = { width, height, theme };
    const path = `${folder}/${name}-${theme}.png`;
    await withPage(chromium, look, async (page, complaints) => {
      await page.goto(`http://${address}/`);
      await page.waitForSelector("#content:not([hidden])");
      await page.waitForTimeout(SETTLE_MS);
      await page.screenshot({ path, fullPage: true });
      for (const complaint of complaints) console.error(`${path}: ${complaint}`);
    });
    console.log(path);
  }
}
