/** SIGTERM: the open epoch completes, or the deadline passes; either way nothing is lost or doubled. Real processes. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { startMillrace } from "../support/clone.ts";
import { FOLLOW, inOperated, type Operated, RECORDS } from "./operated.ts";

async function ended(child: Deno.ChildProcess): Promise<{ readonly code: number; readonly stderr: string }> {
  const { code, stderr } = await child.output();
  return { code, stderr: new TextDecoder().decode(stderr) };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function idsOf({ folder }: Operated): number[] {
  using database = new DatabaseSync(`${folder}/spent.sqlite`, { readOnly: true });
  return database.prepare("SELECT id FROM spent ORDER BY id").all().map(({ id }) => Number(id));
}

const ALL = Array.from({ length: RECORDS }, (_, i) => i);

/** A sink whose server takes connections and never answers. */
const withSilentSink = (port: number): string =>
  FOLLOW + `
[connections.silent]
type = "clickhouse"
url  = "http://127.0.0.1:${port}"

[sinks.away]
connection = "silent"
table      = "spent"
inputs     = ["spent"]
key        = ["id"]
create     = true
`;

async function withSilentServer(test: (port: number, asked: Promise<void>) => Promise<void>): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const held: Deno.Conn[] = [];
  const asked = Promise.withResolvers<void>();
  const accepting = (async () => {
    for await (const connection of listener) {
      held.push(connection);
      asked.resolve();
    }
  })();
  try {
    await test((listener.addr as Deno.NetAddr).port, asked.promise);
  } finally {
    listener.close();
    await accepting;
    for (const connection of held) connection.close();
  }
}

Deno.test("a sink that does not answer: it leaves at the deadline with 1 and says so; the next start has every record once", async () => {
  await inOperated(async (project) => {
    await withSilentServer(async (port, asked) => {
      await project.write("project/follow.toml", withSilentSink(port));
      const child = startMillrace(["run", "project", "follow", "-q", "--stop-within", "1s"], project.folder);
      const end = ended(child);
      await Promise.race([asked, end.then(({ stderr }) => assert.fail(stderr))]);
      const signalled = performance.now();
      child.kill("SIGTERM");
      const { code, stderr } = await end;
      const tookMs = performance.now() - signalled;
      assert.equal(code, 1, stderr);
      assert.match(stderr, /error\[stop_deadline\]: not stopped within 1s of SIGTERM/);
      assert.match(stderr, /--stop-within/);
      assert.ok(tookMs > 900 && tookMs < 8000, `${tookMs} ms`);
    });
    await project.write("project/follow.toml", FOLLOW);
    assert.equal((await project.follow()).code, 0);
    assert.deepEqual(idsOf(project), ALL);
  });
});

Deno.test("the deadline may stand in the project, and a second signal does not wait for it", async () => {
  await inOperated(async (project) => {
    await withSilentServer(async (port, asked) => {
      await project.write("project/follow.toml", `stop_within = "1m"\n${withSilentSink(port)}`);
      const child = startMillrace(["run", "project", "follow", "-q"], project.folder);
      const end = ended(child);
      await Promise.race([asked, end.then(({ stderr }) => assert.fail(stderr))]);
      const signalled = performance.now();
      child.kill("SIGTERM");
      await pause(300);
      child.kill("SIGTERM");
      assert.equal((await end).code, 130);
      assert.ok(performance.now() - signalled < 8000);
    });
    await withSilentServer(async (port, asked) => {
      await project.write("project/follow.toml", `stop_within = "500ms"\n${withSilentSink(port)}`);
      const child = startMillrace(["run", "project", "follow", "-q"], project.folder);
      const end = ended(child);
      await Promise.race([asked, end.then(({ stderr }) => assert.fail(stderr))]);
      child.kill("SIGTERM");
      const { code, stderr } = await end;
      assert.equal(code, 1);
      assert.match(stderr, /within 500ms of SIGTERM/);
    });
  });
});

Deno.test("an epoch that would stay open for a minute completes on SIGTERM, exit 0, and the next start has nothing to do twice", async () => {
  await inOperated(async (project) => {
    const slow = FOLLOW.replace('"50ms"', '"60s"').replace("records_max = 10", "records_max = 100000");
    await project.write("project/follow.toml", slow);
    const child = startMillrace(["run", "project", "follow", "-q"], project.folder);
    const end = ended(child);
    await untilThere(`${project.folder}/spent.sqlite`);
    await pause(700);
    child.kill("SIGTERM");
    const { code, stderr } = await end;
    assert.equal(code, 0, stderr);
    const first = idsOf(project);
    assert.ok(first.length > 0, "what was read was delivered");
    assert.equal((await project.follow()).code, 0);
    assert.deepEqual(idsOf(project), ALL);
  });
});

Deno.test("a deadline that is none is refused before anything runs", async () => {
  await inOperated(async (project) => {
    const { code, stderr } = await project.run("run", "project", "follow", "--stop-within", "soon");
    assert.equal(code, 2);
    assert.match(stderr, /--stop-within soon: not a duration/);
  });
});

async function untilThere(path: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await Deno.stat(path).catch(() => null)) return;
    await pause(50);
  }
  assert.fail(`${path} is not there`);
}
