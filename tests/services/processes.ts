/** The product as a process that a test watches while it runs: what it has said so far, and a kill from outside. */
import assert from "node:assert/strict";
import { type CardsRun, type Ended, projectRoot } from "../golden/command_line.ts";
import { eventually } from "./instance.ts";

export interface Running {
  readonly ended: Promise<Ended>;
  /** What it has said on its standard error so far. */
  said(): string;
  /** Waits until it is stopped by SIGSTOP; fails when it ends before. */
  frozen(): Promise<void>;
  /** SIGCONT. */
  thaw(): void;
  /** Waits until it has said so on its standard error; fails when it ends before. */
  says(pattern: RegExp): Promise<void>;
  /** SIGTERM: asks it to stop; does nothing when it has ended. */
  stop(): void;
  /** SIGKILL; does nothing when it has ended. */
  kill(): void;
}

const SAID_WITHIN_MS = 40_000;

/** Starts `millrace WORDS`, logging events from "info" on. */
export function startMillrace(words: readonly string[], run: CardsRun): Running {
  const { input, output, partitions, env, set } = run;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "src/main.ts", ...words, ...(set ?? []).flatMap((setting) => ["--set", setting])],
    cwd: projectRoot(),
    env: {
      CARDS_INPUT: input,
      CARDS_OUTPUT: output,
      CARDS_PARTITIONS: String(partitions ?? 1),
      NO_COLOR: "1",
      MILLRACE_LOG: "info",
      ...env,
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let stderr = "";
  let isOver = false;
  const listen = async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) stderr += text;
  };
  const ended = Promise.all([child.status, new Response(child.stdout).text(), listen()]).then(([status, stdout]): Ended => {
    isOver = true;
    return { code: status.code, killed: status.signal === "SIGKILL", stdout, stderr };
  });
  return {
    ended,
    said: () => stderr,
    frozen: async () => {
      const isFrozen = () => !isOver && Deno.readTextFileSync(`/proc/${child.pid}/stat`).split(") ")[1].startsWith("T");
      await eventually(() => Promise.resolve(isOver || isFrozen()), SAID_WITHIN_MS);
      assert.ok(isFrozen(), `${words.join(" ")} ${isOver ? "ended" : "went on"}:\n${stderr}`);
    },
    thaw: () => child.kill("SIGCONT"),
    says: async (pattern) => {
      const said = () => pattern.test(stderr);
      await eventually(() => Promise.resolve(isOver || said()), SAID_WITHIN_MS);
      assert.ok(said(), `${words.join(" ")} ${isOver ? "ended" : "went on"} without saying ${pattern}:\n${stderr}`);
    },
    stop: () => {
      if (!isOver) child.kill("SIGTERM");
    },
    kill: () => {
      if (!isOver) child.kill("SIGKILL");
    },
  };
}

/** Starts one layer of the card project, for example ["load", "initial"]. */
export function startLayer(words: readonly string[], run: CardsRun): Running {
  return startMillrace([...words, "-c", "config/cards", "--quiet"], run);
}
/** Runs one layer, which must succeed. */
export async function layerDone(words: readonly string[], run: CardsRun): Promise<void> {
  const { code, stderr } = await startLayer(words, run).ended;
  assert.equal(code, 0, `${words.join(" ")}: ${stderr}`);
}
