/** config/banking on Kafka and PostgreSQL, by the statements of the workload; every row is counted by clients that are not ours. */
import assert from "node:assert/strict";
import {
  atOnce,
  bankingDone,
  bankingOnServers,
  payment,
  rejectsOf,
  rowsOf,
  send,
  startBanking,
  storedCount,
  TO_THE_END,
  untilStored,
} from "./banking.ts";
import { readWithKafkajs, takenOffsets } from "./foreign_client.ts";
import { eventually } from "./instance.ts";
import { withServers } from "./mod.ts";
import { startMillrace } from "./processes.ts";
import { blocksOf, isOnServers } from "../docs/shell_blocks.ts";
import { freshClone, runShell } from "../support/clone.ts";

const BOTH = ["kafka", "postgres"] as const;
/** SIGTERM, and what is said at the end. */
async function stopped(running: ReturnType<typeof startBanking>) {
  running.stop();
  const { code, stdout, stderr } = await running.ended;
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Awaited<ReturnType<typeof bankingDone>>;
}
const COLUMNS = "transaction_id, timestamp, user_id, merchant, category, amount, currency, location, status";

await withServers("B-4: count, rate, topic and partitions are options, and the key of a message is its user", BOTH, async (servers) => {
  await bankingOnServers(servers, async (banking) => {
    await bankingDone(banking, ["produce"], atOnce(500, ["params.partitions=4", "params.seed=7", "params.start=2026-02-21T12:34:56Z"]));
    const messages = await readWithKafkajs(servers.kafka.brokers, banking.topic, 500);
    const partitionOf = new Map<string, number>();
    for (const { key, value, partition } of messages) {
      assert.match(value!, /^\{"transaction_id": "[0-9a-f-]{36}", "timestamp": "2026-02-21T12:34:56/);
      assert.equal(key, String(JSON.parse(value!).user_id));
      assert.equal(partitionOf.get(key!) ?? partition, partition);
      partitionOf.set(key!, partition);
    }
    assert.equal(new Set(messages.map(({ partition }) => partition)).size, 4);
    assert.equal(new Set(messages.map(({ value }) => value)).size, 500);
  });
});

await withServers("B-5, D8: a producer that is told to stop has sent what it says, and ends within seconds", BOTH, async (servers) => {
  await bankingOnServers(servers, async (banking) => {
    const producer = startBanking(banking, ["produce"], ["params.rate=300/s"]);
    assert.ok(await eventually(async () => await takenOffsets(servers.kafka.brokers, banking.topic) > 200, 60_000));
    const asked = performance.now();
    const [outcome] = await stopped(producer);
    assert.ok(performance.now() - asked < 10_000);
    assert.equal(outcome.status, "stopped");
    assert.ok(outcome.records > 100, `${outcome.records} payments`);
    const messages = await readWithKafkajs(servers.kafka.brokers, banking.topic, outcome.records);
    assert.equal(messages.length, outcome.records);
    const refused = startBanking(banking, ["produce"], ["params.topic=not a topic"]);
    assert.notEqual((await refused.ended).code, 0);
  });
});

/** The specification's table of malformed messages, with uniform codes; null: a tombstone. */
const MALFORMED: readonly (readonly [value: string | null, reason: string])[] = [
  ["not JSON", "json"],
  ["[1, 2]", "json"],
  ["17", "json"],
  ["null", "json"],
  ['{"transaction_id": "x", "amo', "json"],
  ["", "json"],
  [null, "json"],
  [payment("text-amount", { amount: "12.3" }), "type:amount"],
  [payment("nan").replace("145.32", "NaN"), "json"],
  [payment("nan-text", { amount: "NaN" }), "type:amount"],
  [payment("user-text", { user_id: "77" }), "type:user_id"],
  [payment("user-part", { user_id: 77.5 }), "scale:user_id"],
  [payment("user-wide").replace("2345", "99999999999999999"), "range:user_id"],
  [payment("id-number").replace('"id-number"', "5"), "type:transaction_id"],
  [payment("status-bool", { status: true }), "type:status"],
  [payment("id-object").replace('"id-object"', "{}"), "type:transaction_id"],
  [payment("other-case").replace('"amount"', '"Amount"'), "missing:amount"],
  [payment("two") + payment("objects"), "json"],
  [payment("and-text") + " more", "json"],
  [payment("missing", { merchant: undefined }), "missing:merchant"],
  [payment("null-field", { merchant: null }), "type:merchant"],
  [payment("scale").replace("145.32", "1.005"), "scale:amount"],
  [payment("no-time", { timestamp: "yesterday" }), "type:timestamp"],
  // Which of two amounts is meant nobody knows.
  [payment("twice").replace('"amount":145.32', '"amount":1,"amount":145.32'), "json"],
];
/** What is odd and stored all the same. */
const ACCEPTED = [
  payment("extra", { more: { than: ["asked"] } }),
  payment("negative", { amount: -1 }),
  payment("zero", { amount: 0 }),
  payment("merchant", { merchant: "Nobody", currency: "EUR", status: "lost" }),
  payment("whole-user").replace("2345", "2345.0"),
];

await withServers("B-7, D4: each malformed message is rejected with its reason and bytes, never a row of nulls", BOTH, async (servers) => {
  await bankingOnServers(servers, async (banking) => {
    await send(banking, [...MALFORMED.map(([value]) => value), ...ACCEPTED]);
    const [outcome] = await bankingDone(banking, ["stream"], TO_THE_END);
    const rejects = rejectsOf(banking);
    assert.deepEqual(rejects.map(({ reason, raw }) => [raw, reason]), MALFORMED.map(([value, reason]) => [value ?? "", reason]));
    const rows = await rowsOf(
      servers.postgres,
      banking,
      "SELECT transaction_id, amount, user_id FROM raw_transactions ORDER BY source_offset",
    );
    assert.deepEqual(rows, [
      ["extra", "145.32", "2345"],
      ["negative", "-1.00", "2345"],
      ["zero", "0.00", "2345"],
      ["merchant", "145.32", "2345"],
      ["whole-user", "145.32", "2345"],
    ]);
    assert.deepEqual([outcome.records, outcome.rejected], [MALFORMED.length + ACCEPTED.length, MALFORMED.length]);
  });
});

await withServers("B-7: the profile `strict` also rejects what is no plausible payment", BOTH, async (servers) => {
  await bankingOnServers(servers, async (banking) => {
    await send(banking, ACCEPTED);
    const { code, stderr } = await startBanking(banking, ["stream"], TO_THE_END, { BANKING_PROFILE: "strict" }).ended;
    assert.equal(code, 0, stderr);
    assert.deepEqual(rejectsOf(banking).map(({ reason }) => reason), ["range:amount", "range:amount", "one_of:merchant"]);
    assert.equal(await storedCount(servers.postgres, banking), 2);
  });
});

await withServers("B-13, B-14, D5: amounts are exact, times are times, and each row says where it came from", BOTH, async (servers) => {
  await bankingOnServers(servers, async (banking) => {
    await send(banking, [
      payment("a", { amount: 145.3 }),
      payment("b").replace("145.32", "100"),
      payment("c").replace("145.32", "0.1").replace("56.120045", "57"),
      payment("d").replace("145.32", "9007199254740.99"),
    ], 2);
    await bankingDone(banking, ["stream"], TO_THE_END);
    const rows = await rowsOf(servers.postgres, banking, "SELECT * FROM raw_transactions ORDER BY transaction_id");
    const shown = (id: string, amount: string, partition: string, offset: string, time = "2026-02-21 12:34:56.120045+00") => [
      ...[id, time, "2345", "Tesco", "Food", amount, "GBP", "London", "completed"],
      ...[banking.topic, partition, offset],
    ];
    assert.deepEqual(rows.map((row) => row.toSpliced(9, 1)), [
      shown("a", "145.30", "0", "0"),
      shown("b", "100.00", "1", "0"),
      shown("c", "0.10", "0", "1", "2026-02-21 12:34:57+00"),
      shown("d", "9007199254740.99", "1", "1"),
    ]);
    assert.ok(rows.every((row) => Math.abs(Date.now() - Date.parse(row[9].replace(" ", "T") + ":00")) < 600_000), rows[0][9]);
    const types = `SELECT column_name, udt_name FROM information_schema.columns WHERE table_name = 'raw_transactions'
      AND column_name IN ('amount', 'timestamp', 'ingested_at', 'source_offset') ORDER BY 1`;
    assert.deepEqual(await rowsOf(servers.postgres, banking, types), [
      ["amount", "numeric"],
      ["ingested_at", "timestamptz"],
      ["source_offset", "int8"],
      ["timestamp", "timestamptz"],
    ]);
  });
});

await withServers(
  "B-15, B-20, D3: a thousand payments sent three times are a thousand rows, and the counts add up",
  BOTH,
  async (servers) => {
    await bankingOnServers(servers, async (banking) => {
      const same = atOnce(1000, ["params.seed=5", "params.start=2026-02-21T00:00:00Z"]);
      await bankingDone(banking, ["produce"], same);
      await bankingDone(banking, ["produce", "--rerun"], same);
      await send(banking, ["garbage", null]);
      await bankingDone(banking, ["produce", "--rerun"], same);
      const [{ records, rejected, counters }] = await bankingDone(banking, ["stream"], TO_THE_END);
      assert.deepEqual([records, rejected, counters.once.duplicates], [3002, 2, 2000]);
      assert.equal(await storedCount(servers.postgres, banking), 1000);
      // The same once more, by a consumer that remembers nothing and is told to start over: the table's key knows them.
      await Deno.remove(`${banking.output}/.millrace`, { recursive: true });
      const again = await bankingDone(banking, ["stream", "--rerun"], TO_THE_END);
      assert.equal(again[0].records, 3002);
      assert.deepEqual(await rowsOf(servers.postgres, banking, "SELECT count(*), count(DISTINCT transaction_id) FROM raw_transactions"), [
        ["1000", "1000"],
      ]);
    });
  },
);

await withServers(
  "B-17, D1: while the database is down nothing is dropped, and when it is back the pipeline goes on",
  BOTH,
  async (servers) => {
    await bankingOnServers(servers, async (banking) => {
      const producer = startBanking(banking, ["produce"], ["params.rate=200/s"]);
      const consumer = startBanking(banking, ["stream"]);
      try {
        await untilStored(servers.postgres, banking, 100);
        await servers.postgres.stop();
        await consumer.says(/server_unreachable/);
        await new Promise((resolve) => setTimeout(resolve, 1000));
        await servers.postgres.start();
        const [{ records }] = await stopped(producer);
        await untilStored(servers.postgres, banking, records);
        await stopped(consumer);
        assert.deepEqual(await rowsOf(servers.postgres, banking, "SELECT count(*), count(DISTINCT source_offset) FROM raw_transactions"), [
          [String(records), String(records)],
        ]);
      } finally {
        producer.kill();
        consumer.kill();
        await Promise.all([producer.ended, consumer.ended]);
      }
    });
  },
);

await withServers("B-18, B-6, B-11, D2: what is sent while the consumer is down is stored when it comes back", BOTH, async (servers) => {
  await bankingOnServers(servers, async (banking) => {
    await send(banking, Array.from({ length: 20 }, (_, i) => payment(`before-${i}`)));
    const first = startBanking(banking, ["stream"], ["params.first=latest"]);
    // Until it has found the topic's end, what is sent lies before its first start.
    let sent = 0;
    const isReading = async () => {
      await send(banking, [payment(`while-${sent++}`)]);
      return await storedCount(servers.postgres, banking) > 0;
    };
    assert.ok(await eventually(isReading, 60_000));
    await stopped(first);
    await send(banking, Array.from({ length: 50 }, (_, i) => payment(`down-${i}`)));
    const second = startBanking(banking, ["stream"], ["params.first=latest"]);
    const kinds = "SELECT split_part(transaction_id, '-', 1), count(*) FROM raw_transactions GROUP BY 1 ORDER BY 1";
    const counts = async () => new Map((await rowsOf(servers.postgres, banking, kinds)).map(([kind, count]) => [kind, Number(count)]));
    assert.ok(await eventually(async () => (await counts()).get("down") === 50, 60_000));
    await stopped(second);
    const found = await counts();
    assert.deepEqual([...found.keys()], ["down", "while"], "what was sent before the very first start is not stored");
    // Without a gap from the first one that was seen.
    const [[from]] = await rowsOf(servers.postgres, banking, "SELECT min(source_offset) FROM raw_transactions");
    assert.equal(found.get("while")! + 50, 20 + sent + 50 - Number(from));
  });
});

await withServers("B-18: the first start may begin at a time, and nothing as young as that is what comes next", BOTH, async (servers) => {
  await bankingOnServers(servers, async (banking) => {
    await send(banking, [payment("early-1"), payment("early-2")], 2);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const between = new Date().toISOString();
    await new Promise((resolve) => setTimeout(resolve, 100));
    await send(banking, [payment("late-1"), payment("late-2"), payment("late-3")], 2);
    await bankingDone(banking, ["stream"], [...TO_THE_END, `params.first=${between}`]);
    const ids = await rowsOf(servers.postgres, banking, "SELECT transaction_id FROM raw_transactions ORDER BY 1");
    assert.deepEqual(ids.flat(), ["late-1", "late-2", "late-3"]);
    await bankingDone(banking, ["stream", "--rerun"], [...TO_THE_END, "params.first=2200-01-01T00:00:00Z"]);
    assert.equal(await storedCount(servers.postgres, banking), 3);
    const odd = await startBanking(banking, ["stream", "--rerun"], ["params.first=yesterday"]).ended;
    assert.equal(odd.code, 2);
    assert.match(odd.stderr, /"yesterday" does not say where to begin/);
  });
});

await withServers("D6: check --connect names the server that fails, and says no password", BOTH, async (servers) => {
  await bankingOnServers(servers, async (banking) => {
    const check = async (change: Readonly<Record<string, string>>) => {
      const run = { input: banking.output, output: banking.output, env: { BANKING_OUTPUT: banking.output, ...banking.env, ...change } };
      return await startMillrace(["check", "config/banking", "--connect"], run).ended;
    };
    const fine = await check({});
    assert.equal(fine.code, 0, fine.stderr + fine.stdout);
    assert.match(fine.stdout, /PostgreSQL \d+.*table raw_transactions will be made/);
    const url = new URL(banking.env.POSTGRES_URL);
    url.password = "n0t-the-p4ssword";
    const denied = await check({ POSTGRES_URL: url.href });
    assert.equal(denied.code, 1);
    assert.match(denied.stdout + denied.stderr, /password authentication failed/);
    const away = await check({ KAFKA_BROKERS: "127.0.0.1:1" });
    assert.equal(away.code, 1);
    assert.match(away.stdout + away.stderr, /127\.0\.0\.1:1/);
    for (const { stdout, stderr } of [fine, denied, away]) {
      for (const secret of ["n0t-the-p4ssword", new URL(banking.env.POSTGRES_URL).password]) assert.ok(!(stdout + stderr).includes(secret));
    }
  });
});

await withServers("D7: tables are made where they are missing, and a table made by hand is written as it is", BOTH, async (servers) => {
  await bankingOnServers(servers, async (banking) => {
    await servers.postgres.admin(
      `SET ROLE ${
        new URL(banking.env.POSTGRES_URL).username
      }; CREATE TABLE raw_transactions (transaction_id TEXT, timestamp TEXT, user_id INT,
       merchant TEXT, category TEXT, amount DOUBLE PRECISION, currency TEXT, location TEXT, status TEXT)`,
      banking.database,
    );
    await send(banking, [payment("a"), payment("b", { amount: 100 })]);
    const { code, stderr } = await startBanking(banking, ["stream"], TO_THE_END, { BANKING_PROFILE: "plain" }).ended;
    assert.equal(code, 0, stderr);
    const rest = ["2026-02-21T12:34:56.120045Z", "2345", "Tesco", "Food"];
    assert.deepEqual(await rowsOf(servers.postgres, banking, `SELECT ${COLUMNS} FROM raw_transactions ORDER BY 1`), [
      ["a", ...rest, "145.32", "GBP", "London", "completed"],
      ["b", ...rest, "100", "GBP", "London", "completed"],
    ]);
    const typed = await startBanking(banking, ["stream", "--rerun"], TO_THE_END).ended;
    assert.equal(typed.code, 1);
    assert.match(typed.stderr, /has no column "ingested_at"/);
  });
});

await withServers("P1: a paced producer, a topic, a consumer and a table: one row per payment, slowly and fast", BOTH, async (servers) => {
  const endToEnd = async (rate: string, count: number, secondsLeast: number) => {
    await bankingOnServers(servers, async (banking) => {
      const consumer = startBanking(banking, ["stream"], TO_THE_END);
      try {
        const started = performance.now();
        await bankingDone(banking, ["produce"], [`params.rate=${rate}`, `params.count=${count}`]);
        assert.ok(performance.now() - started >= secondsLeast * 1000, "paced");
        const { code, stdout, stderr } = await consumer.ended;
        assert.equal(code, 0, stderr);
        assert.equal(JSON.parse(stdout)[0].records, count);
        const counts = "SELECT count(*), count(DISTINCT transaction_id), count(DISTINCT source_offset) FROM raw_transactions";
        assert.deepEqual(await rowsOf(servers.postgres, banking, counts), [[count, count, count].map(String)]);
      } finally {
        consumer.kill();
        await consumer.ended;
      }
    });
  };
  // A minute at one a second, and ten seconds at ten thousand, are what is promised: here the same in shorter.
  await endToEnd("10/s", 60, 5.9);
  await endToEnd("10000/s", 30_000, 2.9);
});

await withServers("the tutorial's commands for real servers do what it says", BOTH, async (servers) => {
  await bankingOnServers(servers, async (banking) => {
    const page = Deno.readTextFileSync(new URL("../../docs/tutorials/banking.md", import.meta.url));
    const blocks = blocksOf(page).filter(isOnServers);
    assert.ok(blocks.length > 0);
    const clone = await freshClone();
    try {
      for (const { text } of blocks) {
        const { code, output } = await runShell(`set -e\n${text}`, clone.folder, banking.env);
        assert.equal(code, 0, output);
      }
      assert.equal(await storedCount(servers.postgres, banking), 60);
    } finally {
      await clone.remove();
    }
  });
});
