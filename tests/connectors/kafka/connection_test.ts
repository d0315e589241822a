/** Settings of the connection, and that a password leaves by no way but to the broker. No broker is needed. */
import assert from "node:assert/strict";
import { MillraceError } from "../../../src/data/fault.ts";
import { Machine } from "../support/memory_world.ts";
import { faultsOf } from "../support/project.ts";
import { connectionToml, kafkaSource, loggedWorld } from "./support/kafka_world.ts";

const PASSWORD = "pl4nted-Secret";
const sasl = (mechanism: string, password: string) => `sasl = { mechanism = "${mechanism}", username = "u", ${password} }`;

const faults = (connection: string, source = 'topic = "t"') =>
  faultsOf(`[connections.bus]
type = "kafka"
${connection}
[sources.in]
connection = "bus"
fields = { id = "int" }
${source}
[sinks.out]
type = "console"
inputs = ["in"]`);

Deno.test("brokers are text or a list; what is none is a fault of the configuration at its place", async () => {
  for (const brokers of ['"a:1,b:2"', '["a:1", "b"]', '"[::1]:9092"', '" a , b "']) assert.equal(await faults(`brokers = ${brokers}`), "");
  assert.match(await faults('brokers = "a:1,b:x"'), /p\.toml:3:11[\s\S]*"b:x" is not the address of a broker/);
  assert.match(await faults('brokers = ""'), /no broker is named/);
  assert.match(await faults("brokers = []"), /no broker is named/);
  assert.match(await faults('brokers = "a:70000"'), /not the address/);
});

Deno.test("sasl wants exactly one of password and password_file; topics, keys and ends are checked", async () => {
  const broker = 'brokers = "a"\n';
  assert.match(await faults(`${broker}sasl = { username = "u" }`), /a password or a password_file/);
  assert.match(await faults(`${broker}sasl = { username = "u", password = "${PASSWORD}", password_file = "f" }`), /one of them/);
  assert.doesNotMatch(
    await faults(`${broker}sasl = { username = "u", password = "${PASSWORD}", password_file = "f" }`),
    new RegExp(PASSWORD),
  );
  assert.match(await faults(`${broker}sasl = { mechanism = "GSSAPI", username = "u", password = "p" }`), /GSSAPI/);
  assert.match(await faults(broker, 'topic = "a/b"'), /cannot be the name of a topic/);
  assert.match(await faults(broker, 'topic = "t"\nkey = "nothing"'), /no field "nothing"/);
  assert.match(await faults(broker, 'topic = "t"\nuntil = "soon"'), /does not say when the input ends/);
});

/** Everything that anybody could get to see of a failure. */
function allOf(error: unknown, events: readonly { readonly text: string }[]): string {
  return [Deno.inspect(error, { depth: 20, showHidden: true }), JSON.stringify(error), ...events.map(({ text }) => text)].join("\n");
}

