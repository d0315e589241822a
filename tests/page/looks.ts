/** What tests look at on a page, whatever it shows. */
import assert from "node:assert/strict";
import axe from "axe-core";
import type { Page } from "playwright-core";

/** The page of a process, as soon as it shows something; `pipeline` chooses what. */
export async function open(page: Page, { address }: { readonly address: string }, pipeline = ""): Promise<void> {
  await page.goto(`http://${address}/#${pipeline}`);
  await page.waitForSelector("#content:not([hidden])");
}

/** What stands below a key figure. */
export const figure = (page: Page, title: string): Promise<string> =>
  page.locator(".figure", { hasText: title }).locator("small").innerText();

/** Whether a canvas has more on it than its ground and one colour of axes. */
export const isPainted = (canvas: Element): boolean => {
  const { width, height } = canvas as HTMLCanvasElement;
  const pixels = (canvas as HTMLCanvasElement).getContext("2d")!.getImageData(0, 0, width, height).data;
  const colours = new Set<number>();
  for (let i = 0; i < pixels.length; i += 4) if (pixels[i + 3] > 200) colours.add(pixels[i] << 16 | pixels[i + 1] << 8 | pixels[i + 2]);
  return colours.size > 3;
};

interface Violation {
  readonly id: string;
  readonly impact?: string | null;
  readonly nodes: readonly { readonly html: string }[];
}

/** axe finds nothing serious, and the page itself does not scroll sideways. What uPlot paints is not text: axe looks at what is around it. */
export async function assertNoFaults(page: Page): Promise<void> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run()) as {
    violations: readonly Violation[];
  };
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  assert.deepEqual(serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`), []);
  const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(tooWide, 0, "the page itself does not scroll sideways");
}
