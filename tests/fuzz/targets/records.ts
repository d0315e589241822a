/** Lines of JSON, CSV and change events: what is cut from bytes, and what becomes of each record, by the compiled decoders and by the rules. */
import assert from "node:assert/strict";
import type { ChangeRules, Decoded, Decoder, DecoderSpec, Records } from "../../../src/data/codec.ts";
import { compileCsvDecoder, readCsvHeader, splitCsv } from "../../../src/data/csv/mod.ts";
import { compileSlowCsv } from "../../../src/data/csv/slow.ts";
import { asWritten } from "../../../src/data/epoch_format.ts";
import { MillraceError } from "../../../src/data/fault.ts";
import { compileJsonDecoder, splitLines } from "../../../src/data/json/mod.ts";
import { compileSlowJson } from "../../../src/data/json/slow.ts";
import { byRules } from "../../data/change_rules.ts";
import { type Dice, HELD, sameColumn } from "../../data/json_fuzz.ts";
import { EVERYTHING, slowDecoder, specOf, TRANSACTION } from "../../data/support.ts";
import type { Account, Target } from "../harness.ts";
import { bytesOf, type Material, mutated } from "../mutate.ts";

const RECORD_BYTES_MAX = 4_000;
const REASON = /^(?:json|csv|type|scale|range|one_of|missing|unknown)(?::|$)/;

type Splitter = typeof splitLines;
/** Cuts the bytes; what is cut at any place gives the same records. */
function cut(split: Splitter, bytes: Uint8Array, from: number, dice: Dice): Records {
  const whole = split(bytes, from, bytes.length, "end", RECORD_BYTES_MAX);
  const place = from + dice.below(bytes.length - from + 1);
  const first = split(bytes, from, place, "more", RECORD_BYTES_MAX);
  assert.ok(from + first.consumed <= place);
  const second = split(bytes, from + first.consumed, bytes.length, "end", RECORD_BYTES_MAX);
  assert.equal(first.consumed + second.consumed, bytes.length - from, "every byte is consumed");
  const ends = [...first.records.end.subarray(0, first.records.rows), ...second.records.end.subarray(0, second.records.rows)];
  assert.deepEqual(ends, [...whole.records.end.subarray(0, whole.records.rows)], `cut at ${place}`);
  for (let row = 0; row < whole.records.rows; row++) {
    const length = whole.records.end[row] - whole.records.start[row];
    assert.equal(length > RECORD_BYTES_MAX, whole.tooLong.includes(row));
  }
  return whole.records;
}

/** Each record once: good, or refused with a reason; and the same by the rules. */
function compare(fast: Decoded, slow: Decoded, rows: number, account: Account): void {
  assert.deepEqual(fast.bad, slow.bad);
  const good = new Uint8Array(rows).fill(1);
  for (const { row, reason } of fast.bad) {
    assert.ok(good[row] === 1 && REASON.test(reason), `row ${row}: ${reason}`);
    good[row] = 0;
    account(`rejected ${reason.split(":")[0]}`);
  }
  for (let row = 0; row < rows; row++) {
    if (good[row] === 0) continue;
    assert.equal(fast.deleted?.[row] ?? 0, slow.deleted?.[row] ?? 0);
    if ((fast.deleted?.[row] ?? 0) !== 0) good[row] = 0;
    account(good[row] === 1 ? "accepted" : "accepted as a delete");
  }
  for (const [i, column] of fast.columns.entries()) sameColumn(column, slow.columns[i], good);
}

interface Pair {
  readonly fast: Decoder;
  readonly slow: Decoder;
}
function tryLines(pairs: readonly Pair[], material: Material): (dice: Dice, account: Account) => void {
  return (dice, account) => {
    const bytes = mutated(material, dice);
    const records = cut(splitLines, bytes, 0, dice);
    if (records.rows === 0) account("accepted as nothing");
    const { fast, slow } = dice.pick(pairs);
    compare(fast(records), slow(records), records.rows, account);
  };
}

const JSON_WORDS = bytesOf([
  ...'{ } [ ] , : " \\ \n \r\n null true false {} [] "" -0 1e5 \\u0000 \\ud800 \\u00e9 é \ufeff 0x1'.split(" "),
  '{"',
  '":',
  '{"a":',
  "\n\n",
  '"amount":',
  '"card_id":7,',
  '"__deleted":"true",',
]);
const ROWS = [
  '{"transaction_id":1,"card_id":26,"merchant_name":"Barrett LLC","timestamp":"2025-04-01 01:21:09","amount":131.7,' +
  '"location":"4395 Brenda Lake, Queens","transaction_type":"bill_payment","related_transaction_id":null}',
  '{"transaction_id":"2","card_id":"26","merchant_name":"b\\u00e9","timestamp":"2025-04-01 01:21:10","amount":"7.50",' +
  '"location":"","transaction_type":"refund","related_transaction_id":"1","more":{"a":[1,{"b":null}]}}',
  '{"id":"k","place":{"latitude":1.5,"city":"Köln","größe":2.25,"at":7},"state":{"open":true,"n":3,"s":"x"},"tags":["a","b"],"born":"2024-02-29"}',
  '{"id":"k","place":null,"state":"{\\"open\\":true,\\"n\\":3,\\"s\\":\\"x\\"}","tags":null,"born":null}',
  '{"i":1,"in":null,"d0":7,"d2":1.5,"d2n":null,"x":1e5,"xn":0.1,"s":"a","sn":"","kind":"a","kindn":null,"b":true,"bn":false,' +
  '"t":"2025-04-01T01:21:09Z","tn":"2025-04-01 01:21:09","day":"2025-04-01","dayn":"29.02.2024","span":"10s","list":[1.5,null],' +
  '"map":{"k":1},"struct":{"p":1,"q":"u"},"json":{"a":[1,2]}}',
];
const lines = (texts: readonly string[]): string[] => [...texts, texts.join("\n"), `${texts.join("\r\n")}\r\n\r\n`];

