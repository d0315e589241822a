/** Windows by their configuration: the [[tests]] of small pipelines. Names T-n are the statements of the trades' specification. */
import assert from "node:assert/strict";
import { blueprintOf, differences, faults } from "./support.ts";

const TRADES = `
kind = "stream"

[sources.feed]
type   = "ndjson"
path   = "feed"
time   = { field = "at", lateness = "2s", late = "LATE" }
[sources.feed.fields]
at       = { type = "timestamp", zone = "UTC" }
side     = "string"
currency = "string"
total    = "decimal(2)"

[transforms.windows]
type     = "aggregate"
inputs   = ["feed"]
window   = { type = "tumbling", size = "5s" }
by       = ["side", "currency"]
on_stop  = "emit_partial"
aggregate = { count = "count()", sum = "sum(total)" }

[sinks.out]
type   = "console"
inputs = ["windows"]

[sinks.late]
type   = "console"
inputs = ["PORT"]
`;
const trades = (tests: string, late: "record" | "window" = "record"): string =>
  `${TRADES.replace("LATE", late).replace("PORT", late === "record" ? "feed.late" : "windows.late")}\n${tests}`;
const at = (time: string, side: string, total: string, currency = "JPY"): string =>
  `{ at = "2025-09-04T${time}", side = "${side}", currency = "${currency}", total = ${total} }`;

Deno.test("T-16, T-20: windows are half-open, aligned and exact; a record on the border belongs to the next", async () => {
  const given = [
    at("23:11:55", "SELL", "83487.64"),
    at("23:11:57.5", "SELL", "31281.11"),
    at("23:11:56", "BUY", "25791.87"),
    at("23:11:59.999999", "SELL", "4770496.50"),
    at("23:12:00", "SELL", "100.00"),
  ];
  assert.equal(
    await differences(trades(`[[tests]]
name = "border"
given.feed = [${given.join(", ")}]
expect.out = [
  { window_start = 2025-09-04T23:11:55Z, window_end = 2025-09-04T23:12:00Z, side = "BUY", count = 1, sum = 25791.87, partial = false },
  { window_end = 2025-09-04T23:12:00Z, side = "SELL", count = 3, sum = 4885265.25, partial = false },
  { window_end = 2025-09-04T23:12:05Z, side = "SELL", count = 1, sum = 100.00, partial = false },
]`)),
    "",
  );
});

Deno.test("T-17: what is older than the watermark goes aside and changes no window; what is as old as it counts", async () => {
  const given = [
    at("10:00:06", "BUY", "1.00"),
    at("10:00:04", "BUY", "2.00"),
    at("10:00:03.999999", "BUY", "4.00"),
    at("10:00:08", "BUY", "8.00"),
    at("10:00:05", "BUY", "16.00"),
  ];
  assert.equal(
    await differences(trades(`[[tests]]
name = "late"
given.feed = [${given.join(", ")}]
at_end = "open"
expect.out = [{ window_end = 2025-09-04T10:00:05Z, count = 1, sum = 2.00 }]
expect.late = [{ total = 4.00 }, { total = 16.00 }]`)),
    "",
  );
});

Deno.test("late = window: a row counts as long as one of its windows is open", async () => {
  const given = [
    at("10:00:06", "BUY", "1.00"),
    at("10:00:04", "BUY", "2.00"),
    at("10:00:03.999999", "BUY", "4.00"),
    at("10:00:08", "BUY", "8.00"),
    at("10:00:05", "BUY", "16.00"),
    at("10:00:04.999999", "BUY", "32.00"),
  ];
  assert.equal(
    await differences(trades(
      `[[tests]]
name = "late"
given.feed = [${given.join(", ")}]
expect.out = [{ window_end = 2025-09-04T10:00:05Z, count = 2, sum = 6.00 }, { window_end = 2025-09-04T10:00:10Z, count = 3, sum = 25.00 }]
expect.late = [{ total = 32.00 }]`,
      "window",
    )),
    "",
  );
});

