/** `millrace state`: what a checkpoint holds, whether it is whole, and who has it. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { startMillrace } from "../support/clone.ts";
import { FOLLOW, inOperated, type Operated, RECORDS } from "./operated.ts";

const checkpointOf = ({ folder }: Operated): string => `${folder}/.millrace/follow/checkpoint.kv`;

Deno.test("ls tells lanes, positions and rows of each table; check says that all of it reads", async () => {
  await inOperated(async (project) => {
    assert.match((await project.run("state", "ls", "project", "follow")).stdout, /^follow {2}was never run here\n$/);
    assert.equal((await project.follow()).code, 0);
    const listed = await project.run("state", "ls", "project", "follow", "--json");
    const [{ run, lanes, faults }] = JSON.parse(listed.stdout);
    assert.deepEqual([run.status, run.plan, faults, lanes.length], ["open", "this plan", [], 1]);
    const [{ epoch, openEpoch, positions, tables, generation }] = lanes;
    assert.ok(epoch >= RECORDS / 10 && openEpoch === false && generation === 1);
    assert.deepEqual([positions[0].source, positions[0].partition, positions[0].ended], ["payments", 0, false]);
    // Four accounts, each with its total and its two newest records.
    assert.deepEqual(tables.map(({ rows }: { rows: number }) => rows).sort(), [4, 8]);
    const text = (await project.run("state", "ls", "project", "follow")).stdout;
    assert.match(text, /\n {2}lane 0 {2}epoch \d+ of 20\d\d-\S+Z, generation 1, [\d,]+ bytes of state\n/);
    const checked = await project.run("state", "check", "project", "follow");
    assert.deepEqual([checked.code, checked.stdout], [0, "follow  is whole: 1 lane, every stored value reads and fits this plan\n"]);
    assert.equal((await project.follow()).code, 0, "nothing was changed by looking");
  });
});

Deno.test("a damaged value, a missing head and state of another plan are told by check, with exit 1", async () => {
  await inOperated(async (project) => {
    assert.equal((await project.follow()).code, 0);
    const check = async (): Promise<{ readonly code: number; readonly text: string }> => {
      const { code, stdout } = await project.run("state", "check", "project", "follow");
      return { code, text: stdout };
    };
    await project.write(
      "project/follow.toml",
      FOLLOW.replace('as = "decimal(2)", initial = "0.00"', 'as = "decimal(3)", initial = "0.000"'),
    );
    const other = await check();
    assert.equal(other.code, 1);
    assert.match(other.text, /fault {2}lane 0: state_incompatible/);
    await project.write("project/follow.toml", FOLLOW);
    assert.equal((await check()).code, 0);
    const damage = async (change: (kv: Deno.Kv) => Promise<void>): Promise<void> => {
      using kv = await Deno.openKv(checkpointOf(project));
      await change(kv);
    };
    let head: Deno.KvKey = [];
    await damage(async (kv) => {
      for await (const { key, value } of kv.list<Uint8Array>({ prefix: ["lane"] })) {
        if (key[3] === "head") head = key;
        else {
          value[value.length - 1] ^= 1;
          await kv.set(key, value);
        }
      }
    });
    const damaged = await check();
    assert.equal(damaged.code, 1);
    assert.match(damaged.text, /follow {2}is not whole\n {2}fault {2}lane 0: checkpoint_corrupt/);
    await damage((kv) => kv.delete(head));
    const headless = await check();
    assert.equal(headless.code, 1);
    assert.match(headless.text, /has state but no head/);
  });
});

Deno.test("export tells every key under the user's names with exact decimals; show tells one of them", async () => {
  await inOperated(async (project) => {
    assert.equal((await project.follow()).code, 0);
    const exported = await project.run("state", "export", "project", "follow", "--node", "spent");
    assert.equal(exported.code, 0, exported.output);
    // Account k has payments k, k + 4, ... of i + 0.10 each; the two newest are remembered.
    const wished = [0, 1, 2, 3].map((account) => {
      const cents = Array.from({ length: RECORDS / 4 }, (_, i) => (account + 4 * i) * 100 + 10);
      const total = cents.reduce((sum, one) => sum + one, 0);
      const text = (amount: number): string => `${Math.floor(amount / 100)}.${String(amount % 100).padStart(2, "0")}`;
      const recent = cents.slice(-2).map((one) => `{"amount":${text(one)}}`);
      return `{"node":"spent","table":"state","lane":0,"key":["a${account}"],"values":{"total":${text(total)},"recent":[${recent}]}}`;
    });
    assert.deepEqual(exported.stdout.trimEnd().split("\n").sort(), wished);
    const shown = await project.run("state", "show", "project", "follow", "--node", "spent", "--key", "a2");
    assert.match(
      shown.stdout,
      /^spent\.state {2}a2 {2}\(lane 0\)\n {2}total {3}201\.00\n {2}recent {2}\{"amount":34\.10\}\n +\{"amount":38\.10\}\n$/,
    );
    assert.equal((await project.run("state", "show", "project", "follow", "--key", "a2", "--json")).stdout, `${wished[2]}\n`);
    const none = await project.run("state", "show", "project", "follow", "--key", "a9");
    assert.deepEqual([none.code, none.stdout, none.stderr], [1, "", "nothing is kept for a9\n"]);
    const unknown = await project.run("state", "export", "project", "follow", "--node", "table");
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /error\[unknown_node\].*\n {2}hint: these do: spent\n$/);
  });
});

Deno.test("reset says what it means, does nothing without --yes, and the next start begins anew with the sink's rows replaced", async () => {
  await inOperated(async (project) => {
    assert.equal((await project.follow()).code, 0);
    const before = (await project.run("state", "export", "project", "follow")).stdout;
    const asked = await project.run("state", "reset", "project", "follow");
    assert.equal(asked.code, 1);
    assert.match(
      asked.stdout,
      /next start {2}begins another run.*\n {2}sink table {2}what it holds is replaced by that run's\n.*\nNothing was changed/,
    );
    assert.equal((await project.run("state", "export", "project", "follow")).stdout, before);
    assert.equal((await project.run("state", "reset", "project")).code, 2, "which pipeline is to be said");
    assert.equal((await project.run("state", "reset", "project", "follow", "--yes")).code, 0);
    assert.equal((await project.run("state", "export", "project", "follow")).stdout, "");
    assert.equal((await project.run("state", "ls", "project", "follow")).stdout, "follow  was never run here\n");
    assert.equal((await project.run("plan", "project", "follow")).code, 0);
    const again = await project.follow();
    assert.equal(again.code, 0, again.output);
    assert.equal((await project.run("state", "export", "project", "follow")).stdout, before, "all of it was read again");
    const database = new DatabaseSync(`${project.folder}/spent.sqlite`);
    try {
      assert.equal(database.prepare("SELECT COUNT(*) AS rows FROM spent").get()!.rows, RECORDS);
    } finally {
      database.close();
    }
  });
});

Deno.test("while the pipeline runs its checkpoint is left alone: exit 3", async () => {
  await inOperated(async (project) => {
    const child = startMillrace(["run", "project", "follow", "-q"], project.folder);
    const output = child.output();
    try {
      for (let tries = 0; !(await Deno.stat(`${project.folder}/spent.sqlite`).catch(() => null)); tries++) {
        assert.ok(tries < 200, "the run begins");
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      const { code, stderr } = await project.run("state", "ls", "project", "follow");
      assert.equal(code, 3);
      assert.match(stderr, /error\[owned\]/);
      const reset = await project.run("state", "reset", "project", "follow", "--yes");
      assert.deepEqual([reset.code, reset.stdout], [3, ""]);
    } finally {
      child.kill("SIGTERM");
      await output;
    }
  });
});