export const json: Target = {
  name: "json",
  gateInputs: 20_000,
  open: () => {
    const specs: DecoderSpec[] = [TRANSACTION, HELD, EVERYTHING].flatMap((type) => [
      specOf(type),
      specOf(type, { needed: new Set([type.fields[0].name]), numericText: "reject", unknownFields: "reject" }),
    ]);
    const pairs = specs.map((spec) => ({
      fast: compileJsonDecoder(spec),
      slow: slowDecoder(spec, compileSlowJson({ ...spec, type: asWritten(spec.type) })),
    }));
    return Promise.resolve({ run: tryLines(pairs, { corpus: bytesOf(lines(ROWS)), words: JSON_WORDS }) });
  },
};

const CHANGES = ROWS.slice(0, 4).flatMap((row) => [
  `{"op":"c","before":null,"after":${row},"source":{"table":"t"},"ts_ms":5}`,
  `{"before":${row},"after":${row},"op":"u"}`,
  `{"op":"d","before":${row},"after":null}`,
  `{"schema":{"fields":[]},"payload":{"op":"r","after":${row}}}`,
  `${row.slice(0, -1)},"__deleted":"true"}`,
]);
const CHANGE_RULES: readonly ChangeRules[] = [{ deletes: "drop", key: null }, { deletes: "pass", key: "id" }, {
  deletes: "pass",
  key: null,
}];

export const changes: Target = {
  name: "changes",
  gateInputs: 12_000,
  open: () => {
    const pairs = [TRANSACTION, HELD].flatMap((type) =>
      CHANGE_RULES.filter(({ key }) => key === null || type === HELD).map((rules) => {
        const spec = specOf(type, { changes: rules });
        return { fast: compileJsonDecoder(spec), slow: byRules(spec, rules) };
      })
    );
    const words = [...JSON_WORDS, ...bytesOf(['"op":"d"', '"before":', '"after":', '"payload":', '"after":null', "op", "d"])];
    return Promise.resolve({ run: tryLines(pairs, { corpus: bytesOf(lines(CHANGES)), words }) });
  },
};

const CSV_HEADER = TRANSACTION.fields.map(({ name }) => name).join(",");
const CSV_ROWS = [
  '1,26,Barrett LLC,2025-04-01 01:21:09,131.7,"4395 Brenda Lake, ""Queens""",bill_payment,',
  '"2","26","two\nlines",2025-04-01 01:21:10,-7.50,,refund,1',
  "3,26,é,2025-04-01 01:21:11,0,x,fee,",
];
const CSV_MATERIAL: Material = {
  corpus: bytesOf([
    ...CSV_ROWS.map((row) => `${CSV_HEADER}\n${row}\n`),
    `${CSV_HEADER}\n${CSV_ROWS.join("\n")}`,
    `\ufeff${CSV_HEADER}\r\n${CSV_ROWS.join("\r\n")}\r\n\r\n`,
  ]),
  words: bytesOf([",", '"', '""', "\n", "\r\n", "\r", '",', ',"', '"\n"', "\ufeff", "é", "1.005", "card_id,", "\0", " "]),
};

export const csv: Target = {
  name: "csv",
  gateInputs: 14_000,
  open: () => {
    const spec = specOf(TRANSACTION);
    const known = new Map<string, Pair>();
    const pairOf = (names: readonly string[]): Pair => {
      const header = names.join("\n");
      const pair = known.get(header) ?? { fast: compileCsvDecoder(spec, names), slow: slowDecoder(spec, compileSlowCsv(spec, names)) };
      known.set(header, pair);
      return pair;
    };
    return Promise.resolve({
      run: (dice: Dice, account: Account) => {
        const bytes = mutated(CSV_MATERIAL, dice);
        let header;
        try {
          header = readCsvHeader(bytes, 0, bytes.length, "end");
        } catch (error) {
          if (!(error instanceof MillraceError)) throw error;
          return account(`refused ${error.code}`);
        }
        if (header === null) return account("accepted as nothing");
        account("accepted");
        const records = cut(splitCsv, bytes, header.consumed, dice);
        const { fast, slow } = pairOf(header.names);
        compare(fast(records), slow(records), records.rows, account);
      },
    });
  },
};
