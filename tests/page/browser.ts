/** A real Chromium: the system's, never one that a package downloads. */
import { type Browser, chromium, type Page } from "playwright-core";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** null where there is none; under CI that is an error. */
export async function chromiumPath(): Promise<string | null> {
  for (const place of [Deno.env.get("CHROMIUM"), ...PLACES]) {
    if (place && await Deno.stat(place).then(() => true, () => false)) return place;
  }
  if (Deno.env.get("CI") === "true") throw new Error("there is no Chromium here: install the package `chromium`");
  return null;
}

export interface Look {
  readonly width: number;
  readonly height: number;
  readonly theme: "dark" | "light";
}

export const DESK: Look = { width: 1440, height: 1000, theme: "dark" };
export const PHONE: Look = { width: 390, height: 844, theme: "light" };

/** Runs `work` with a page of its own; collects what the page complains of. */
export async function withPage<T>(
  executablePath: string,
  look: Look,
  work: (page: Page, complaints: readonly string[]) => Promise<T>,
): Promise<T> {
  const browser: Browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] });
  try {
    const { width, height, theme } = look;
    const context = await browser.newContext({
      viewport: { width, height },
      colorScheme: theme,
      timezoneId: "UTC",
      locale: "en-US",
      deviceScaleFactor: width < 600 ? 2 : 1,
    });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    return await work(page, complaints);
  } finally {
    await browser.close();
  }
}
