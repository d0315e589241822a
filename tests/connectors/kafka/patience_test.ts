/** How long a cluster that does not answer, or answers that it is busy, is waited for, and by whom no more. */
import assert from "node:assert/strict";
import { Patience } from "../../../src/connectors/kafka/patience.ts";
import { MillraceError, type Retry } from "../../../src/data/fault.ts";
import type { World } from "../../../src/ports/mod.ts";
import { Machine, Process } from "../support/memory_world.ts";

const fault = (code: string, retry: Retry = "backoff") => new MillraceError(code, "no", { hint: "later", retry });

/** Fails so many times before it succeeds; `each` is called before every attempt. */
function failing(times: number, error: MillraceError, each: (attempt: number) => void = () => {}): () => Promise<number> {
  let attempt = 0;
  return () => {
    each(++attempt);
    return attempt <= times ? Promise.reject(error) : Promise.resolve(attempt);
  };
}

function stoppable(): { readonly world: World; readonly stop: AbortController } {
  const stop = new AbortController();
  return { world: { ...new Process(new Machine()).world(), stopping: stop.signal }, stop };
}

for (const code of ["server_busy", "server_unreachable"]) {
  Deno.test(`kafka: ${code} is waited out while nobody stops the run`, async () => {
    const { world } = stoppable();
    assert.equal(await new Patience({ world, node: "out" }).until(failing(50, fault(code))), 51);
  });
}

Deno.test("kafka: a fault that does not pass is thrown at once", async () => {
  const { world } = stoppable();
  const error = fault("topic_missing", "never");
  await assert.rejects(new Patience({ world, node: "out" }).until(failing(1, error)), error);
});

Deno.test("kafka: a run that is stopping still waits for a busy answer to pass, but not for a server that is not there", async () => {
  for (const [code, ends] of [["server_busy", true], ["server_unreachable", false]] as const) {
    const { world, stop } = stoppable();
    stop.abort();
    const attempts = new Patience({ world, node: "out" }).until(failing(3, fault(code)));
    if (ends) assert.equal(await attempts, 4);
    else await assert.rejects(attempts, { code });
  }
});

Deno.test("kafka: a run that is stopping gives a server up that stays busy, and one whose wait was ended by its own reader", async () => {
  const { world, stop } = stoppable();
  stop.abort();
  const startedMs = world.clock.monotonicMs();
  await assert.rejects(new Patience({ world, node: "out" }).until(failing(Infinity, fault("server_busy"))), { code: "server_busy" });
  const waitedMs = world.clock.monotonicMs() - startedMs;
  assert.ok(waitedMs >= 5_000 && waitedMs < 10_000, `${waitedMs} ms`);
  const closed = new AbortController();
  const other = stoppable().world;
  const attempts = failing(Infinity, fault("server_busy"), (attempt) => attempt === 3 && closed.abort());
  await assert.rejects(new Patience({ world: other, node: "in", signal: closed.signal }).until(attempts), { code: "server_busy" });
});
