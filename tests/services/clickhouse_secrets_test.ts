/** A ClickHouse password shows up in no output, no log and no file, whether all goes well or not. */
import assert from "node:assert/strict";
import { inTemporaryFolder } from "../golden/command_line.ts";
import { withServers } from "./mod.ts";
import { startMillrace } from "./processes.ts";

const PROJECT = `[connections.warehouse]
type     = "clickhouse"
url      = "\${CLICKHOUSE_URL}"
database = "\${DATABASE}"

[sources.payments]
type   = "csv"
path   = "\${FOLDER}/payments.csv"
fields = { id = "int" }

[sinks.table]
connection = "warehouse"
table      = "payments"
inputs     = ["payments"]
create     = true
`;

/** Every file below, in every encoding that a text may have; gives their number. */
function filesWithout(password: string, folder: string): number {
  let files = 0;
  for (const entry of Deno.readDirSync(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) files += filesWithout(password, path);
    else if (entry.isFile) {
      files++;
      const bytes = Deno.readFileSync(path);
      for (const encoding of ["latin1", "utf-16le"]) {
        const text = new TextDecoder(encoding).decode(bytes.subarray(0, bytes.length & ~1));
        assert.ok(!text.includes(password), path);
      }
    }
  }
  return files;
}

await withServers("a ClickHouse password shows up nowhere, whether all goes well or not", ["clickhouse"], async ({ clickhouse }) => {
  const { password } = clickhouse;
  const database = `millrace_secrets_${crypto.randomUUID().slice(0, 8)}`;
  const urlOf = (user: string, host = new URL(clickhouse.url).host) => `http://${user}:${password}@${host}`;
  try {
    await inTemporaryFolder(async (folder) => {
      await Deno.writeTextFile(`${folder}/payments.csv`, "id\n1\n2\n");
      await Deno.writeTextFile(`${folder}/project.toml`, PROJECT);
      const cases: readonly (readonly [words: readonly string[], url: string, wished: number | "waits"])[] = [
        [["check"], urlOf("millrace"), 0],
        [["check", "--connect", "--json"], urlOf("millrace"), 0],
        [["run"], urlOf("millrace"), 0],
        [["run", "--rerun"], urlOf("nobody"), 1],
        [["run", "--rerun"], urlOf("reader"), 1],
        [["check", "--connect"], urlOf("nobody"), 1],
        [["run", "--rerun"], urlOf("millrace", "127.0.0.1:1"), "waits"],
        [["check"], urlOf("millrace", "127.0.0.1:port"), 2],
      ];
      for (const [[command, ...flags], url, wished] of cases) {
        const env = { CLICKHOUSE_URL: url, DATABASE: database, FOLDER: folder, MILLRACE_LOG: "debug" };
        const set = command === "run" ? [`state=${folder}/state`] : [];
        const running = startMillrace([command, `${folder}/project.toml`, ...flags], { input: folder, output: folder, set, env });
        if (wished === "waits") {
          await running.says(/server_unreachable/);
          running.kill();
        }
        const { code, stdout, stderr } = await running.ended;
        const what = `${command} ${flags.join(" ")} as ${new URL(url.replace(":port", "")).username}`;
        assert.ok(!stdout.includes(password) && !stderr.includes(password), what);
        if (wished !== "waits") assert.equal(code, wished, `${what}: ${stderr}${stdout}`);
      }
      assert.ok(filesWithout(password, folder) > 3);
      assert.deepEqual(await clickhouse.rows("SELECT count() FROM payments", database), [["2"]]);
    });
  } finally {
    await clickhouse.admin(`DROP DATABASE IF EXISTS ${database}`);
  }
});
