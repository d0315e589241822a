/** Files that appear as the run goes on, in a folder or in an object store, and one file at its end; read as bytes, and by signed requests. */
import { AwsV4Signer } from "aws4fetch";
import { lackingS3, type S3Server, s3Server } from "../../services/s3_server.ts";
import { PARTITIONS, type Row, rowOf } from "../ledger.ts";
import type { OpenTarget, Place } from "../target.ts";

const ROLL_BYTES = 4096;
/** What an open file of each lane may hold, and the epoch that closes it; a row has more than 60 bytes. */
const HELD_BACK_ROWS = PARTITIONS * (ROLL_BYTES / 60 + 20);

/** Replicas show what is open when its time has come, and not when they are stopped: the others go on with it. */
const ROLL_EVERY = { bounded: "1h", endless: "500ms" } as const;
type Input = keyof typeof ROLL_EVERY;

const parts = (path: string, connection: string, input: Input): string =>
  `[sinks.parts]
type    = "ndjson"
inputs  = ["balances"]
path    = "${path}"
publish = "parts"
roll    = { size = "${ROLL_BYTES / 1024}KiB", every = "${ROLL_EVERY[input]}" }
${connection}`;

const jsonRows = (text: string): Row[] =>
  text.split("\n").filter((line) => line !== "").map((line) => {
    const { id, account, amount, balance, count } = JSON.parse(line);
    return rowOf([id, account, amount, balance, count]);
  });

/** "bounded": also one file, which appears when the input has ended. */
export function filesTarget(input: Input): OpenTarget {
  return () =>
    Promise.resolve({
      name: "files",
      heldBackMax: HELD_BACK_ROWS,
      place: (folder) => Promise.resolve(filesPlace(folder, input)),
    });
}

function filesPlace(folder: string, input: Input): Place {
  const read = () => {
    const names = [...entriesOf(`${folder}/parts`)].filter((name) => name.endsWith(".ndjson"));
    return Promise.resolve(names.flatMap((name) => jsonRows(Deno.readTextFileSync(`${folder}/parts/${name}`))));
  };
  const csv = () => {
    const [, ...lines] = Deno.readTextFileSync(`${folder}/payments.csv`).trimEnd().split("\n");
    return Promise.resolve(lines.map((line) => rowOf(line.split(","))));
  };
  const oneFile = `
[sinks.file]
type     = "csv"
inputs   = ["balances"]
path     = "${folder}/payments.csv"
order_by = ["id"]
`;
  return {
    toml: parts(`${folder}/parts`, "", input) + (input === "bounded" ? oneFile : ""),
    env: {},
    shelves: [
      { sink: "parts", content: "all", rows: read },
      ...(input === "bounded" ? [{ sink: "file", content: "all", rows: csv } as const] : []),
    ],
    visible: async () => (await read()).length,
    remove: () => Promise.resolve(),
  };
}

function* entriesOf(folder: string): Generator<string> {
  try {
    for (const { name, isFile } of Deno.readDirSync(folder)) if (isFile) yield name;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

export const s3Target = (input: Input): OpenTarget => async () => {
  const skipped = await lackingS3();
  if (skipped !== null) return { skipped };
  const store = await s3Server();
  if ("skipped" in store) return store;
  return {
    name: "s3",
    heldBackMax: HELD_BACK_ROWS,
    place: async () => {
      const bucket = await store.bucket();
      const read = async () => {
        const keys = (await listed(store, bucket)).filter((key) => !key.includes("/_") && key.endsWith(".ndjson"));
        const texts = await Promise.all(keys.map((key) => asked(store, `${bucket}/${key}`)));
        return texts.flatMap(jsonRows);
      };
      return {
        toml: `[connections.target]
type              = "s3"
endpoint          = "${store.endpoint}"
access_key_id     = "${store.accessKey}"
secret_access_key = "\${TARGET_SECRET}"

${parts(`s3://${bucket}/lake`, 'connection = "target"\n', input)}`,
        env: { TARGET_SECRET: store.secretKey },
        shelves: [{ sink: "parts", content: "all", rows: read }],
        visible: async () => (await read()).length,
        remove: () => Deno.remove(store.folderOf(bucket), { recursive: true }),
      };
    },
  };
};

async function listed(store: S3Server, bucket: string): Promise<string[]> {
  const keys: string[] = [];
  for (let after = "";;) {
    const page = await asked(store, `${bucket}?list-type=2&prefix=lake%2F&start-after=${encodeURIComponent(after)}`);
    const found = [...page.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key]) => key);
    keys.push(...found);
    if (found.length === 0 || !page.includes("<IsTruncated>true</IsTruncated>")) return keys;
    after = found.at(-1)!;
  }
}

/** A GET by other means than the product's client. */
async function asked({ endpoint, accessKey: accessKeyId, secretKey: secretAccessKey }: S3Server, path: string): Promise<string> {
  const signer = new AwsV4Signer({ url: `${endpoint}/${path}`, accessKeyId, secretAccessKey, service: "s3", region: "us-east-1" });
  const { url, method, headers } = await signer.sign();
  const response = await fetch(url, { method, headers });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text.slice(0, 300)}`);
  return text;
}