Deno.test("T-18, T-21: what does not occur has no row, and currencies are apart", async () => {
  assert.equal(
    await differences(trades(`[[tests]]
name = "currencies"
given.feed = [${at("22:33:03", "TRANSFER", "65772.30", "JPY")}, ${at("22:33:04", "TRANSFER", "142228.35", "CAD")}]
expect.out = [{ currency = "CAD", count = 1, sum = 142228.35 }, { currency = "JPY", count = 1, sum = 65772.30 }]`)),
    "",
  );
});

Deno.test("T-23: at a stop open windows leave as partial ones", async () => {
  assert.equal(
    await differences(trades(`[[tests]]
name = "stop"
given.feed = [${at("10:00:01", "BUY", "1.00")}, ${at("10:00:08", "BUY", "2.00")}]
at_end = "stop"
expect.out = [
  { window_end = 2025-09-04T10:00:05Z, sum = 1.00, partial = false },
  { window_end = 2025-09-04T10:00:10Z, sum = 2.00, partial = true },
]`)),
    "",
  );
});

const SMALL = (window: string, more = ""): string => `
[sources.s]
type   = "ndjson"
path   = "s"
fields = { at = "timestamp", key = "string", n = "int" }
time   = { field = "at", lateness = "10s" }

[transforms.w]
type      = "aggregate"
inputs    = ["s"]
window    = ${window}
by        = ["key"]
aggregate = { n = "sum(n)", kinds = "count_distinct(n)", first = "first(n)" }
${more}

[sinks.out]
type   = "console"
inputs = ["w"]
`;
const row = (time: string, key: string, n: number): string => `{ at = 2025-01-01T${time}Z, key = "${key}", n = ${n} }`;

Deno.test("sliding windows: a row is in each that covers it, and they leave one after the other", async () => {
  assert.equal(
    await differences(`${SMALL('{ type = "sliding", size = "10s", every = "5s" }')}
[[tests]]
name = "two windows a row"
given.s = [${row("00:00:07", "a", 1)}, ${row("00:00:12", "a", 2)}, ${row("00:00:10", "b", 4)}]
expect.out = [
  { window_start = 2025-01-01T00:00:00Z, window_end = 2025-01-01T00:00:10Z, key = "a", n = 1 },
  { window_start = 2025-01-01T00:00:05Z, key = "a", n = 3, kinds = 2 },
  { window_start = 2025-01-01T00:00:05Z, key = "b", n = 4 },
  { window_start = 2025-01-01T00:00:10Z, key = "a", n = 2, first = 2 },
  { window_start = 2025-01-01T00:00:10Z, key = "b", n = 4 },
]`),
    "",
  );
});

Deno.test("sessions: rows nearer than the gap are one, a row between two joins them, and one before the first moves the start", async () => {
  assert.equal(
    await differences(`${SMALL('{ type = "session", gap = "5s" }')}
[[tests]]
name = "joined"
given.s = [
  ${row("00:00:10", "a", 1)}, ${row("00:00:18", "a", 1)}, ${row("00:00:14", "a", 2)}, ${row("00:00:09", "a", 8)},
  ${row("00:00:10", "b", 16)}, ${row("00:00:15", "b", 32)},
]
expect.out = [
  { window_start = 2025-01-01T00:00:10Z, window_end = 2025-01-01T00:00:15Z, key = "b", n = 16 },
  { window_start = 2025-01-01T00:00:15Z, window_end = 2025-01-01T00:00:20Z, key = "b", n = 32 },
  { window_start = 2025-01-01T00:00:09Z, window_end = 2025-01-01T00:00:23Z, key = "a", n = 12, kinds = 3 },
]`),
    "",
  );
});

