/** `--dashboard` with an address, or alone. */

/** Where the page is when nothing else is said. */
export const DASHBOARD_DEFAULT = "127.0.0.1:8089";

const ADDRESS = /^\S*:\d+$/;

/** `--dashboard` may stand alone: then the default address is meant. */
export function withDefaultAddress(args: readonly string[], standard: string): readonly string[] {
  const end = args.indexOf("--");
  return args.flatMap((word, i) => {
    const stands = word === "--dashboard" && (end < 0 || i < end);
    return stands && !ADDRESS.test(args[i + 1] ?? "") ? [word, standard] : [word];
  });
}
