/** A password that was planted shows up nowhere: outputs, logs, errors, state files, results. */
import assert from "node:assert/strict";
import { type CardsRun, inTemporaryFolder } from "../golden/command_line.ts";
import { cardsOnServers, edgesInput } from "./cards.ts";
import { withServers } from "./mod.ts";
import { startMillrace } from "./processes.ts";

/** With characters that a URL must encode, so that both forms are looked for. */
const PLANTED = "pl4nted:p@ss/w0rd%";
const USER = "planted_in_cards";
const FORMS = [PLANTED, encodeURIComponent(PLANTED), btoa(PLANTED), JSON.stringify(PLANTED).slice(1, -1)];

function assertHidden(text: string, where: string): void {
  for (const form of FORMS) assert.ok(!text.includes(form), `${where} shows the password:\n${text.slice(0, 2000)}`);
}

/** Every file below, however it is encoded; gives their number. */
function assertHiddenBelow(folder: string): number {
  let files = 0;
  for (const entry of Deno.readDirSync(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) files += assertHiddenBelow(path);
    else if (entry.isFile) {
      files++;
      const bytes = Deno.readFileSync(path);
      assertHidden(new TextDecoder("latin1").decode(bytes), path);
      assertHidden(new TextDecoder("utf-16le").decode(bytes.subarray(0, bytes.length & ~1)), path);
    }
  }
  return files;
}

/** Runs to the end, or for a while where it waits for a server; all that it said hides the password. */
async function saysNothing(words: readonly string[], run: CardsRun, wishedCode: number | "waits"): Promise<void> {
  const running = startMillrace(words, { ...run, env: { ...run.env, MILLRACE_LOG: "debug" } });
  if (wishedCode === "waits") {
    await running.says(/server_unreachable/);
    running.kill();
  }
  const { code, stdout, stderr } = await running.ended;
  assertHidden(stdout, `${words.join(" ")}, standard output`);
  assertHidden(stderr, `${words.join(" ")}, standard error`);
  if (wishedCode !== "waits") assert.equal(code, wishedCode, `${words.join(" ")}: ${stderr}${stdout}`);
}

await withServers("a MySQL password shows up nowhere, whether all goes well or not", ["kafka", "mysql"], async (servers) => {
  const { mysql } = servers;
  await mysql.admin(`CREATE USER '${USER}'@'%' IDENTIFIED BY '${PLANTED}'; GRANT ALL ON \`millrace%\`.* TO '${USER}'@'%'`);
  try {
    await cardsOnServers(servers, edgesInput(), async ({ run, output, database }) => {
      const server = new URL(mysql.url);
      const given = (user: string, host: string, name = database) => ({
        ...run,
        env: { ...run.env, MYSQL_URL: `mysql://${user}:${encodeURIComponent(PLANTED)}@${host}/${name}` },
      });
      const good = given(USER, server.host);
      await saysNothing(["check", "config/cards"], good, 0);
      await saysNothing(["check", "config/cards", "--connect", "--json"], good, 0);
      await saysNothing(["run", "config/cards"], good, 0);
      assert.ok(assertHiddenBelow(output) > 10);

      const elsewhere = `${output}/elsewhere`;
      await saysNothing(["load", "initial", "-c", "config/cards"], { ...given("nobody", server.host), output: elsewhere }, 1);
      await saysNothing(["load", "initial", "-c", "config/cards"], { ...given(USER, server.host, "mysql"), output: elsewhere }, 1);
      await saysNothing(["load", "initial", "-c", "config/cards"], { ...given(USER, "127.0.0.1:1"), output: elsewhere }, "waits");
      await saysNothing(["check", "config/cards", "--connect"], given("nobody", server.host), 1);
      await saysNothing(["check", "config/cards"], given(USER, "127.0.0.1:port"), 2);
      assertHiddenBelow(output);
    });
  } finally {
    await mysql.admin(`DROP USER '${USER}'@'%'`);
  }
});

const SASL_PROJECT = `[sources.payments]
type   = "csv"
path   = "\${FOLDER}/payments.csv"
fields = { id = "int" }

[connections.bus]
type    = "kafka"
brokers = "\${KAFKA_BROKERS}"
sasl    = { mechanism = "\${MECHANISM}", username = "u", password = "\${PASSWORD}" }

[sinks.topic]
connection = "bus"
topic      = "payments"
inputs     = ["payments"]
create     = { partitions = 1 }
`;
await withServers("a SASL password shows up nowhere when the broker takes none", ["kafka"], async ({ kafka }) => {
  await inTemporaryFolder(async (folder) => {
    Deno.writeTextFileSync(`${folder}/payments.csv`, "id\n1\n");
    Deno.writeTextFileSync(`${folder}/project.toml`, SASL_PROJECT);
    for (const mechanism of ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]) {
      const env = { FOLDER: folder, KAFKA_BROKERS: kafka.brokers, MECHANISM: mechanism, PASSWORD: PLANTED };
      const words = ["run", `${folder}/project.toml`, "--set", `state=${folder}/state`];
      await saysNothing(words, { input: folder, output: folder, env }, 1);
      await saysNothing(["check", `${folder}/project.toml`, "--connect"], { input: folder, output: folder, env }, 1);
    }
    assert.ok(assertHiddenBelow(folder) > 0);
  });
});
