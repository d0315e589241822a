/** `millrace plan`: its verdict before a start is what the start then does. */
import assert from "node:assert/strict";
import { FOLLOW, inOperated, type Operated } from "./operated.ts";

interface Planned {
  readonly verdict: string;
  readonly why: string;
  readonly hint: string | null;
  readonly changes: readonly { readonly node: string; readonly change: string; readonly parts: readonly string[] }[] | null;
  readonly state: readonly { readonly table: string; readonly fate: string }[];
  readonly run: { readonly lanes: readonly { readonly epoch: number; readonly open: string }[] } | null;
}

async function planned({ run }: Operated): Promise<Planned & { readonly code: number }> {
  const { code, stdout, stderr } = await run("plan", "project", "follow", "--json");
  assert.equal(stderr, "");
  return { ...(JSON.parse(stdout) as Planned[])[0], code };
}

Deno.test("before anything was run the plan says so; what was run goes on; comments change nothing", async () => {
  await inOperated(async (project) => {
    const first = await planned(project);
    assert.deepEqual([first.verdict, first.run, first.code], ["begins", null, 0]);
    assert.equal((await project.follow()).code, 0);
    await project.write("project/follow.toml", `# now with a comment\n${FOLLOW}`);
    const next = await planned(project);
    assert.deepEqual([next.verdict, next.changes, next.code], ["goes_on", [], 0]);
    assert.ok(next.state.length >= 2 && next.state.every(({ fate }) => fate === "kept"), JSON.stringify(next.state));
    assert.ok(next.run!.lanes[0].epoch >= 4);
  });
});

Deno.test("a changed setting is named, its state is kept, and the start goes on", async () => {
  await inOperated(async (project) => {
    assert.equal((await project.follow()).code, 0);
    await project.write("project/follow.toml", FOLLOW.replace('"total + amount"', '"total + amount + amount"'));
    const { verdict, changes, state } = await planned(project);
    assert.equal(verdict, "goes_on");
    assert.deepEqual(changes, [{ node: "transform spent", change: "changed", parts: ["otherwise"] }]);
    assert.ok(state.every(({ fate }) => fate === "kept"));
    assert.equal((await project.follow()).code, 0);
    assert.deepEqual((await planned(project)).changes!.length, 1, "no epoch was of the new plan yet");
  });
});

Deno.test("state of another type does not fit: the plan and the start refuse alike, and the start names the command", async () => {
  await inOperated(async (project) => {
    assert.equal((await project.follow()).code, 0);
    await project.write(
      "project/follow.toml",
      FOLLOW.replace('as = "decimal(2)", initial = "0.00"', 'as = "decimal(3)", initial = "0.000"'),
    );
    const { verdict, why, state, code } = await planned(project);
    assert.deepEqual([verdict, code], ["refused", 1]);
    assert.ok(state.some(({ fate }) => fate === "does_not_fit"), JSON.stringify(state));
    const started = await project.follow();
    assert.equal(started.code, 1);
    assert.ok(started.stderr.includes(why), started.stderr);
    assert.match(started.stderr, /millrace plan shows/);
  });
});

Deno.test("an open epoch of another plan refuses the start; once with the old plan it completes, and the new one goes on", async () => {
  await inOperated(async (project) => {
    assert.equal((await project.follow("intent_written:2")).signal, "SIGKILL");
    await project.write("project/follow.toml", FOLLOW.replace('"total + amount"', '"total + amount + amount"'));
    const refused = await planned(project);
    assert.deepEqual([refused.verdict, refused.run!.lanes[0].open, refused.code], ["refused", "another plan's", 1]);
    assert.match(refused.hint!, /start once with the configuration that began it/);
    assert.equal((await project.follow()).code, 1);
    await project.write("project/follow.toml", FOLLOW);
    assert.equal((await planned(project)).verdict, "goes_on");
    assert.equal((await project.follow()).code, 0);
    await project.write("project/follow.toml", FOLLOW.replace('"total + amount"', '"total + amount + amount"'));
    assert.equal((await planned(project)).verdict, "goes_on");
    assert.equal((await project.follow()).code, 0);
  });
});

Deno.test("a source that is gone is refused; a sink that is new is named", async () => {
  await inOperated(async (project) => {
    assert.equal((await project.follow()).code, 0);
    await project.write("project/follow.toml", FOLLOW + '\n[sinks.copy]\ntype = "ndjson"\ninputs = ["payments"]\npath = "copy.ndjson"\n');
    const wider = await planned(project);
    assert.deepEqual([wider.verdict, wider.changes], ["goes_on", [{ node: "sink copy", change: "added", parts: [] }]]);
    const renamed = FOLLOW.replace("[sources.payments]", "[sources.incoming]").replace(
      'inputs    = ["payments"]',
      'inputs    = ["incoming"]',
    );
    await project.write("project/follow.toml", renamed);
    const other = await planned(project);
    assert.equal(other.verdict, "refused");
    assert.match(other.why, /partition 0 of "payments"/);
  });
});

Deno.test("lanes by partition that are to become one lane: the plan and the start refuse alike, and nothing is read twice", async () => {
  await inOperated(async (project) => {
    const { run, write } = project;
    const spread = `[sources.payments]
type   = "csv"
path   = "payments.csv"
schema = "payment"
[sinks.topic]
connection = "bus"
inputs     = ["payments"]
topic      = "spread"
key        = "account"
create     = { partitions = 2 }
`;
    await write("project/spread.toml", spread);
    assert.equal((await run("run", "project", "spread", "-q")).code, 0);
    const follow = FOLLOW.replace('topic      = "payments"', 'topic      = "spread"');
    await write("project/follow.toml", follow.replace('until      = "never"', 'until      = "never"\nkey        = "account"'));
    assert.equal((await project.follow()).code, 0);
    assert.equal((await planned(project)).run!.lanes.length, 2);
    await write("project/follow.toml", follow);
    const { verdict, why } = await planned(project);
    assert.equal(verdict, "refused");
    assert.match(why, /lane by lane/);
    const started = await project.follow();
    assert.equal(started.code, 1);
    assert.ok(started.stderr.includes(why), started.stderr);
  });
});

Deno.test("a bounded run: done is done, and another plan starts over", async () => {
  await inOperated(async ({ run, write }) => {
    const ask = async (): Promise<Planned> => (JSON.parse((await run("plan", "project", "make", "--json")).stdout) as Planned[])[0];
    assert.equal((await ask()).verdict, "already_done");
    await write("payments.csv", "id,account,amount\n1,a1,1.00\n");
    assert.equal((await ask()).verdict, "starts_over");
  });
});

Deno.test("as people read it", async () => {
  await inOperated(async (project) => {
    assert.equal((await project.follow()).code, 0);
    await project.write("project/follow.toml", FOLLOW.replace('"total + amount"', '"total + amount + amount"'));
    const { stdout } = await project.run("plan", "project", "follow");
    assert.match(stdout, /^follow goes on: the run goes on behind its newest complete epoch\n {2}run {6}\S+, open, epoch \d+\n/);
    assert.match(stdout, /\n {2}changed {2}transform spent: otherwise\n {2}state {4}spent\.\S.*: kept\n/);
  });
});
