/** What every exactly-once sink promises, for PostgreSQL: kills between any two calls, late owners, repeated epochs, new runs. */
import assert from "node:assert/strict";
import pg from "pg";
import pgCopyStreams from "pg-copy-streams";
import type { Sink, SinkLane } from "../../../src/engine/contracts.ts";
import { withServers } from "../../services/mod.ts";
import { rowsOf } from "../support/sink_cases.ts";
import { run, sinkOf, stamp } from "../support/sql.ts";
import { Database, withDatabase } from "./support.ts";

const LANES = 2;
const EPOCHS = 6;
class Killed extends Error {}

const MODES = [
  "create = true",
  'create = true\nmode = "upsert"\nkey = ["id"]',
  'create = true\nmode = "ignore"\nkey = ["id"]',
  'create = true\nmode = "replace"',
];

/** What the engine's heads say: it survives every kill. */
class Heads {
  readonly epoch = [0, 0];
  readonly delivered = [0, 0];
  owner = 0;
  next(): number {
    return this.epoch[0] <= this.epoch[1] ? 0 : 1;
  }
}

class Case {
  constructor(readonly database: Database, readonly settings: string) {}
  async sink(): Promise<{ sink: Sink; write: (lane: SinkLane, number: number, epoch: number) => number }> {
    const { sink, batch } = await sinkOf(this.database.url, { sink: this.settings });
    const write = (lane: SinkLane, number: number, epoch: number) => {
      const rows = rowsOf(number, epoch);
      if (rows.length > 0) lane.write(batch(rows));
      return rows.length;
    };
    return { sink, write };
  }
  async shown(): Promise<string[]> {
    const rows = await this.database.rows("SELECT id, amount, COALESCE('=' || name, 'null') FROM t");
    return rows.map((row) => row.join(" ")).sort();
  }
  async clear(): Promise<void> {
    await this.database.admin("DROP TABLE IF EXISTS t; DELETE FROM millrace_epochs");
  }
}

/** One life of a process, from recovery to publishing; `pause` may end it between two calls. */
async function live(each: Case, heads: Heads, runId: string, pause: () => void): Promise<void> {
  const { sink, write } = await each.sink();
  try {
    await sink.open(run(runId, heads.epoch.every((epoch) => epoch === 0), LANES));
    const owner = ++heads.owner;
    const lanes: SinkLane[] = [];
    for (let lane = 0; lane < LANES; lane++) {
      lanes.push(sink.lane(lane));
      const marker = await lanes[lane].fence(owner);
      pause();
      if (marker?.epoch === heads.epoch[lane] + 1) heads.delivered[lane] = heads.epoch[lane] = marker.epoch;
      assert.equal(marker?.epoch ?? 0, heads.delivered[lane]);
    }
    for (let lane = heads.next(); heads.epoch[lane] < EPOCHS; lane = heads.next()) {
      const epoch = heads.epoch[lane] + 1;
      const rows = write(lanes[lane], lane, epoch);
      assert.equal(lanes[lane].bytesHeld() > 0, rows > 0);
      pause();
      await lanes[lane].deliver(stamp(runId, epoch, owner, lane));
      pause();
      if (rows > 0) heads.delivered[lane] = epoch;
      heads.epoch[lane] = epoch;
    }
    await sink.finish();
    pause();
    await sink.finish();
  } finally {
    await sink.close();
  }
}

for (const settings of MODES) {
  const name = settings.replaceAll("\n", ", ").replace("create = true", "append").replace(/append, (mode)/, "$1");

  await withServers(`postgres, ${name}: killed between any two calls of the protocol`, ["postgres"], async ({ postgres }) => {
    await withDatabase(postgres, async (database) => {
      const each = new Case(database, settings);
      let pauses = 0;
      await live(each, new Heads(), "r", () => void pauses++);
      const shown = await each.shown();
      assert.ok(shown.length > 10);
      for (let at = 0; at < pauses; at += 2) {
        await each.clear();
        const heads = new Heads();
        let left = at;
        await assert.rejects(
          live(each, heads, "r", () => {
            if (left-- === 0) throw new Killed();
          }),
          Killed,
        );
        await live(each, heads, "r", () => {});
        assert.deepEqual(await each.shown(), shown, `killed at call ${at}`);
      }
    });
  });

  await withServers(
    `postgres, ${name}: an epoch twice is there once, dropped rows never, and an older owner changes nothing`,
    ["postgres"],
    async ({ postgres }) => {
      await withDatabase(postgres, async (database) => {
        const each = new Case(database, settings);
        await live(each, new Heads(), "r", () => {});
        const shown = await each.shown();
        await each.clear();
        const old = await each.sink();
        await old.sink.open(run("r", true, LANES));
        const oldLane = old.sink.lane(0);
        assert.equal(await oldLane.fence(1), null);
        old.write(oldLane, 0, 1);
        await oldLane.deliver(stamp("r", 1));
        old.write(oldLane, 0, 1);
        await oldLane.deliver(stamp("r", 1));
        old.write(oldLane, 0, 4);
        oldLane.discard();
        assert.equal(oldLane.bytesHeld(), 0);
        old.write(oldLane, 0, 2);
        const heads = new Heads();
        heads.epoch[0] = heads.delivered[0] = 1;
        heads.owner = 1;
        let late: Promise<unknown> | null = null;
        let calls = 0;
        await live(each, heads, "r", () => {
          // Once while the new owner is at work; it is refused, or repeats what its successor has.
          if (++calls === 3) late = oldLane.deliver(stamp("r", 2, 1)).catch((error) => assert.equal(error.code, "fenced"));
        });
        await late;
        old.write(oldLane, 0, 5);
        await assert.rejects(oldLane.deliver(stamp("r", 7, 1)), { code: "fenced" });
        await assert.rejects(oldLane.fence(1), { code: "fenced" });
        await old.sink.close();
        assert.deepEqual(await each.shown(), shown);
      });
    },
  );

  await withServers(`postgres, ${name}: a new run replaces what the earlier one left`, ["postgres"], async ({ postgres }) => {
    await withDatabase(postgres, async (database) => {
      const each = new Case(database, settings);
      await live(each, new Heads(), "r1", () => {});
      const shown = await each.shown();
      const heads = new Heads();
      heads.owner = 0;
      await live(each, heads, "r2", () => {});
      assert.deepEqual(await each.shown(), shown);
      const runs = await database.rows("SELECT DISTINCT pipeline FROM millrace_epochs");
      assert.deepEqual(runs, [["p#r2"]]);
      assert.deepEqual(await database.rows("SELECT tablename FROM pg_tables WHERE tablename LIKE 'millrace_staging%'"), []);
    });
  });
}

