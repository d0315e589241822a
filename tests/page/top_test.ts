/** `millrace top` in a real terminal: tmux draws it, types into it and resizes it. */
import assert from "node:assert/strict";
import { PLANTED_PAN, PLANTED_SECRET, type Run, until, withRun } from "./run.ts";

const root = new URL("../../", import.meta.url).pathname;

async function tmux(server: string, ...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command("tmux", { args: ["-L", server, ...words], stdin: "null" }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

const hasTmux = await new Deno.Command("tmux", { args: ["-V"] }).output().then(({ success }) => success, () => false);
if (!hasTmux && Deno.env.get("CI") === "true") throw new Error("there is no tmux here: install the package `tmux`");

function topTest(name: string, body: (screen: Screen, run: Run) => Promise<void>): void {
  if (!hasTmux) return Deno.test(`SKIPPED, no tmux here: ${name}`, () => console.log(`skipped: ${name}`));
  Deno.test(name, () =>
    withRun(async (run) => {
      const server = `millrace-${crypto.randomUUID().slice(0, 8)}`;
      const command = `${Deno.execPath()} run -A --quiet ${root}src/main.ts top ${run.address}; echo ended with $?; exec sleep 60`;
      await tmux(server, "new-session", "-d", "-x", "80", "-y", "24", command);
      try {
        await body({
          lines: async () => (await tmux(server, "capture-pane", "-p")).split("\n").slice(0, -1),
          resize: async (columns, rows) => void await tmux(server, "resize-window", "-x", String(columns), "-y", String(rows)),
          press: async (key) => void await tmux(server, "send-keys", key),
          cursor: async () => (await tmux(server, "display-message", "-p", "#{cursor_flag} #{alternate_on}")).trim(),
        }, run);
      } finally {
        await tmux(server, "kill-server");
      }
    }));
}
interface Screen {
  lines(): Promise<string[]>;
  resize(columns: number, rows: number): Promise<void>;
  press(key: string): Promise<void>;
  /** Whether the cursor is shown, and whether the alternate screen is. */
  cursor(): Promise<string>;
}

topTest("top fits 80 by 24 and 200 by 50, follows the counts, and leaves the terminal as it was", async (screen, run) => {
  await until("it is drawn", async () => (await screen.lines())[0].startsWith("millrace "));
  const small = await screen.lines();
  assert.equal(small.length, 24);
  assert.ok(small[0].includes("● running"));
  assert.ok(small.at(-1)!.startsWith("q quit"));
  for (const node of ["payments", "judge", "per_second", "→ judged"]) assert.ok(small.some((line) => line.startsWith(node)), node);
  for (let i = 0; i < 3; i++) await run.send({ id: `p${i}`, account: "a", amount: 1.5, kind: "shop", at: new Date().toISOString() });
  await run.send("not JSON");
  const counted = (lines: readonly string[]): boolean => lines.some((line) => /^payments +socket +\S+ +4 +3 +1 /.test(line));
  await until("the counts are shown", async () => counted(await screen.lines()));
  assert.ok((await screen.lines()).some((line) => /^ +1 +json +payments/.test(line)));
  await screen.resize(200, 50);
  await until("it is drawn wide", async () => (await screen.lines()).some((line) => line.includes("state rows")));
  const large = await screen.lines();
  assert.equal(large.length, 50);
  assert.ok(large.at(-1)!.startsWith("q quit"));
  assert.ok(counted(large));
  assert.equal(await screen.cursor(), "0 1");
  await screen.resize(80, 24);
  await until("it is drawn small again", async () => !(await screen.lines()).some((line) => line.includes("state rows")));
  await screen.press("q");
  await until("it has ended", async () => (await screen.lines()).some((line) => line === "ended with 0"));
  assert.equal(await screen.cursor(), "1 0");
});

topTest("Ctrl+C ends it too, and a pipeline that is gone is told", async (screen, run) => {
  await until("it is drawn", async () => (await screen.lines())[0].startsWith("millrace "));
  await run.kill();
  await until("it is told", async () => (await screen.lines()).some((line) => line.includes("does not answer any more")));
  await screen.press("C-c");
  await until("it has ended", async () => (await screen.lines()).some((line) => line.startsWith("ended with 0")));
});

topTest("nothing tagged and no secret is on the terminal, of a refused record neither", async (screen, run) => {
  await screen.resize(200, 50);
  const record = { id: "shown-id", account: PLANTED_PAN, amount: "no money", at: new Date().toISOString() };
  await run.send({ ...record, kind: "shop" });
  await run.send(`{"account":"${PLANTED_PAN}","amou`);
  await until("the refused record is shown", async () => (await screen.lines()).some((line) => line.includes("type:amount")));
  const shown = (await screen.lines()).join("\n");
  for (const hidden of [PLANTED_PAN, PLANTED_PAN.slice(0, 12), PLANTED_SECRET]) assert.ok(!shown.includes(hidden), shown);
});
