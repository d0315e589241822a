/** The aggregates of the fintech specification's cases T1, T2 and T6, in windows, in one group and in two phases. */
import assert from "node:assert/strict";
import { differences } from "./support.ts";

const AGGREGATES = `[transforms.metrics.aggregate]
total = "sum(amount)"
count = "count()"
average = "avg(amount, 2, 'half_up')"
least = "min(amount)"
most = "max(amount)"
types = "counts(type)"
countries = "counts(country)"
devices = "counts(device)"
preferred_type = "mode(type)"
preferred_country = "mode(country)"
preferred_device = "mode(device)"
last_amount = "last_by(amount, at)"
last_type = "last_by(type, at)"
merchants = "count_distinct(merchant)"
merchant_average = "avg(amount, 2, 'half_up', merchant != null)"
`;
const pipeline = (window: string, tests: string): string => `
[sources.transactions]
type   = "ndjson"
path   = "in"
fields = { id = "string", customer = "string", type = "string", amount = "decimal(2)", at = "timestamp", country = "string?", device = "string?", merchant = "string?" }
${window === "" ? "" : 'time = { clock = "arrival" }'}
[transforms.metrics]
type   = "aggregate"
inputs = ["transactions"]
by     = ["customer"]
${window}
${AGGREGATES}
[sinks.out]
type   = "console"
inputs = ["metrics"]
${tests}`;
const WINDOW = 'window = { type = "tumbling", size = "30s" }';
const SHAPES = { "in a window by the clock": WINDOW, "in one group": "" };

const T1 = `[[tests]]
name = "T1"
defaults = { customer = "c1" }
given.transactions = [
  { id = "t1", type = "card_payment", amount = 10.00, at = 2025-01-16T11:00:00Z, device = "dB", country = "US" },
  { id = "t2", type = "deposit", amount = 20.00, at = 2025-01-16T12:00:00Z, device = "dA", country = "US" },
  { id = "t3", type = "card_payment", amount = 5.01, at = 2025-01-16T12:00:00Z, device = "dC" },
]
expect.out = [{ total = 35.01, count = 3, average = 11.67, least = 5.01, most = 20.00, preferred_type = "card_payment", preferred_country = "US", preferred_device = "dA", types = { card_payment = 2, deposit = 1 }, countries = { US = 2 }, devices = { dA = 1, dB = 1, dC = 1 }, last_amount = 20.00, last_type = "deposit" }]
`;
const T2 = `[[tests]]
name = "T2"
defaults = { customer = "c1" }
given.transactions = [
  { id = "t1", type = "card_payment", amount = 10.00, at = 2025-01-16T11:00:00Z },
  { id = "t2", type = "deposit", amount = 20.00, at = 2025-01-16T12:00:00Z },
  { id = "t3", type = "atm_withdrawal", amount = 120000.00, at = 2025-01-16T12:00:00Z },
]
expect.out = [{ total = 120030.00, average = 40010.00, preferred_type = "atm_withdrawal", countries = {}, devices = {}, last_amount = 20.00, last_type = "deposit" }]
`;
const T6 = `[[tests]]
name = "T6"
defaults = { customer = "c1" }
given.transactions = [{ id = "t1", type = "card_payment", amount = 100.00, at = 2025-01-16T11:00:00Z }]
expect.out = [{ merchants = 0, count = 1, total = 100.00 }]
`;

for (const [shape, window] of Object.entries(SHAPES)) {
  Deno.test(`fintech T1, T2, T6, ${shape}: maps of counts, modes, the last by time, averages half up`, async () => {
    assert.equal(await differences(pipeline(window, T1 + T2 + T6)), "");
  });
}