Deno.test("a session never lasts longer than `most`", async () => {
  assert.equal(
    await differences(`${SMALL('{ type = "session", gap = "5s", most = "6s" }')}
[[tests]]
name = "cut"
given.s = [${row("00:00:00", "a", 1)}, ${row("00:00:03", "a", 2)}, ${row("00:00:06", "a", 4)}, ${row("00:00:07", "a", 8)}]
expect.out = [
  { window_start = 2025-01-01T00:00:00Z, window_end = 2025-01-01T00:00:11Z, n = 7 },
  { window_start = 2025-01-01T00:00:07Z, window_end = 2025-01-01T00:00:12Z, n = 8 },
]`),
    "",
  );
});

Deno.test("order_by decides among windows that end together", async () => {
  assert.equal(
    await differences(`${SMALL('{ type = "tumbling", size = "10s" }', 'order_by = ["n"]')}
[[tests]]
name = "by total"
given.s = [${row("00:00:00", "a", 9)}, ${row("00:00:01", "b", 2)}, ${row("00:00:11", "c", 1)}]
expect.out = [{ key = "b" }, { key = "a" }, { key = "c" }]`),
    "",
  );
});

Deno.test("emit = update tells what changed, and each window once more when it closes", async () => {
  assert.equal(
    await differences(`${SMALL('{ type = "tumbling", size = "10s" }', 'emit = "update"')}
[[tests]]
name = "told twice"
given.s = [${row("00:00:00", "a", 9)}, ${row("00:00:01", "a", 2)}]
expect.out = [{ key = "a", n = 11, partial = true }, { key = "a", n = 11, partial = false }]`),
    "",
  );
});

Deno.test("windows of windows, and event time through filters and maps", async () => {
  const chained = SMALL('{ type = "tumbling", size = "5s" }').replace('inputs = ["w"]', 'inputs = ["longer"]').replace(
    'inputs    = ["s"]',
    'inputs    = ["doubled"]',
  );
  assert.equal(
    await differences(`${chained}
[transforms.positive]
type   = "filter"
inputs = ["s"]
where  = "n > 0"
[transforms.doubled]
type   = "map"
inputs = ["positive"]
set    = { n = "n * 2" }
keep   = ["key", "n"]
[transforms.longer]
type      = "aggregate"
inputs    = ["w"]
window    = { type = "tumbling", size = "10s" }
aggregate = { windows = "count()", n = "sum(n)" }
[[tests]]
name = "chained"
given.s = [${row("00:00:00", "a", 1)}, ${row("00:00:09", "a", 2)}, ${row("00:00:04", "b", 4)}, ${row("00:00:12", "b", 8)}, ${
      row("00:00:01", "b", -5)
    }]
expect.out = [{ windows = 3, n = 14 }, { windows = 1, n = 16 }]`),
    "",
  );
});

Deno.test("before 1970 windows are aligned too", async () => {
  assert.equal(
    await differences(`${SMALL('{ type = "tumbling", size = "7s" }')}
[[tests]]
name = "long ago"
given.s = [{ at = 1969-12-31T23:59:59Z, key = "a", n = 1 }]
expect.out = [{ window_start = 1969-12-31T23:59:53Z, window_end = 1970-01-01T00:00:00Z }]`),
    "",
  );
});

Deno.test("a window keyed by the partitions' key runs lane by lane, another one in one lane", async () => {
  const keyed = (by: string): string => `
[connections.bus]
type = "log"
path = "log"
[sources.s]
connection     = "bus"
topic          = "t"
key = "account"
fields         = { at = "timestamp", account = "string", kind = "string" }
time           = { field = "at" }
[transforms.w]
type      = "aggregate"
inputs    = ["s"]
window    = { type = "tumbling", size = "5s" }
by        = ${by}
aggregate = { n = "count()" }
[sinks.out]
type   = "console"
inputs = ["w"]
`;
  assert.equal((await blueprintOf(keyed('["kind", "account"]'))).lanesByPartition, true);
  const apart = await blueprintOf(keyed('["kind"]'));
  assert.equal(apart.lanesByPartition, false);
  assert.match(apart.lanesReason, /one lane: "w" keeps state by "kind", and "s" is partitioned by "account"/);
  assert.equal((await blueprintOf(keyed("[]"))).lanesByPartition, false);
});

