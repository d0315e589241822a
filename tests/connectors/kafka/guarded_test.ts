/** Brokers that want TLS, a login, or both: the same exactly-once sink and source, over the library's connections. */
import assert from "node:assert/strict";
import type { MillraceError } from "../../../src/data/fault.ts";
import type { EpochStamp } from "../../../src/engine/contracts.ts";
import { withServers } from "../../services/mod.ts";
import { Machine } from "../support/memory_world.ts";
import { plan } from "../support/project.ts";
import { batchOf, readAll } from "../support/rows.ts";
import { connectionToml, kafkaSource, loggedWorld, newTopic, readTopic, withClient } from "./support/kafka_world.ts";

const ROWS = 3_000;
const stamp: EpochStamp = { pipeline: "p", run: "r", lane: 0, epoch: 1, owner: 1, digest: "d1", timeMicros: 1 };

await withServers("kafka with TLS, logins and both: rows and marker go in exactly once and are read back", ["kafka"], async ({ kafka }) => {
  const { guarded, brokers } = kafka;
  if (guarded === null) return console.log("    (a container's broker has one listener)");
  const { username, password } = guarded;
  const machine = new Machine();
  machine.put("ca.crt", await Deno.readTextFile(guarded.caFile));
  machine.put("secret", `${password}\n`);
  const login = (mechanism: string, secret = `password = "${password}"`) =>
    `sasl = { mechanism = "${mechanism}", username = "${username}", ${secret} }`;
  const ways: readonly [at: string, connection: string][] = [
    [guarded.tls, 'tls = "verify"\nca_file = "ca.crt"'],
    [guarded.tls, 'tls = "require"'],
    [guarded.login, login("PLAIN")],
    [guarded.login, login("SCRAM-SHA-256", 'password_file = "secret"')],
    [guarded.both, `tls = "verify"\nca_file = "ca.crt"\n${login("SCRAM-SHA-512")}`],
  ];
  for (const [at, connection] of ways) {
    const world = loggedWorld(machine);
    const topic = newTopic("guarded");
    const blueprint = await plan(`${connectionToml(at, connection)}
[sources.in]
connection = "bus"
topic = "elsewhere"
fields = { id = "int", amount = "decimal(2)", name = "string?" }
[sinks.out]
connection = "bus"
inputs = ["in"]
topic = "${topic}"
key = "id"
create = { partitions = 2 }`);
    const { plan: planned, input } = blueprint.sinks.find(({ name }) => name === "out")!;
    const sink = planned.create(world);
    await sink.open({ pipeline: "p", run: topic, lanes: 1, fresh: true });
    const lane = sink.lane(0);
    await lane.fence(1);
    lane.write(batchOf(input, Array.from({ length: ROWS }, (_, id) => [id, id * 25, `n ${id}`])));
    await lane.deliver({ ...stamp, run: topic });
    assert.equal((await lane.fence(2))?.epoch, 1, connection);
    await sink.finish();
    await sink.close();
    const theirs = await withClient(brokers, (client) => readTopic(client, topic, ROWS));
    assert.equal(theirs.length, ROWS);
    const source = await kafkaSource({ brokers: at, topic, connection, more: 'until = "end"' }, world);
    const ids: number[] = [];
    for (let partition = 0; partition < await source.partitions(); partition++) {
      const reader = await source.reader(partition);
      for (let position = reader.start, last = ""; last !== "end";) {
        const part = await readAll(reader, position, () => ({ rowsMax: 1_000, bytesMax: 1 << 20 }));
        ids.push(...part.rows.map((row) => Number(JSON.parse(row.slice(row.indexOf("["), row.lastIndexOf("]") + 1))[0])));
        [position, last] = [part.places.at(-1)!.position, part.last];
      }
      reader.close();
    }
    assert.deepEqual(ids.sort((a, b) => a - b), Array.from({ length: ROWS }, (_, id) => id));
    assert.ok(!JSON.stringify(world.events).includes(password));
  }
});

await withServers(
  "kafka: a wrong password, a certificate nobody knows, and TLS where the two sides disagree are told as such",
  ["kafka"],
  async ({ kafka: { guarded } }) => {
    if (guarded === null) return console.log("    (a container's broker has one listener)");
    const wrong = `sasl = { mechanism = "SCRAM-SHA-256", username = "${guarded.username}", password = "guessed" }`;
    const cases: readonly [at: string, connection: string, code: string][] = [
      [guarded.login, wrong, "login_refused"],
      [guarded.tls, 'tls = "verify"', "tls_failed"],
      [guarded.tls, "", "tls_failed"],
    ];
    for (const [at, connection, code] of cases) {
      const source = await kafkaSource({ brokers: at, topic: "t", connection }, loggedWorld());
      await assert.rejects(source.partitions(), (error: MillraceError) => {
        assert.equal(error.code, code, error.message);
        assert.ok(!error.message.includes("guessed"));
        return true;
      });
    }
  },
);
