/** A lost or old checkpoint before sinks that need no server; those of servers stand in tests/services. */
import { DatabaseSync } from "node:sqlite";
import { checkpointIsLost, checkpointIsOld, type LosingSink } from "../support/lost_checkpoint.ts";
import { readTopicIds } from "../support/topic_ids.ts";

const lines = async (path: string): Promise<string[]> => {
  const text = await Deno.readTextFile(path).catch(() => "");
  return text.split("\n").filter((line) => line !== "");
};

async function idsBelow(folder: string): Promise<number[]> {
  const ids: number[] = [];
  const files: string[] = [];
  try {
    for await (const { name, isFile } of Deno.readDir(folder)) if (isFile && name.endsWith(".ndjson")) files.push(`${folder}/${name}`);
  } catch {
    return ids; // Nothing was shown yet.
  }
  for (const file of files.sort()) for (const line of await lines(file)) ids.push(JSON.parse(line).id);
  return ids;
}

function idsInTable(path: string): number[] {
  const database = new DatabaseSync(path);
  try {
    return database.prepare("SELECT id FROM payments ORDER BY rowid").all().map(({ id }) => Number(id));
  } finally {
    database.close();
  }
}

const database = '[connections.target]\ntype = "sqlite"\npath = "{folder}/bank.sqlite"\n';
const table = (settings: string): LosingSink => ({
  connection: database,
  sink: `connection = "target"\ntable = "payments"\ncreate = true\n${settings}`,
  ids: (folder) => Promise.resolve(idsInTable(`${folder}/bank.sqlite`)),
  anew: "once",
});
const SINKS: Readonly<Record<string, LosingSink>> = {
  "csv, one file": {
    sink: 'type = "csv"\npath = "{folder}/out.csv"\npublish = "one_file"\n',
    ids: async (folder) => (await lines(`${folder}/out.csv`)).slice(1).map((line) => Number(line.split(",")[0])),
    anew: "once",
  },
  "ndjson, parts": {
    sink: 'type = "ndjson"\npath = "{folder}/out"\npublish = "parts"\n',
    ids: (folder) => idsBelow(`${folder}/out`),
    anew: "once",
  },
  "log": {
    connection: '[connections.target]\ntype = "log"\npath = "{folder}/log"\n',
    sink: 'connection = "target"\ntopic = "payments"\ncreate = { partitions = 2 }\nkey = "id"\n',
    ids: (folder) => readTopicIds(`${folder}/log`, "payments"),
    anew: "once",
  },
  "sqlite, append": table('mode = "append"\n'),
  "sqlite, upsert": table('mode = "upsert"\nkey = ["id"]\n'),
  "sqlite, replace": table('mode = "replace"\n'),
};

for (const [name, sink] of Object.entries(SINKS)) {
  Deno.test(`${name}: a lost checkpoint is noticed, and each choice does what it says`, () => checkpointIsLost(() => sink));
  Deno.test(`${name}: an old checkpoint is noticed, and each choice does what it says`, () => checkpointIsOld(() => sink));
}

Deno.test("sqlite, append to a table that is not the sink's to empty: starting over is refused as it was said", async () => {
  const own: LosingSink = { ...table(""), anew: "refused" };
  const made = (): LosingSink => ({ ...own, sink: 'connection = "target"\ntable = "payments"\nmode = "append"\n', beforeFirst: makeTable });
  await checkpointIsLost(made);
});

function makeTable(folder: string): Promise<void> {
  const database = new DatabaseSync(`${folder}/bank.sqlite`);
  database.exec("CREATE TABLE payments (id INTEGER NOT NULL, amount TEXT NOT NULL)");
  database.close();
  return Promise.resolve();
}
