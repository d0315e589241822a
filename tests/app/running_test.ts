/** Running as a user does, with bad luck: a second owner, signals, changed inputs, a full disk, checks that fail. */
import assert from "node:assert/strict";
import { type Clone, freshClone, runMillrace, startMillrace } from "../support/clone.ts";

const PIPELINE = `[sources.payments]
type   = "csv"
path   = "payments.csv"
fields = { id = "int", amount = "decimal(2)" }

[sinks.copy]
type   = "csv"
inputs = ["payments"]
path   = "out/copy.csv"

[checks.small]
totals = [{ name = "total", node = "payments", value = "sum(amount)" }]
that   = "total < 1000.00"
else   = "fail"
`;
const FOLLOWER = `kind = "stream"

[connections.bus]
use      = "embedded"
embedded = { type = "log", path = "log" }

[sources.events]
connection = "bus"
topic      = "events"
fields     = { id = "int" }
until      = "never"

[sinks.copy]
type   = "ndjson"
inputs = ["events"]
path   = "out/events"
`;

async function withClone(files: Readonly<Record<string, string>>, body: (clone: Clone) => Promise<void>): Promise<void> {
  const clone = await freshClone();
  try {
    for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(`${clone.folder}/${name}`, text);
    await body(clone);
  } finally {
    await clone.remove();
  }
}
const rows = (count: number): string => "id,amount\n" + Array.from({ length: count }, (_, i) => `${i + 1},1.00\n`).join("");
const exists = (path: string): Promise<boolean> => Deno.stat(path).then(() => true, () => false);

Deno.test("a failing check publishes nothing and says what it saw", () =>
  withClone({ "p.toml": PIPELINE, "payments.csv": "id,amount\n1,999.99\n2,0.01\n" }, async ({ folder }) => {
    const { code, stderr } = await runMillrace(["run", "p.toml", "-q"], folder);
    assert.equal(code, 1);
    assert.match(stderr, /error\[check_failed\]: check "small" of pipeline "p" failed: total < 1000.00 with total 1000.00/);
    assert.equal(await exists(`${folder}/out/copy.csv`), false);
  }));

Deno.test("a changed input makes a finished run begin anew", () =>
  withClone({ "p.toml": PIPELINE, "payments.csv": rows(3) }, async ({ folder }) => {
    assert.equal((await runMillrace(["run", "p.toml", "-q"], folder)).code, 0);
    await Deno.writeTextFile(`${folder}/payments.csv`, rows(4));
    assert.equal((await runMillrace(["run", "p.toml", "-q"], folder)).code, 0);
    assert.equal(await Deno.readTextFile(`${folder}/out/copy.csv`), rows(4));
  }));

Deno.test("a second process is told who owns the pipeline, exit code 3; SIGTERM ends the first one with 0", () =>
  withClone({ "f.toml": FOLLOWER }, async ({ folder }) => {
    const first = startMillrace(["run", "f.toml"], folder);
    const lock = `${folder}/.millrace/f/owner.lock`;
    for (let tries = 0; !(await exists(lock)) && tries < 100; tries++) await new Promise((resolve) => setTimeout(resolve, 50));
    await new Promise((resolve) => setTimeout(resolve, 200));
    const second = await runMillrace(["run", "f.toml"], folder);
    assert.equal(second.code, 3, second.output);
    assert.match(second.stderr, /error\[owned\]: pipeline "f" is already running in another process/);
    first.kill("SIGTERM");
    assert.equal((await first.status).code, 0);
  }));

Deno.test("SIGINT ends with 130", () =>
  withClone({ "f.toml": FOLLOWER }, async ({ folder }) => {
    const child = startMillrace(["run", "f.toml"], folder);
    const lock = `${folder}/.millrace/f/owner.lock`;
    for (let tries = 0; !(await exists(lock)) && tries < 100; tries++) await new Promise((resolve) => setTimeout(resolve, 50));
    await new Promise((resolve) => setTimeout(resolve, 200));
    child.kill("SIGINT");
    assert.equal((await child.status).code, 130);
  }));

Deno.test("an output folder that cannot be written is an error with its path, and nothing is lost", () =>
  withClone({ "p.toml": PIPELINE, "payments.csv": rows(3) }, async ({ folder }) => {
    await Deno.writeTextFile(`${folder}/out`, "a file where a folder should be");
    const failed = await runMillrace(["run", "p.toml", "-q"], folder);
    assert.equal(failed.code, 1);
    assert.match(failed.stderr, /^error\[\w+\]: .*out/);
    await Deno.remove(`${folder}/out`);
    assert.equal((await runMillrace(["run", "p.toml", "-q"], folder)).code, 0);
    assert.equal(await Deno.readTextFile(`${folder}/out/copy.csv`), rows(3));
  }));

Deno.test("output whose reader has gone does not fail the run", () =>
  withClone({ "p.toml": PIPELINE, "payments.csv": rows(3) }, async ({ folder }) => {
    const child = startMillrace(["run", "p.toml", "--json"], folder);
    await child.stdout.cancel();
    assert.equal((await child.status).code, 0);
  }));
