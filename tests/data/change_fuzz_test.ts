/**
 * Changes of every form, whole and damaged, made from one number: the compiled decoder gives what the rules give one record at a time, in
 * every way that deletes can be taken.
 */
import assert from "node:assert/strict";
import type { ChangeRules } from "../../src/data/codec.ts";
import { compileJsonDecoder } from "../../src/data/json/mod.ts";
import { type RecordType, STRING, withNull } from "../../src/data/types.ts";
import { byRules } from "./change_rules.ts";
import { damaged, Dice, HELD, record, sameColumn, type Style, style } from "./json_fuzz.ts";
import { EVERYTHING, recordsOf, specOf } from "./support.ts";

const RECORDS = 60_000;
const BATCH_RECORDS = 200;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A table whose columns have the names that envelopes have. */
const MISLEADING: RecordType = {
  fields: [
    { name: "op", type: withNull(STRING) },
    { name: "after", type: withNull(STRING) },
    { name: "payload", type: withNull(STRING) },
    { name: "id", type: STRING },
  ],
};
const OWN_FLAG: RecordType = { fields: [...HELD.fields, { name: "__deleted", type: withNull(STRING) }] };

/** `more`: members of every row that no field has. */
function change(written: Style, more: string, dice: Dice): Uint8Array | string {
  const row = (): string => {
    const made = decoder.decode(record(written, dice));
    const text = more !== "" && made.startsWith("{") && made !== "{}" ? `{${more},${made.slice(1)}` : made;
    const flag = dice.pick(['"false"', '"false"', '"false"', '"true"', "false", "true", "null", '"maybe"', "1"]);
    return dice.once(3) || !text.endsWith("}") ? text : `${text.slice(0, -1)}${text === "{}" ? "" : ","}"__deleted":${flag}}`;
  };
  const side = (): string => dice.once(8) ? dice.pick(["null", "7", '"row"', "[]"]) : row();
  const envelope = (): string => {
    const members = [`"op":"${dice.pick(["c", "r", "u", "d", "c", "u", "t", "cc"])}"`, `"before":${side()}`, `"after":${side()}`];
    if (dice.once(2)) members.push(`"source":{"table":"t","nested":{"a":[1,{"b":null}]}}`, '"ts_ms":5');
    if (dice.once(6)) members.splice(dice.below(members.length), 1);
    if (dice.once(40)) members.push(dice.pick(members));
    if (dice.once(40)) members[0] = members[0].replace("op", "\\u006fp");
    if (dice.once(40)) members[0] = '"op":1';
    if (dice.once(2)) members.reverse();
    return `{${members.join(dice.once(5) ? " , " : ",")}}`;
  };
  const inner = (): string => dice.once(2) ? row() : envelope();
  const text = dice.pick([
    row,
    row,
    envelope,
    envelope,
    () => `{"schema":{"fields":[]},"payload":${dice.once(8) ? "null" : inner()}}`,
    () => "null",
    () => "",
  ])();
  return dice.once(12) && text !== "" ? damaged(encoder.encode(text), dice) : text;
}
const KEYS = ['{"id":"k"}', '"k"', "k", "{}", '{"schema":null,"payload":{"id":"k"}}', '{"id":7}', "", null];

Deno.test("the compiled decoder agrees with the rules on sixty thousand changes, whole and damaged, however deletes are taken", () => {
  const dice = new Dice(7);
  const rules: ChangeRules[] = [{ deletes: "drop", key: null }, { deletes: "pass", key: "id" }, { deletes: "pass", key: null }];
  const tried = [HELD, MISLEADING, OWN_FLAG, EVERYTHING].flatMap((type) =>
    rules.flatMap((changes) => {
      const whole = specOf(type, { changes });
      const part = specOf(type, { changes, needed: new Set(type.fields.slice(-2).map((field) => field.name)), unknownFields: "reject" });
      return [whole, part].map((spec) => ({ spec, fast: compileJsonDecoder(spec), slow: byRules(spec, changes), type }));
    })
  );
  const seen = { accepted: 0, rejected: 0, passed: 0, dropped: 0 };
  for (let round = 0; round * BATCH_RECORDS < RECORDS; round++) {
    const { fast, slow, type } = tried[round % tried.length];
    const written = style(type, dice);
    // Within an envelope such a row is a row; alone it is taken for an envelope.
    const more = dice.once(4) ? '"op":"c","after":{"id":"x"}' : "";
    const records = recordsOf(Array.from({ length: BATCH_RECORDS }, () => change(written, more, dice)), dice.pick(["\n", "", '"', "}0"]));
    const keys = Array.from({ length: BATCH_RECORDS }, () => dice.pick(KEYS));
    const keyOf = (row: number) => keys[row] === null ? null : encoder.encode(keys[row]);
    const [a, b] = [fast({ ...records, keyOf }), slow({ ...records, keyOf })];
    assert.deepEqual(a.bad, b.bad);
    const isBad = new Set(a.bad.map(({ row }) => row));
    const good = new Uint8Array(BATCH_RECORDS);
    for (let row = 0; row < BATCH_RECORDS; row++) {
      if (isBad.has(row)) continue;
      const marks = [a.deleted?.[row] ?? 0, b.deleted?.[row] ?? 0];
      assert.equal(marks[0], marks[1], `${round}: ${decoder.decode(records.bytes.subarray(records.start[row], records.end[row]))}`);
      // What a delete does not tell means nothing.
      good[row] = marks[0] === 0 ? 1 : 0;
      if (marks[0] === 1) seen.passed++;
      else if (marks[0] === 2) seen.dropped++;
      else seen.accepted++;
    }
    seen.rejected += a.bad.length;
    for (const [i, column] of a.columns.entries()) sameColumn(column, b.columns[i], good);
  }
  for (const [what, count] of Object.entries(seen)) assert.ok(count > RECORDS / 50, `${what}: ${count}`);
});