Deno.test("faults of event time and windows say what is there and what would be right", async () => {
  const window = (text: string): Promise<string> => faults(SMALL(text));
  assert.match(await window('{ type = "tumbling" }'), /a tumbling window needs `size`/);
  assert.match(await window('{ type = "tumbling", size = "5s", gap = "1s" }'), /a tumbling window has no `gap`[^]*it has size/);
  assert.match(await window('{ type = "sliding", size = "5s", every = "6s" }'), /`every` is longer than `size`/);
  assert.match(await window('{ type = "sliding", size = "1h", every = "1ms" }'), /more than 1000 windows/);
  assert.match(await window('{ type = "session", gap = "0s" }'), /`gap` is longer than nothing/);
  const small = SMALL('{ type = "tumbling", size = "5s" }');
  assert.match(await faults(small.replace('{ field = "at", lateness', '{ field = "ta", lateness')), /no field "ta"[^]*did you mean "at"/);
  assert.match(await faults(small.replace('{ field = "at", lateness', '{ field = "n", lateness')), /"n" is a int[^]*timestamp without \?/);
  assert.match(await faults(small.replace('field = "at", ', "")), /needs "field"/);
  assert.match(await faults(small.replace(/^time.*$/m, "")), /rows of "s" have no event time/);
  assert.match(await faults(small.replace('n = "sum(n)"', 'partial = "sum(n)"')), /"partial" is a column that every window's result has/);
  assert.match(await faults(SMALL('{ type = "tumbling", size = "5s" }', 'order_by = ["m"]')), /no column "m" to order by/);
  assert.match(await faults(SMALL('{ type = "session", gap = "5s" }', 'emit = "update"')), /a session is not told before it closes/);
  assert.match(await faults(small.replace(/^window.*$/m, 'emit = "update"')), /`emit` goes with `window`/);
  assert.match(await faults(small.replace('inputs = ["w"]', 'inputs = ["s.late"]')), /"s" has no output "late"/);
});

const KEPT = (keep: string): string => `
[sources.s]
type   = "ndjson"
path   = "s"
fields = { at = "timestamp", key = "string", n = "int" }
time   = { field = "at", lateness = "10s" }
[transforms.once]
type   = "dedupe"
inputs = ["s"]
key    = "key"
keep   = ${keep}
[sinks.out]
type   = "console"
inputs = ["once"]
[sinks.repeats]
type   = "console"
inputs = ["once.duplicates"]
`;

Deno.test("a dedupe forgets a key when the watermark is further behind it than `for`", async () => {
  assert.equal(
    await differences(`${KEPT('{ for = "30s" }')}
[[tests]]
name = "forgotten"
given.s = [
  ${row("00:00:00", "a", 1)}, ${row("00:00:39", "b", 2)}, ${row("00:00:05", "a", 3)}, ${row("00:00:40", "c", 4)},
  ${row("00:00:30", "a", 5)}, ${row("00:00:41", "a", 6)},
]
expect.out = [{ n = 1 }, { n = 2 }, { n = 4 }, { n = 5 }]
expect.repeats = [{ n = 3 }, { n = 6 }]`),
    "",
  );
});

Deno.test("a dedupe with a count remembers the newest keys; a repeat does not make a key newer", async () => {
  assert.equal(
    await differences(`${KEPT("{ count = 2 }")}
[[tests]]
name = "two keys"
given.s = [${["a", "b", "a", "c", "a", "c", "b"].map((key, n) => row("00:00:00", key, n)).join(", ")}]
expect.out = [{ n = 0 }, { n = 1 }, { n = 3 }, { n = 4 }, { n = 6 }]
expect.repeats = [{ n = 2 }, { n = 5 }]`),
    "",
  );
});

Deno.test("event time comes through a join, for rows that waited for the right side too", async () => {
  assert.equal(
    await differences(`
[sources.left]
type   = "ndjson"
path   = "left"
fields = { at = "timestamp", key = "string" }
time   = { field = "at", lateness = "1s" }
[sources.right]
type   = "ndjson"
path   = "right"
fields = { key = "string", weight = "int" }
[transforms.both]
type  = "join"
left  = "left"
right = "right"
on    = ["key"]
set   = { weight = "coalesce(right.weight, 0)" }
[transforms.w]
type      = "aggregate"
inputs    = ["both"]
window    = { type = "tumbling", size = "5s" }
aggregate = { rows = "count()", weight = "sum(weight)" }
[sinks.out]
type   = "console"
inputs = ["w"]
[sinks.late]
type   = "console"
inputs = ["w.late"]
[[tests]]
name = "joined"
given = [
  { left = { at = 2025-01-01T00:00:01Z, key = "a" } },
  { left = { at = 2025-01-01T00:00:09Z, key = "b" } },
  { right = { key = "a", weight = 5 } },
  { left = { at = 2025-01-01T00:00:02Z, key = "a" } },
]
expect.out = [{ rows = 1, weight = 5 }, { rows = 1, weight = 0 }]
expect.late = [{ at = 2025-01-01T00:00:02Z }]`),
    "",
  );
});

Deno.test("without `by` all rows of a window are one group, sessions too", async () => {
  const whole = (window: string): string => SMALL(window).replace('by        = ["key"]', "");
  const given = `given.s = [${row("00:00:01", "a", 1)}, ${row("00:00:03", "b", 2)}, ${row("00:00:11", "a", 4)}]`;
  for (const window of ['{ type = "tumbling", size = "10s" }', '{ type = "session", gap = "5s" }']) {
    assert.equal(await differences(`${whole(window)}\n[[tests]]\nname = "one group"\n${given}\nexpect.out = [{ n = 3 }, { n = 4 }]`), "");
  }
});

const CLOCK = (tests: string): string => `
kind = "stream"

[sources.feed]
type   = "ndjson"
path   = "feed"
fields = { customer = "string" }
time   = { clock = "arrival" }

[transforms.counted]
type      = "aggregate"
inputs    = ["feed"]
window    = { type = "tumbling", size = "30s" }
by        = ["customer"]
aggregate = { count = "count()" }

[sinks.out]
type   = "console"
inputs = ["counted"]

[[tests]]
name = "by the clock"
clock = 2025-09-05T05:59:00Z
at_end = "open"
${tests}`;

Deno.test("fintech T4: windows by the clock close when it reaches their end, with or without rows, and empty ones give nothing", async () => {
  const given = ["05:59:59.999", "06:00:00.000", "06:00:29.999", "06:00:30.000"];
  const rows = given.map((at) => `{ at = ${at}, feed = { customer = "c1" } }`);
  assert.equal(
    await differences(CLOCK(`given = [${rows.join(", ")}, { at = 06:01:00 }, { at = 06:05:00 }]
expect.out = [
  { customer = "c1", window_end = 2025-09-05T06:00:00Z, count = 1 },
  { customer = "c1", window_end = 2025-09-05T06:00:30Z, count = 2 },
  { customer = "c1", window_end = 2025-09-05T06:01:00Z, count = 1 },
]`)),
    "",
  );
});

Deno.test("fintech T4: two customers in one window by the clock are two rows; before its end there is none", async () => {
  const given = `{ at = 06:00:00, feed = { customer = "c2" } }, { feed = { customer = "c1" } }`;
  const none = await differences(CLOCK(`given = [${given}, { at = 06:00:29.999999 }]\nexpect.out = []`));
  const both = await differences(
    CLOCK(`given = [${given}, { at = 06:00:30 }]\nexpect.out = [{ customer = "c1", count = 1 }, { customer = "c2", count = 1 }]`),
  );
  assert.deepEqual([none, both], ["", ""]);
});