await withServers(
  "postgres, replace: the old rows are shown until the end, and a killed run publishes once",
  ["postgres"],
  async ({ postgres }) => {
    await withDatabase(postgres, async (database) => {
      const settings = { sink: 'create = true\nmode = "replace"' };
      const write = async (runId: string, rows: unknown[][], fresh: boolean, owner: number) => {
        const { sink, batch } = await sinkOf(database.url, settings);
        await sink.open(run(runId, fresh));
        const lane = sink.lane(0);
        const marker = await lane.fence(owner);
        if (!marker) {
          lane.write(batch(rows));
          await lane.deliver(stamp(runId, 1, owner));
        }
        return sink;
      };
      const first = await write("r1", [[1, 100, "a"]], true, 1);
      assert.deepEqual(await database.rows("SELECT id FROM t"), []);
      await first.finish();
      await first.close();
      const killed = await write("r2", [[2, 200, "b"]], true, 1);
      await killed.close();
      assert.deepEqual(await database.rows("SELECT id FROM t"), [["1"]]);
      const resumed = await write("r2", [], false, 2);
      await resumed.finish();
      await resumed.finish();
      await resumed.close();
      assert.deepEqual(await database.rows("SELECT id FROM t"), [["2"]]);
    });
  },
);

await withServers(
  "postgres: a rerun that appends is refused for somebody else's table, which keeps its rows",
  ["postgres"],
  async ({ postgres }) => {
    await withDatabase(postgres, async (database) => {
      const open = async (settings: string, runId: string) => {
        const { sink, batch } = await sinkOf(database.url, { sink: settings });
        await sink.open(run(runId, true));
        const lane = sink.lane(0);
        await lane.fence(1);
        lane.write(batch([[1, 100, "a"]]));
        await lane.deliver(stamp(runId, 1));
        await sink.close();
      };
      await open("create = true", "r1");
      await assert.rejects(open("", "r2"), { code: "rerun_append" });
      assert.deepEqual(await database.rows("SELECT id FROM t"), [["1"]]);
    });
  },
);

await withServers(
  "postgres: an owner that stands still in a COPY, the marker in its hands, is not waited for; one that has a successor ends nobody",
  ["postgres"],
  async ({ postgres }) => {
    await withDatabase(postgres, async (database) => {
      const each = new Case(database, "create = true");
      const opened: Sink[] = [];
      const owner = async (number: number) => {
        const { sink, write } = await each.sink();
        opened.push(sink);
        await sink.open(run("r", number === 1));
        return { lane: sink.lane(0), write };
      };
      const first = await owner(1);
      await first.lane.fence(1);
      first.write(first.lane, 0, 1);
      await first.lane.deliver(stamp("r", 1));
      const shown = await each.shown();
      assert.ok(shown.length > 0);
      const [[name]] = await database.rows(
        "SELECT DISTINCT application_name FROM pg_stat_activity WHERE application_name LIKE 'millrace %'",
      );
      const still = new pg.Client({ connectionString: database.url, application_name: name });
      let wasEnded = false;
      still.on("error", () => wasEnded = true);
      await still.connect();
      try {
        await still.query("START TRANSACTION");
        await still.query("UPDATE millrace_epochs SET epoch = 2");
        still.query(pgCopyStreams.from("COPY t FROM STDIN")).on("error", () => {});
        const second = await owner(2);
        const from = performance.now();
        const marker = await second.lane.fence(2);
        assert.equal(marker?.epoch, 1);
        assert.ok(performance.now() - from < 10_000, "waited for an owner that stands still");
        assert.ok(wasEnded);
        await assert.rejects(first.lane.fence(1), { code: "fenced" });
        second.write(second.lane, 0, 2);
        await second.lane.deliver(stamp("r", 2, 2));
        assert.ok((await each.shown()).length > shown.length);
      } finally {
        for (const sink of opened) await sink.close();
        await still.end().catch(() => {});
      }
    });
  },
);
