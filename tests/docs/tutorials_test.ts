/** The commands of tutorials are run as they stand, each page in a folder that looks like a fresh clone. */
import assert from "node:assert/strict";
import { freshClone, runShell } from "../support/clone.ts";
import { blocksOf, isOnServers, notRun } from "./shell_blocks.ts";

/** A page's server must not meet another one on this machine: its port becomes a free one. */
function onFreePort(script: string): string {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return `export TRADES_LISTEN=127.0.0.1:${port} TRADES_FEED=127.0.0.1:${port}\n${script.replaceAll("9999", String(port))}`;
}

for (const page of ["banking.md", "fintech.md", "trades.md"]) {
  Deno.test(`the commands of docs/tutorials/${page} do what it says`, async (t) => {
    const text = await Deno.readTextFile(new URL(`../../docs/tutorials/${page}`, import.meta.url));
    const blocks = blocksOf(text).filter((block) => block.language === "sh" && !notRun(block) && !isOnServers(block));
    assert.ok(blocks.length > 0);
    const clone = await freshClone();
    try {
      for (const block of blocks) {
        await t.step(block.text.split("\n")[0], async () => {
          const { code, output } = await runShell(`set -e\n${onFreePort(block.text)}`, clone.folder);
          assert.equal(code, 0, output);
        });
      }
    } finally {
      await clone.remove();
    }
  });
}
