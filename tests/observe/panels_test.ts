/** From rows to what a chart shows: only what was committed, exact where there is little, fair where there is much. */
import assert from "node:assert/strict";
import type { Batch } from "../../src/data/batch.ts";
import { columnOf, makeMeta } from "../../src/data/columns.ts";
import { decimalOf, type Field, INT, listOf, STRING, TIMESTAMP } from "../../src/data/types.ts";
import { PANEL_LABELS_MAX, PANEL_POINTS_MAX, PANEL_ROWS_MAX } from "../../src/observe/limits.ts";
import type { Panel } from "../../src/observe/panel.ts";
import { PanelSeries } from "../../src/observe/panel_series.ts";
import { PanelTaker } from "../../src/observe/panel_taker.ts";

const FIELDS: readonly Field[] = [
  { name: "at", type: TIMESTAMP },
  { name: "kind", type: STRING },
  { name: "amount", type: decimalOf(2) },
  { name: "id", type: INT },
];
type Row = readonly [at: number, kind: string, amount: number, id: number];
function batchOf(rows: readonly Row[]): Batch {
  const columns = FIELDS.map((field, i) => columnOf(field.type, rows.map((row) => row[i])));
  return { rows: rows.length, type: { fields: FIELDS }, columns, meta: makeMeta("s", 0, new Float64Array(rows.length)) };
}
const PLAIN: Panel = {
  id: "p",
  title: "",
  group: "",
  kind: "lines",
  edge: { from: "n", port: "out" },
  x: "at",
  xIsTime: true,
  every: 0,
  measure: "sum",
  y: "amount",
  by: "kind",
  key: null,
  columns: [],
  unit: "",
  bands: [],
  slider: null,
  isOverview: false,
  aside: null,
};
/** One lane's batches, each an epoch of its own. */
function shown(panel: Partial<Panel>, ...epochs: readonly (readonly Row[])[]) {
  const whole = { ...PLAIN, ...panel };
  const [taker, series] = [new PanelTaker(whole), new PanelSeries(whole)];
  epochs.forEach((rows, i) => {
    taker.take(0, batchOf(rows));
    taker.complete(0, (i + 1) * 1e6);
    series.add(taker.gained());
  });
  return series.whole(epochs.length * 1e6);
}

Deno.test("values of one x and one label are added up, in whole units", () => {
  const data = shown({}, [[10, "a", 150, 1], [10, "b", 1, 2]], [[10, "a", 50, 3], [20, "a", 25, 4]]);
  assert.deepEqual(data.points, [[10, "a", 2], [10, "b", 0.01], [20, "a", 0.25]]);
  assert.deepEqual([data.seen, data.passed], [4, 4]);
});

Deno.test("every measure", () => {
  const rows: Row[] = [[1, "a", 100, 1], [1, "a", 300, 2], [1, "a", 200, 3]];
  const value = (measure: Panel["measure"]) => shown({ measure }, rows).points![0][2];
  assert.deepEqual((["count", "sum", "avg", "min", "max", "last"] as const).map(value), [3, 6, 2, 1, 3, 2]);
});

Deno.test("without x, rows stand where their epoch was recorded; with a width, at the beginning of their bucket", () => {
  assert.deepEqual(shown({ x: null, every: 2e6, y: null, measure: "count" }, [[0, "a", 1, 1]], [[0, "a", 1, 2]], [[0, "a", 1, 3]]).points, [
    [0, "a", 1],
    [2e6, "a", 2],
  ]);
  const histogram = shown({ x: "id", xIsTime: false, every: 10, by: null, y: null, measure: "count" }, [[0, "", 0, 3], [0, "", 0, 9], [
    0,
    "",
    0,
    10,
  ]]);
  assert.deepEqual(histogram.points, [[0, "", 2], [10, "", 1]]);
});

Deno.test("an epoch that does not complete leaves nothing", () => {
  const [taker, series] = [new PanelTaker(PLAIN), new PanelSeries(PLAIN)];
  taker.take(0, batchOf([[1, "a", 100, 1]]));
  taker.take(1, batchOf([[1, "a", 700, 1]]));
  taker.drop(0);
  taker.take(0, batchOf([[1, "a", 100, 1]]));
  taker.complete(0, 1);
  taker.complete(1, 1);
  series.add(taker.gained());
  assert.deepEqual(series.whole(0).points, [[1, "a", 8]]);
});

Deno.test("with a key, each counts once, by its newest row; tables show the newest first", () => {
  const rows: Row[] = [[1, "low", 100, 1], [2, "low", 200, 2], [3, "high", 900, 1]];
  assert.deepEqual(shown({ kind: "shares", key: "id", y: null, measure: "count" }, rows).shares, [["low", 1], ["high", 1]]);
  assert.deepEqual(shown({ kind: "number", key: "id" }, rows).numbers?.minute, 11);
  assert.deepEqual(shown({ kind: "table", columns: ["id", "kind"] }, rows).rows, [["1", "high"], ["2", "low"], ["1", "low"]]);
  assert.deepEqual(shown({ kind: "table", key: "id", columns: ["id", "kind"] }, rows).rows, [["1", "high"], ["2", "low"]]);
});

