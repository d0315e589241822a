/** Search: the newest rows, and beyond them what sinks have shown in files. */
import assert from "node:assert/strict";
import { withFolder, withMillrace } from "./millrace.ts";
import { until } from "./run.ts";

const ROWS = 20_000;
const HIDDEN_ACCOUNT = "9999000011112222333";

interface Answer {
  readonly found: readonly {
    readonly sink: string;
    readonly columns: readonly string[];
    readonly values: readonly string[];
    readonly epoch: number | null;
  }[];
  readonly searched: number;
  readonly files: { readonly files: number; readonly bytes: number; readonly isWhole: boolean } | null;
}

for (const format of ["csv", "ndjson"] as const) {
  Deno.test(`a record that the newest rows have forgotten is found in what the ${format} sink has shown, what is tagged hidden`, () =>
    withFolder(async (folder) => {
      const lines = Array.from({ length: ROWS }, (_, i) => `pay-${i},${HIDDEN_ACCOUNT},${i}.50,"a, ""quoted"" text"`);
      await Deno.writeTextFile(`${folder}/in.csv`, `id,account,amount,note\n${lines.join("\n")}\n`);
      await Deno.writeTextFile(
        `${folder}/copy.toml`,
        `kind = "stream"
[sources.payments]
type   = "csv"
path   = "${folder}/in.csv"
fields = { id = "string", account = { type = "string", tag = "pan" }, amount = "decimal(2)", note = "string" }
[transforms.judge]
type   = "map"
inputs = ["payments"]
set    = { verdict = "amount > 100.00 ? 'large' : 'small'" }
[sinks.out]
type   = "${format}"
inputs = ["judge"]
path   = "${folder}/out.${format}"
`,
      );
      await withMillrace(["stream", "-c", `${folder}/copy.toml`, "--stay"], {}, async ({ address }) => {
        const ask = async (words: string): Promise<Answer> =>
          await (await fetch(`http://${address}/api/search?q=${encodeURIComponent(words)}`)).json();
        await until("the file is shown", () => Deno.stat(`${folder}/out.${format}`).then(() => true, () => false), 30_000);
        const { found, searched, files } = await ask("pay-17");
        assert.ok(searched < ROWS, "the newest rows are not all of them");
        assert.equal(found.length, 1, "pay-170 is another one");
        const [{ columns, values, epoch }] = found;
        const row = Object.fromEntries(columns.map((column, i) => [column, values[i]]));
        assert.deepEqual(row, { id: "pay-17", account: "••••", amount: "17.50", note: 'a, "quoted" text', verdict: "small" });
        assert.equal(epoch, null);
        assert.equal(files?.isWhole, true);
        assert.equal(files?.bytes, (await Deno.stat(`${folder}/out.${format}`)).size);
        assert.deepEqual((await ask(HIDDEN_ACCOUNT)).found, [], "what is tagged cannot be searched for");
        assert.deepEqual((await ask("pay-no")).found, []);
      });
    }));
}
