/** `millrace redrive`: records that were refused go through again, once each, into the same state and the same sinks, whoever dies. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { FOLLOW, inOperated, MAKE, type Operated, RECORDS, SHARED } from "./operated.ts";

/** Payments below the limit pass; the step that refuses the others is the source. */
const below = (limit: number): string => `${SHARED}\n[[schemas.payment.require]]\ncode = "limit"\nthat = "amount < ${limit}.00"\n`;

interface Stored {
  readonly id: number;
  readonly account: string;
  readonly total: string;
}
function storedIn({ folder }: Operated): Stored[] {
  const database = new DatabaseSync(`${folder}/spent.sqlite`);
  try {
    return database.prepare("SELECT id, account, CAST(total AS TEXT) AS total FROM spent ORDER BY rowid").all() as unknown as Stored[];
  } finally {
    database.close();
  }
}

/** Each payment once, and behind each one its account's total over those before it and itself. */
function assertOnce(rows: readonly Stored[], below: number): void {
  assert.deepEqual(rows.map(({ id }) => id).toSorted((a, b) => a - b), Array.from({ length: below }, (_, id) => id));
  const cents = new Map<string, number>();
  for (const { id, account, total } of rows) {
    assert.equal(account, `a${id % 4}`);
    const sum = (cents.get(account) ?? 0) + id * 100 + 10;
    cents.set(account, sum);
    assert.equal(Math.round(Number(total) * 100), sum, `payment ${id}`);
  }
}

async function redriven(project: Operated, ...words: string[]): Promise<{ readonly code: number; readonly records: number }> {
  const { code, stdout, output } = await project.run("redrive", "project", "follow", "--json", ...words);
  assert.ok(stdout !== "", output);
  return { code, records: JSON.parse(stdout).records };
}

async function rejectsOf(project: Operated): Promise<number> {
  const { stdout } = await project.run("rejects", "ls", "project", "follow", "--json");
  return stdout === "" ? 0 : JSON.parse(stdout).records;
}

/** A start may find the machine busy: it follows for a moment only, and the next one goes on. */
async function followUntil(
  project: Operated,
  count: () => number | Promise<number>,
  wanted: number,
  follow = () => project.follow(),
): Promise<void> {
  for (let tries = 0; tries < 12; tries++) {
    const ran = await follow();
    assert.equal(ran.code, 0, ran.output);
    if (await count() >= wanted) return;
  }
  assert.fail(`after twelve starts there are ${await count()} of ${wanted}`);
}

async function killedFollow(project: Operated, step: string): Promise<void> {
  const died = await project.follow(step);
  assert.equal(died.signal, "SIGKILL", died.output);
}

Deno.test("after a fix refused records go through once, killed or not, and what is refused again can be redriven again", async () => {
  await inOperated(async (project) => {
    await project.write("project/millrace.toml", below(20));
    await followUntil(project, () => rejectsOf(project), 20);
    assertOnce(storedIn(project), 20);

    await project.write("project/millrace.toml", below(30));
    assert.deepEqual(await redriven(project, "--reason", "other"), { code: 0, records: 0 });
    assert.deepEqual(await redriven(project), { code: 0, records: 20 });
    assert.deepEqual(await redriven(project), { code: 0, records: 0 }, "they wait already");
    for (const step of ["intent_written:1", "sink_delivered:1", "state_written:2", "head_flipped:1"]) await killedFollow(project, step);
    await followUntil(project, () => rejectsOf(project), 30);
    assertOnce(storedIn(project), 30);
    const listed = await project.run("rejects", "ls", "project", "follow", "--json");
    assert.deepEqual(JSON.parse(listed.stdout), {
      pipeline: "follow",
      reason: "limit",
      source: "payments",
      step: "payments",
      records: 30,
      newest: { partition: 0, position: 39 },
    });

    await project.write("project/millrace.toml", below(RECORDS));
    assert.deepEqual(await redriven(project), { code: 0, records: 10 }, "those alone that were refused twice");
    await followUntil(project, () => storedIn(project).length, RECORDS);
    assertOnce(storedIn(project), RECORDS);
    assert.deepEqual(await redriven(project), { code: 0, records: 0 });
    const again = await project.follow();
    assert.equal(again.code, 0, again.output);
    assertOnce(storedIn(project), RECORDS);
  });
});

Deno.test("partitions on threads of their own take their own records again", async () => {
  await inOperated(async (project) => {
    await project.write(
      "project/make.toml",
      MAKE.replace('"payments"\ncreate', '"many"\nkey = "account"\ncreate').replace("partitions = 1", "partitions = 3"),
    );
    assert.equal((await project.run("run", "project", "make", "-q")).code, 0);
    const follow = FOLLOW.replace("[epoch]", "workers = 2\n\n[epoch]")
      .replace('topic      = "payments"', 'topic      = "many"\nkey        = "account"').replace(/\[sinks[^]*/, TO_FILES);
    await project.write("project/follow.toml", follow);
    await project.write("project/millrace.toml", below(20));
    // Threads are slow to start on a busy machine.
    const forLong = () => project.run("run", "project", "follow", "-q", "--for", "6s");
    await followUntil(project, () => rejectsOf(project), 20, forLong);
    await project.write("project/millrace.toml", below(RECORDS));
    assert.deepEqual(await redriven(project), { code: 0, records: 20 });
    const ids = () => idsInFiles(`${project.folder}/spent`);
    await followUntil(project, async () => (await ids()).length, RECORDS, forLong);
    assert.deepEqual((await ids()).toSorted((a, b) => a - b), Array.from({ length: RECORDS }, (_, id) => id));
  });
});

const TO_FILES = `[sinks.spent]
type    = "ndjson"
path    = "spent"
inputs  = ["spent"]
publish = "parts"
`;

async function idsInFiles(folder: string): Promise<number[]> {
  const ids: number[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".ndjson")) continue;
    for (const line of (await Deno.readTextFile(`${folder}/${name}`)).trimEnd().split("\n")) ids.push(JSON.parse(line).id);
  }
  return ids;
}

/** A check behind the state: what it refuses has been counted there. */
const CHECKED = `
[transforms.checked]
type   = "map"
inputs = ["spent"]
set    = { id = "id" }

[[transforms.checked.require]]
code = "total"
that = "total < 50.00"
`;

Deno.test("records that were counted or delivered before they were refused are not redriven, and it is said why", async () => {
  await inOperated(async (project) => {
    await project.write("project/follow.toml", FOLLOW.replace('inputs     = ["spent"]', 'inputs     = ["checked"]') + CHECKED);
    assert.equal((await project.follow()).code, 0);
    const refused = await project.run("redrive", "project", "follow");
    assert.equal(refused.code, 1);
    assert.match(
      refused.stdout,
      /^follow {2}has no rejects that are to go through again\n {2}\d+ records from payments, refused by checked, cannot: "spent" keeps state of them/,
    );
    const bounded = await project.run("redrive", "project", "make");
    assert.match(bounded.stderr, /error\[redrive_bounded\].*\n {2}hint: start it again with --rerun/);
  });
});
