/** Rows through the form that they have between two stages: what goes in comes out, however the records lie and are cut. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { exchangeEncoder, tellTime } from "../../src/connectors/exchange/exchange_encoder.ts";
import { exchangeForm } from "../../src/connectors/exchange/exchange_form.ts";
import { exchangeRows } from "../../src/connectors/exchange/exchange_rows.ts";
import type { KeyedRows } from "../../src/connectors/key_partitioner.ts";
import type { Batch } from "../../src/data/batch.ts";
import { createWriter } from "../../src/data/bytes.ts";
import type { Records } from "../../src/data/codec.ts";
import { cell, columnOf, makeMeta } from "../../src/data/columns.ts";
import { BOOL, DATE, decimalOf, DOUBLE, INT, listOf, type RecordType, STRING, TIMESTAMP, withNull } from "../../src/data/types.ts";
import type { LaneTime } from "../../src/engine/contracts.ts";
import { lineWrapper } from "../data/support.ts";

const TYPE: RecordType = {
  fields: [
    { name: "id", type: INT },
    { name: "account", type: withNull(STRING) },
    { name: "left_behind", type: STRING },
    { name: "amount", type: decimalOf(2) },
    { name: "score", type: withNull(DOUBLE) },
    { name: "good", type: BOOL },
    { name: "at", type: TIMESTAMP, format: "yyyy-MM-dd" },
    { name: "since", type: withNull(TIMESTAMP) },
    { name: "day", type: DATE },
    { name: "tags", type: listOf(STRING) },
    {
      name: "place",
      type: {
        kind: "struct",
        nullable: true,
        fields: [{ name: "seen", type: TIMESTAMP, format: "yyyy" }, { name: "n", type: withNull(INT) }],
      },
    },
    { name: "any", type: { kind: "json", nullable: true } },
  ],
};
const CARRIED = new Set(TYPE.fields.map(({ name }) => name).filter((name) => name !== "left_behind"));
const MICROS = { min: -8_000_000_000_000_000, max: 8_000_000_000_000_000 };
const text = fc.string({ unit: "binary", maxLength: 12 }).filter((one) => one.isWellFormed());
const orNull = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: null });
const ROW = fc.tuple(
  fc.maxSafeInteger(),
  orNull(text),
  text,
  fc.maxSafeInteger(),
  orNull(fc.double({ noNaN: true, noDefaultInfinity: true }).map((one) => one === 0 ? 0 : one)),
  fc.boolean(),
  fc.integer(MICROS),
  orNull(fc.integer(MICROS)),
  fc.integer({ min: -100_000, max: 100_000 }),
  fc.array(text, { maxLength: 3 }),
  orNull(fc.record({ seen: fc.integer(MICROS), n: orNull(fc.integer()) })),
  orNull(fc.jsonValue({ maxDepth: 1 }).map((one) => JSON.parse(JSON.stringify(one)) as unknown)),
);
const BATCH = fc.record({
  rows: fc.array(ROW, { minLength: 1, maxLength: 6 }),
  source: fc.constantFrom("payments", 'odd","@partition":7', "ü"),
  partition: fc.nat(12),
  first: fc.nat(1 << 20),
  deleted: fc.boolean(),
});
const TOLD: fc.Arbitrary<Pick<LaneTime, "watermark" | "idle">> = fc.record({
  watermark: fc.oneof(fc.integer(MICROS), fc.constantFrom(-Infinity, Infinity)),
  idle: fc.boolean(),
}).map(({ watermark, idle }) => ({ watermark, idle: idle && watermark !== Infinity }));
type Piece = { readonly batch: typeof BATCH extends fc.Arbitrary<infer B> ? B : never } | {
  readonly told: Pick<LaneTime, "watermark" | "idle">;
};

/** Records of one partition, one behind the other. */
class Written implements KeyedRows {
  readonly #into = createWriter(1024);
  readonly #ends: number[] = [];
  readonly #lines = lineWrapper(this.#ends);
  constructor(private readonly encode: ReturnType<typeof exchangeEncoder>) {}
  append(batch: Batch, rows: Int32Array, from: number, to: number): void {
    assert.equal(this.encode(batch, rows, from, to, this.#into, this.#lines, Infinity), to);
  }
  records(): Records {
    const start = Int32Array.from(this.#ends, (_, row) => row === 0 ? 0 : this.#ends[row - 1] + 1);
    return { bytes: this.#into.bytes, start, end: Int32Array.from(this.#ends), rows: this.#ends.length };
  }
}

function batchOf({ rows, source, partition, first, deleted }: typeof BATCH extends fc.Arbitrary<infer B> ? B : never): Batch {
  const columns = TYPE.fields.map(({ type }, i) => columnOf(type, rows.map((row) => row[i])));
  const place = (by: number) => Float64Array.from(rows, (_, row) => first + row * by);
  const meta = makeMeta(source, partition, place(1), place(3));
  return {
    rows: rows.length,
    type: TYPE,
    columns,
    meta: { ...meta, time: place(1000), deleted: deleted ? new Uint8Array(rows.length).fill(1) : null },
  };
}

/** Everything of a row that has to come through, as text. */
function rowsOf({ rows, columns, meta }: Batch): string[] {
  return Array.from({ length: rows }, (_, row) => {
    const values = TYPE.fields.map(({ name, type }, i) => {
      const column = columns[i];
      return CARRIED.has(name) && column ? cell(column, type, row) : "behind";
    });
    const { source, partition, position, origin, time, deleted } = meta;
    return JSON.stringify([source, partition, position[row], origin[row], time![row], deleted?.[row] === 1, values]);
  });
}
const toldText = ({ lane, lanes, watermark, idle }: LaneTime): string => `lane ${lane} of ${lanes}: ${watermark}${idle ? ", idle" : ""}`;

Deno.test("rows and what lanes tell come out as they went in, in their order, in pieces of any size", () => {
  const pieces: fc.Arbitrary<Piece[]> = fc.array(fc.oneof(BATCH.map((batch) => ({ batch })), TOLD.map((told) => ({ told }))), {
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(
    fc.property(pieces, fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 }), (pieces, cuts) => {
      const form = exchangeForm(TYPE, CARRIED, true);
      const written = new Written(exchangeEncoder(form));
      const wished: string[] = [];
      for (const piece of pieces) {
        if ("told" in piece) {
          tellTime(piece.told, { lane: 2, lanes: 3 }, [written]);
          wished.push(toldText({ lane: 2, lanes: 3, ...piece.told }));
          continue;
        }
        const batch = batchOf(piece.batch);
        written.append(batch, Int32Array.from({ length: batch.rows }, (_, row) => row), 0, batch.rows);
        wished.push(...rowsOf(batch));
      }
      assert.deepEqual(readInPieces(written.records(), cuts, exchangeRows(form, "node")), wished);
    }),
    { seed: 7, numRuns: 400 },
  );
});

function readInPieces({ bytes, start, end, rows }: Records, cuts: readonly number[], maker: ReturnType<typeof exchangeRows>): string[] {
  const seen: string[] = [];
  for (let at = 0, turn = 0; at < rows; turn++) {
    const to = Math.min(rows, at + cuts[turn % cuts.length]);
    const offsets = Float64Array.from({ length: to - at }, (_, row) => at + row);
    const records = { bytes, start: start.subarray(at, to), end: end.subarray(at, to), rows: to - at };
    const { batch, rejected, taken, read, told = [] } = maker.make({ records, position: offsets, origin: offsets, tooLong: [] });
    assert.deepEqual([rejected, read, taken >= 1], [[], batch.rows, true]);
    seen.push(...rowsOf(batch), ...told.map(toldText));
    at += taken;
  }
  return seen;
}

Deno.test("what no lane wrote is an error that shows it, and is not passed over", () => {
  const bytes = new TextEncoder().encode(`{"id":1,"account":"a"}`);
  const records = { bytes, start: Int32Array.of(0), end: Int32Array.of(bytes.length), rows: 1 };
  const maker = exchangeRows(exchangeForm(TYPE, CARRIED, true), "by_account");
  const offsets = Float64Array.of(0);
  assert.throws(
    () => maker.make({ records, position: offsets, origin: offsets, tooLong: [] }),
    /the topic behind "by_account" holds a record that no lane of the pipeline wrote: {"id":1/,
  );
});