/** Speaks as much of the protocol as a login takes, refuses it, and repeats what it was told. */
function hostileBroker(): { port: number; close(): void; readonly logins: string[] } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const logins: string[] = [];
  const sockets: Deno.Conn[] = [];
  const text = (value: string) => [value.length >> 8, value.length & 255, ...new TextEncoder().encode(value)];
  const answers: Record<number, (body: Uint8Array) => number[]> = {
    18: () => [0, 0, 0, 0, 0, 2, 0, 17, 0, 0, 0, 1, 0, 36, 0, 0, 0, 1, 0, 0, 0, 0],
    17: () => [0, 0, 0, 0, 0, 1, ...text("PLAIN")],
    36: (body) => {
      const told = new TextDecoder().decode(body);
      logins.push(told);
      return [0, 58, ...text(`no such user: ${told.replace(/[^ -~]/g, " ")}`), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    },
  };
  const serve = async (socket: Deno.Conn) => {
    sockets.push(socket);
    let held = new Uint8Array(0);
    const chunk = new Uint8Array(4096);
    for (let read = await socket.read(chunk); read !== null; read = await socket.read(chunk)) {
      held = Uint8Array.from([...held, ...chunk.subarray(0, read)]);
      while (held.length >= 4 && held.length >= 4 + new DataView(held.buffer).getInt32(0)) {
        const length = new DataView(held.buffer).getInt32(0);
        const request = held.slice(4, 4 + length);
        held = held.slice(4 + length);
        const body = answers[request[1]](request.subarray(10));
        const answer = new Uint8Array(8 + body.length);
        new DataView(answer.buffer).setInt32(0, 4 + body.length);
        answer.set(request.subarray(4, 8), 4);
        answer.set(body, 8);
        await socket.write(answer);
      }
    }
  };
  (async () => {
    for await (const socket of listener) serve(socket).catch(() => {});
  })();
  const close = () => {
    listener.close();
    for (const socket of sockets) {
      try {
        socket.close();
      } catch {
        // The client was faster.
      }
    }
  };
  return { port: (listener.addr as Deno.NetAddr).port, close, logins };
}

Deno.test("a refused login names the broker and never the password, though the broker repeats it", async () => {
  const broker = hostileBroker();
  const machine = new Machine();
  machine.put("secret", `${PASSWORD}\n`);
  for (const password of [`password = "${PASSWORD}"`, 'password_file = "secret"']) {
    const world = loggedWorld(machine);
    const source = await kafkaSource({ brokers: `127.0.0.1:${broker.port}`, topic: "t", connection: sasl("PLAIN", password) }, world);
    await assert.rejects(source.partitions(), (error: MillraceError) => {
      assert.equal(error.code, "login_refused");
      assert.equal(error.retry, "never");
      assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${broker.port} refused the login`));
      assert.ok(!allOf(error, world.events).includes(PASSWORD));
      return true;
    });
  }
  broker.close();
  // It was told all the same, without the file's line end.
  assert.deepEqual(broker.logins.map((login) => login.endsWith(`\0u\0${PASSWORD}`)), [true, true]);
});

Deno.test("a broker that does not answer is waited for until the run is stopped, and told without the password", async () => {
  const world = { ...loggedWorld(), stopping: AbortSignal.timeout(1000) };
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const source = await kafkaSource({
    brokers: `127.0.0.1:${port}`,
    topic: "t",
    connection: sasl("SCRAM-SHA-256", `password = "${PASSWORD}"`),
  }, world);
  await assert.rejects(source.identity(), (error: MillraceError) => {
    assert.equal(error.code, "server_unreachable");
    assert.equal(error.retry, "wait");
    assert.match(error.message, /does not answer: ECONNREFUSED/);
    assert.ok(!allOf(error, world.events).includes(PASSWORD));
    return true;
  });
  assert.deepEqual(world.events.map(({ name }) => name), ["server_unreachable"]);
});

Deno.test("a password file that is missing is named", async () => {
  const source = await kafkaSource(
    { brokers: "127.0.0.1:1", topic: "t", connection: sasl("PLAIN", 'password_file = "nowhere"') },
    loggedWorld(),
  );
  await assert.rejects(source.partitions(), { code: "input_missing", message: "there is no file nowhere" });
});

Deno.test("the reference needs no server: both nodes and the connection check clean", async () => {
  const both = `${connectionToml("a:1")}
[sources.in]
connection = "bus"
topic = "t"
fields = { id = "int", at = "timestamp" }
until = "never"
[sinks.out]
connection = "bus"
inputs = ["in"]
topic = "u"
key = "id"`;
  assert.equal(await faultsOf(both), "");
  assert.match(await faultsOf(both.replace('key = "id"', 'key = "id == 1"')), /bool cannot be a record's key/);
  assert.match(await faultsOf(both.replace('key = "id"', 'format = { timestamps = "qqqq" }')), /qqqq/);
});
