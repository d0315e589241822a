/** The reader of pgoutput's messages, on what a real server said and on damaged copies of it. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { Buffer } from "node:buffer";
import { type ChangeListener, PgOutput, type Tuple, VALUE } from "../../../src/connectors/postgres/changes/pgoutput.ts";
import { lsnText, parseLsn } from "../../../src/connectors/postgres/changes/lsn.ts";
import { MillraceError } from "../../../src/data/fault.ts";
import messages from "./support/messages.json" with { type: "json" };

const recorded: readonly Uint8Array[] = messages.map((hex) => new Uint8Array(Buffer.from(hex, "hex")));

/** What is told, a line each. */
class Teller implements ChangeListener {
  readonly lines: string[] = [];
  begin(commitLsn: number): void {
    this.lines.push(`begin ${lsnText(commitLsn)}`);
  }
  commit(endLsn: number): void {
    this.lines.push(`commit ${lsnText(endLsn)}`);
  }
  relation({ schema, table, identity, columns }: Parameters<ChangeListener["relation"]>[0]): void {
    this.lines.push(`${schema}.${table} ${identity} ${columns.map(({ name, typeOid, isKey }) => `${name}:${typeOid}${isKey ? "*" : ""}`)}`);
  }
  insert(_: number, row: Tuple): void {
    this.lines.push(`+ ${textOf(row)}`);
  }
  update(_: number, old: string, before: Tuple, row: Tuple): void {
    this.lines.push(`~ ${old === "none" ? "" : `${old} ${textOf(before)} `}${textOf(row)}`);
  }
  delete(_: number, old: string, before: Tuple): void {
    this.lines.push(`- ${old} ${textOf(before)}`);
  }
  truncate(relations: readonly number[]): void {
    this.lines.push(`truncate ${relations.length}`);
  }
}
function textOf({ count, kind, start, end, bytes }: Tuple): string {
  const values = Array.from({ length: count }, (_, i) => {
    if (kind[i] !== VALUE.text) return kind[i] === VALUE.null ? "null" : "unchanged";
    const text = new TextDecoder().decode(bytes.subarray(start[i], end[i]));
    return text.length > 40 ? `${text.length} characters` : text;
  });
  return `(${values.join("|")})`;
}
function tell(all: readonly Uint8Array[]): string[] {
  const teller = new Teller();
  const reader = new PgOutput(teller);
  for (const bytes of all) reader.read(bytes, 0, bytes.length);
  return teller.lines;
}

Deno.test("pgoutput: a server's messages are read as what was done", () => {
  const items = "public.items d id:23*,name:25,amount:1700";
  assert.deepEqual(tell(recorded).filter((line) => !/^(begin|commit)/.test(line)), [
    items,
    "+ (1|one|1.50)",
    "+ (2|null|null)",
    "+ (3|3200 characters|3.00)",
    "~ (3|unchanged|2.00)",
    "~ key (2|null|null) (30|null|null)",
    "- key (1|null|null)",
    'public.Fully "quoted" f id:23*,at:1184*',
    "+ (1|2025-01-02 03:04:05.5+00)",
    "~ full (1|2025-01-02 03:04:05.5+00) (2|2025-01-02 03:04:05.5+00)",
    "- full (2|2025-01-02 03:04:05.5+00)",
    "public.moods d id:23*,how:16398",
    "+ (1|sad)",
    items,
    "public.moods d id:23*,how:16398",
    "truncate 2",
    "public.items d id:23*,name:25,amount:1700,more:23",
    "+ (4|four|4.00|44)",
  ]);
});

Deno.test("pgoutput: commits end behind where they stand, and each begins behind the end of the one before", () => {
  const places = tell(recorded).flatMap((line) => /^(?:begin|commit) (.*)/.exec(line)?.[1] ?? []).map(parseLsn);
  assert.equal(places.length, 12);
  assert.deepEqual(places, places.toSorted((a, b) => a - b));
});

Deno.test("pgoutput: a message inside a larger buffer is read as one alone", () => {
  for (const bytes of recorded) {
    const larger = new Uint8Array(bytes.length + 40).fill(0x74);
    larger.set(bytes, 17);
    const teller = new Teller();
    new PgOutput(teller).read(larger.subarray(7), 10, 10 + bytes.length);
    assert.deepEqual(teller.lines, tell([bytes]));
  }
});

Deno.test("pgoutput: a message that is cut short anywhere is refused, or tells less of what is not read", () => {
  for (const bytes of recorded) {
    const [whole] = tell([bytes]);
    for (let length = 0; length < bytes.length; length++) {
      const told = codeOf(bytes.subarray(0, length));
      if (typeof told === "string") assert.equal(told, "changes_malformed");
      // A commit's time and the like are not read.
      else assert.deepEqual(told, whole === undefined ? [] : [whole]);
    }
  }
});

Deno.test("pgoutput: damaged messages are refused by their code, or read as something else; nothing else happens", () => {
  const damage = fc.record({
    message: fc.nat(recorded.length - 1),
    flips: fc.array(fc.record({ at: fc.nat(4000), to: fc.nat(255) }), { minLength: 1, maxLength: 4 }),
    cut: fc.option(fc.nat(4000)),
  });
  let refused = 0;
  fc.assert(
    fc.property(damage, ({ message, flips, cut }) => {
      const bytes = recorded[message].slice(0, cut ?? undefined);
      for (const { at, to } of flips) if (bytes.length > 0) bytes[at % bytes.length] = to;
      if (codeOf(bytes) === "changes_malformed") refused++;
    }),
    { seed: 11, numRuns: 20_000 },
  );
  assert.ok(refused > 1000, `${refused} were refused`);
});

/** What is told, or the code of what was thrown; anything else that is thrown goes on. */
function codeOf(bytes: Uint8Array): string | string[] {
  try {
    return tell([bytes]);
  } catch (error) {
    if (error instanceof MillraceError) return error.code;
    throw error;
  }
}