Deno.test("a fast stream is looked at evenly, and what is seen stands for all of it", () => {
  const [taker, series] = [
    new PanelTaker({ ...PLAIN, x: null, every: 1e6, y: null, measure: "count" }),
    new PanelSeries({ ...PLAIN, measure: "count" }),
  ];
  const rows = Array.from({ length: 4_000 }, (_, i): Row => [0, i % 4 === 0 ? "a" : "b", 1, i]);
  for (let batch = 0; batch < 50; batch++) taker.take(0, batchOf(rows));
  taker.complete(0, 0);
  series.add(taker.gained());
  const data = series.whole(0);
  assert.equal(data.passed, 200_000);
  assert.ok(data.seen < 6 * PANEL_ROWS_MAX, `${data.seen} rows were looked at`);
  const sum = data.points!.reduce((total, [, , value]) => total + value, 0);
  assert.ok(Math.abs(sum - 200_000) < 4_000, `counted ${sum}`);
});

Deno.test("points, labels and keys have their bounds, and it is said that something was left out", () => {
  const many = Array.from({ length: PANEL_POINTS_MAX + 50 }, (_, i): Row => [i, "a", 100, i]);
  const parts = Array.from({ length: 10 }, (_, i) => many.slice(i * 65, i * 65 + 65));
  const points = shown({}, ...parts).points!;
  assert.equal(points.length, PANEL_POINTS_MAX);
  assert.equal(points.at(-1)![0], many.length - 1);
  const labels = Array.from({ length: PANEL_LABELS_MAX + 4 }, (_, i): Row => [1, `kind ${i}`, 100, i]);
  const data = shown({}, labels);
  assert.equal(data.isPartial, true);
  assert.deepEqual(data.points!.find(([, label]) => label === "other"), [1, "other", 4]);
});

Deno.test("bands tell the values of a number apart, in their order, each key once", () => {
  const rows: Row[] = [[0, "ann", 999, 1], [0, "bob", 1000, 2], [0, "cid", 5000, 3]];
  const bands: Partial<Panel> = { kind: "shares", y: null, measure: "count", by: "amount", key: "kind", bands: [10, 50] };
  assert.deepEqual(shown(bands, rows).shares, [["below 10", 1], ["10 – 50", 1], ["50 and more", 1]]);
  assert.deepEqual(shown(bands, rows, [[0, "ann", 6000, 4]]).shares, [["10 – 50", 1], ["50 and more", 2]], "by the newest row of each");
  assert.deepEqual(shown({ ...bands, key: null }, rows, [[0, "ann", 6000, 4]]).shares, [["below 10", 1], ["10 – 50", 1], [
    "50 and more",
    2,
  ]]);
});

Deno.test("of a list, every item counts", () => {
  const fields: Field[] = [{ name: "codes", type: listOf(STRING) }];
  const columns = [columnOf(fields[0].type, [["a", "b"], ["b"], []])];
  const batch: Batch = { rows: 3, type: { fields }, columns, meta: makeMeta("s", 0, new Float64Array(3)) };
  const panel: Panel = { ...PLAIN, kind: "shares", x: null, y: null, measure: "count", by: "codes" };
  const [taker, series] = [new PanelTaker(panel), new PanelSeries(panel)];
  taker.take(0, batch);
  taker.complete(0, 1);
  series.add(taker.gained());
  assert.deepEqual(series.whole(1).shares, [["b", 2], ["a", 1]]);
});

Deno.test("a number looks back from the newest event time, or from the clock", () => {
  const [minute, hour] = [60e6, 3600e6];
  const day = 24 * hour;
  const rows: Row[] = [[day, "ann", 100, 1], [day - 30e6, "bob", 100, 2], [day - 30 * minute, "ann", 100, 3], [
    day - 2 * hour,
    "cid",
    100,
    4,
  ]];
  const ofEvents: Partial<Panel> = { kind: "number", by: null, every: 1e6 };
  assert.deepEqual(shown(ofEvents, rows).numbers, { minute: 2, hour: 3, day: 4 });
  assert.deepEqual(shown({ ...ofEvents, x: null }, rows).numbers, { minute: 4, hour: 4, day: 4 });
  const distinct: Partial<Panel> = { kind: "number", by: "kind", y: null, measure: "distinct", every: 1e6 };
  assert.deepEqual(shown(distinct, rows).numbers, { minute: 2, hour: 2, day: 3 });
  assert.deepEqual(shown({ ...distinct, x: null }, rows).numbers, { minute: 3, hour: 3, day: 3 });
});

Deno.test("the greatest shares are shown, whenever they came", () => {
  const few = Array.from({ length: PANEL_LABELS_MAX * 2 }, (_, i): Row => [0, `early-${i}`, 100, i]);
  const { shares } = shown({ kind: "shares", measure: "count", y: null, x: null }, few, [[0, "late", 1, 1], [0, "late", 1, 2]]);
  assert.deepEqual(shares![0], ["late", 2]);
  assert.equal(shares!.length, PANEL_LABELS_MAX);
  assert.deepEqual(shares!.at(-1), ["other", PANEL_LABELS_MAX * 2 + 2 - 2 - (PANEL_LABELS_MAX - 2)]);
});
