/** The fintech generator against the tables of its specification, written out here again (groups G1 to G4). */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Machine, Process } from "../support/memory_world.ts";
import { faultsOf, plan } from "../support/project.ts";

const START_MICROS = Date.parse("2025-09-05T06:03:30Z") * 1000;
const BASE_MICROS = Date.parse("2025-08-21T03:00:00Z") * 1000;
const DAY_MICROS = 86_400e6;

// deno-lint-ignore no-explicit-any
type Row = Readonly<Record<string, any>>;
interface Options {
  readonly pollRows?: number;
  readonly fields?: string;
}
const pipeline = (settings: string, fields = `id = "string"`): string =>
  `[sources.in]\ntype = "generate"\nwhat = "fintech"\nseed = 7\nstart = "2025-09-05T06:03:30Z"\n${settings}
fields = { ${fields} }\n[sinks.out]\ntype = "console"\ninputs = ["in"]\n`;

async function open(settings: string, fields?: string) {
  let nowMs = 0;
  const clock = { nowMicros: () => nowMs * 1000, monotonicMs: () => nowMs, sleep: (ms: number) => Promise.resolve(void (nowMs += ms)) };
  const [{ plan: source, schema }] = (await plan(pipeline(settings, fields))).sources;
  const made = source.create({ ...new Process(new Machine()).world(), clock }, new Set(schema.type.fields.map((field) => field.name)));
  return { bounded: source.bounded, clock, reader: await made.reader(0) };
}
/** Every record as the line that was made, up to the end. */
async function linesOf(settings: string, { pollRows = 4096, fields }: Options = {}): Promise<string[]> {
  const { reader } = await open(`rate = "max"\n${settings}`, fields);
  const lines: string[] = [];
  for (let position = reader.start;;) {
    const polled = await reader.poll(position, { rowsMax: pollRows, bytesMax: 1 << 24 });
    if (polled.kind !== "batch") return lines;
    assert.deepEqual(polled.rejected, []);
    for (let row = 0; row < polled.batch.rows; row++) lines.push(polled.batch.meta.raw!.at(row)!);
    position = polled.next;
  }
}
const HELD_JSON = ["transaction_location", "compliance_flags", "tags", "metadata", "location", "address", "preferences"];
function rowOf(line: string): Row {
  const row = JSON.parse(line);
  for (const name of HELD_JSON) if (name in row && row[name] !== null) row[name] = JSON.parse(row[name]);
  return row;
}
const rowsOf = async (settings: string): Promise<Row[]> => (await linesOf(settings)).map(rowOf);
const byId = (rows: readonly Row[]): ReadonlyMap<string, Row> => new Map(rows.map((row) => [row.id, row]));
const tables = async (settings = "") => ({
  customers: byId(await rowsOf(`table = "customers"\n${settings}`)),
  accounts: byId(await rowsOf(`table = "accounts"\n${settings}`)),
  merchants: byId(await rowsOf(`table = "merchants"\n${settings}`)),
});
const cents = (text: string): number => {
  assert.match(text, /^\d+\.\d\d$/);
  return Number(text.replace(".", ""));
};
const micros = (text: string): number => {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{6}))?Z$/.exec(text);
  assert.ok(match, text);
  return Date.parse(match[1] + "Z") * 1000 + Number(match[2] ?? 0);
};
const COLUMNS = {
  transactions:
    "id transaction_type status from_account_id to_account_id customer_id amount currency exchange_rate fee_amount description merchant_id reference_number authorization_code transaction_location device_fingerprint ip_address user_agent risk_score risk_level compliance_flags processing_time_ms network card_last_four tags metadata created_at updated_at version",
  customers:
    "id first_name last_name email phone date_of_birth ssn address tier risk_score kyc_status is_active credit_score annual_income employment_status onboarding_channel referral_code preferences tags created_at updated_at version",
  accounts:
    "id customer_id account_number account_type currency balance available_balance credit_limit interest_rate is_active is_frozen overdraft_protection minimum_balance monthly_fee branch_code routing_number created_at updated_at version",
  merchants: "id name business_type mcc_code address phone website tax_id is_active created_at updated_at version",
  customer_sessions:
    "id customer_id session_id channel device_type ip_address location started_at ended_at actions_count transactions_count created_at updated_at version",
};

/** Section 2.3, in cents: by tier the range of each kind of amount. */
const AMOUNTS: Readonly<Record<string, Readonly<Record<string, readonly [number, number]>>>> = {
  basic: cells([10, 500], [5, 1000], [20, 5000], [1, 250], [10, 2500], [1, 500]),
  premium: cells([50, 2000], [25, 4000], [100, 20_000], [5, 1000], [50, 10_000], [5, 2000]),
  vip: cells([100, 10_000], [50, 20_000], [200, 100_000], [10, 5000], [100, 50_000], [10, 10_000]),
  enterprise: cells([1000, 100_000], [500, 200_000], [2000, 1_000_000], [100, 50_000], [1000, 500_000], [100, 100_000]),
};
type Range = readonly [number, number];
function cells(others: Range, card_payment: Range, wire_transfer: Range, atm_withdrawal: Range, deposit: Range, mobile_payment: Range) {
  const cell = { others, card_payment, wire_transfer, atm_withdrawal, deposit, mobile_payment };
  return Object.fromEntries(Object.entries(cell).map(([name, [least, most]]) => [name, [least * 100, most * 100] as const]));
}
const CHECKING = { card_payment: 35, ach_transfer: 20, wire_transfer: 15, atm_withdrawal: 15, deposit: 10, mobile_payment: 5 };
const TYPES: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  credit: { card_payment: 80, atm_withdrawal: 15, fee_charge: 5 },
  savings: { deposit: 40, ach_transfer: 30, internal_transfer: 20, interest_payment: 10 },
  investment: { deposit: 30, ach_transfer: 25, interest_payment: 25, internal_transfer: 20 },
  checking: CHECKING,
  business: CHECKING,
};
const DESCRIPTIONS: Readonly<Record<string, string>> = {
  wire_transfer: "Wire Transfer",
  ach_transfer: "ACH Transfer",
  atm_withdrawal: "ATM Withdrawal",
  deposit: "Direct Deposit",
  fee_charge: "Monthly Maintenance Fee",
  interest_payment: "Interest Payment",
};

Deno.test("G1: every transaction lies within its cell, and its columns fit its type", async () => {
  const { customers, accounts, merchants } = await tables();
  const rows = await rowsOf("count = 20000");
  assert.equal(new Set(rows.map((row) => row.reference_number)).size, 20_000);
  assert.equal(new Set(rows.map((row) => row.id)).size, 20_000);
  assert.equal(new Set(rows.map((row) => row.device_fingerprint)).size, 20_000);
  for (const row of rows) {
    assert.deepEqual(Object.keys(row).join(" "), `${COLUMNS.transactions} __deleted`);
    const customer = customers.get(row.customer_id)!;
    const isDeposit = row.transaction_type === "deposit";
    const account = accounts.get(isDeposit ? row.to_account_id : row.from_account_id)!;
    assert.equal(account.customer_id, row.customer_id);
    assert.equal(isDeposit ? row.from_account_id : row.to_account_id, null);
    assert.ok(row.transaction_type in TYPES[account.account_type]);
    const ranges = AMOUNTS[customer.tier];
    const [least, most] = ranges[row.transaction_type] ?? ranges.others;
    const amount = cents(row.amount);
    assert.ok(amount >= least && amount <= most, `${customer.tier} ${row.transaction_type} ${row.amount}`);
    const fees = row.transaction_type === "wire_transfer"
      ? ["25.00"]
      : row.transaction_type === "atm_withdrawal"
      ? ["0.00", "3.50"]
      : ["0.00"];
    assert.ok(fees.includes(row.fee_amount));
    const points = (amount > 1_000_000 ? 2000 : 0) + (cents(customer.risk_score) > 5000 ? 1000 : 0) +
      (row.transaction_type === "wire_transfer" ? 1500 : 0);
    const risk = cents(row.risk_score);
    assert.ok(risk >= points && risk <= points + 2000, row.risk_score);
    assert.equal(row.risk_level, risk > 8000 ? "critical" : risk > 6000 ? "high" : risk > 3000 ? "medium" : "low");
    assert.deepEqual(row.tags.slice(0, 2), [row.transaction_type, row.risk_level]);
    assert.equal(new Set(row.tags).size, row.tags.length);
    assert.equal(row.compliance_flags.includes("HIGH_VALUE"), amount > 1_000_000);
    assert.ok(amount > 300_000 || !row.compliance_flags.includes("STRUCTURING_SUSPECTED"));
    assert.ok(row.processing_time_ms >= 50 && row.processing_time_ms <= 5000);
    assert.equal(row.transaction_location.country, "US");
    assert.match(row.reference_number, /^TXN-[0-9A-F]{12}$/);
    assert.match(row.device_fingerprint, /^FP[0-9a-f]{16}$/);
    const hasMerchant = ["card_payment", "mobile_payment"].includes(row.transaction_type);
    const merchant = merchants.get(row.merchant_id);
    assert.equal(merchant !== undefined, hasMerchant);
    const words = merchant ? `${merchant.name} - ${merchant.business_type}` : DESCRIPTIONS[row.transaction_type] ?? "Transaction";
    assert.equal(row.description, words);
    for (
      const [name, form] of [["authorization_code", /^AUTH\d{6}$/], ["card_last_four", /^[1-9]\d{3}$/], ["network", /^[AVMD]/]] as const
    ) {
      if (hasMerchant) assert.match(row[name], form);
      else assert.equal(row[name], null);
    }
    assert.equal(row.metadata.terminal_id === null, !hasMerchant);
  }
});

Deno.test("G1: created_at lies within a day before the simulated time and an hour behind it, which goes on by a day in ten seconds", async () => {
  const rows = await rowsOf("count = 20000");
  let base = BASE_MICROS;
  let stepped = -Infinity;
  for (const row of rows) {
    const elapsed = micros(row.updated_at) - START_MICROS;
    if (elapsed - stepped >= 10e6) {
      base += DAY_MICROS;
      stepped = elapsed;
    }
    const created = micros(row.created_at);
    assert.ok(created > base - DAY_MICROS && created <= base + 3600e6, `${row.created_at} at ${new Date(base / 1000).toISOString()}`);
  }
  const perDay = 20_000 / ((base - BASE_MICROS) / DAY_MICROS);
  assert.ok(Math.abs(perDay - 78) < 4, `${perDay} a day`);
});

Deno.test("G2: tiers, types and sessions have their shares", async () => {
  const { customers, accounts } = await tables("customers = 400");
  const weights: Readonly<Record<string, number>> = { basic: 1, premium: 2, vip: 3, enterprise: 4 };
  const rows = await rowsOf("customers = 400\ncount = 20000");
  const own = Map.groupBy(accounts.values(), (account) => account.customer_id);
  const whole = customers.values().reduce((sum, { tier }) => sum + weights[tier], 0);
  const tierShares = new Map<string, number>();
  const typeShares = new Map<string, number>();
  const add = (shares: Map<string, number>, name: string, share: number): void => void shares.set(name, (shares.get(name) ?? 0) + share);
  for (const { id, tier } of customers.values()) {
    const share = weights[tier] / whole;
    add(tierShares, tier, share);
    const held = own.get(id)!;
    for (const { account_type } of held) {
      for (const [type, percent] of Object.entries(TYPES[account_type])) add(typeShares, type, share / held.length * percent / 100);
    }
  }
  const within = (shares: ReadonlyMap<string, number>, name: (row: Row) => string): void => {
    const seen = Map.groupBy(rows, name);
    for (const [word, share] of shares) {
      const actual = (seen.get(word)?.length ?? 0) / rows.length;
      assert.ok(Math.abs(actual - share) <= 0.015, `${word}: ${actual}, expected ${share}`);
    }
  };
  within(tierShares, (row) => customers.get(row.customer_id)!.tier);
  within(typeShares, (row) => row.transaction_type);
  assert.deepEqual([...new Set(rows.map((row) => row.status))], ["completed"]);
  const sessions = await rowsOf('table = "customer_sessions"\ncustomers = 400\ntransactions = 20000');
  assert.ok(Math.abs(sessions.length / 20_000 - 0.1) <= 0.01, `${sessions.length} sessions`);
});

Deno.test("G3: rate 10 for a minute of sleeping gives 0.78 times as many transactions", async () => {
  const counts: number[] = [];
  for (const seed of [1, 2, 3, 4, 5]) {
    const [{ plan: source, schema }] = (await plan(pipeline('rate = "10/s"').replace("seed = 7", `seed = ${seed}`))).sources;
    let nowMs = 0;
    const clock = { nowMicros: () => nowMs * 1000, monotonicMs: () => nowMs, sleep: (ms: number) => Promise.resolve(void (nowMs += ms)) };
    const world = { ...new Process(new Machine()).world(), clock };
    const reader = await source.create(world, new Set(schema.type.fields.map((field) => field.name))).reader(0);
    let made = 0;
    for (let position = reader.start;;) {
      const polled = await reader.poll(position, { rowsMax: 100, bytesMax: 1 << 20 });
      if (polled.kind === "idle") await clock.sleep(polled.retryAfterMs);
      else if (polled.kind === "batch") {
        made += polled.read;
        position = polled.next;
      }
      if (nowMs > 60_000) break;
    }
    counts.push(made);
  }
  for (const count of counts) assert.ok(Math.abs(count - 469) <= 45, String(counts));
});

for (const table of ["transactions", "customer_sessions", "customers", "accounts", "merchants"] as const) {
  Deno.test(`G4: ${table} are the same bytes each time, however they are asked for and wherever it stops and goes on`, async () => {
    const settings = `table = "${table}"\nprofile = "unusual"\ncount = 400`;
    const lines = await linesOf(settings);
    assert.equal(lines.length, 400);
    assert.deepEqual(await linesOf(settings, { pollRows: 7 }), lines);
    for (const from of [1, 123, 399]) {
      const { reader } = await open(`rate = "max"\n${settings}`);
      const polled = await reader.poll(reader.start.replace(/\d+$/, String(from)), { rowsMax: 4096, bytesMax: 1 << 24 });
      assert.equal(polled.kind, "batch");
      const { raw } = polled.kind === "batch" ? polled.batch.meta : { raw: null };
      assert.deepEqual(Array.from({ length: 400 - from }, (_, row) => raw!.at(row)), lines.slice(from));
    }
    for (const line of lines) {
      assert.equal(Object.keys(JSON.parse(line)).join(" "), `${COLUMNS[table]} __deleted`);
    }
  });
}

Deno.test("G4: the bytes are the same on every machine and in every version", async () => {
  const digests = {
    transactions: "d56fb24f943bc7bc",
    customer_sessions: "54481367c7dc6c43",
    customers: "b52d6dca4a3aa7a9",
    accounts: "1819692fd1d74475",
    merchants: "4a473d5ae68d0702",
  };
  const made = Object.fromEntries(
    await Promise.all(
      Object.keys(digests).map(async (table) => {
        const lines = await linesOf(`table = "${table}"\nprofile = "unusual"\ncount = 300`);
        return [table, createHash("sha256").update(lines.join("\n")).digest("hex").slice(0, 16)];
      }),
    ),
  );
  assert.deepEqual(made, digests);
});

Deno.test("the population has its distributions, and belongs together", async () => {
  const { customers, accounts, merchants } = await tables("customers = 4000");
  assert.deepEqual([customers.size, merchants.size], [4000, 50]);
  assert.ok(Math.abs(accounts.size / 4000 - 1.9) < 0.05);
  const share = (of: Iterable<Row>, is: (row: Row) => boolean): number => {
    const all = [...of];
    return all.filter(is).length / all.length;
  };
  const near = (actual: number, expected: number, what: string): void =>
    assert.ok(Math.abs(actual - expected) < 0.025, `${what}: ${actual}, expected ${expected}`);
  for (const [tier, percent] of [["basic", 60], ["premium", 25], ["vip", 10], ["enterprise", 5]] as const) {
    near(share(customers.values(), (row) => row.tier === tier), percent / 100, tier);
  }
  for (const [status, percent] of [["verified", 80], ["pending", 15], ["rejected", 5]] as const) {
    near(share(customers.values(), (row) => row.kyc_status === status), percent / 100, status);
  }
  near(share(customers.values(), (row) => row.credit_score === null), 0.1, "no credit score");
  near(share(customers.values(), (row) => row.annual_income === null), 0.2, "no income");
  near(share(customers.values(), (row) => row.referral_code !== null), 0.3, "referred");
  near(share(customers.values(), (row) => row.tags.length === 3), 0.25, "three tags");
  const basic = [...customers.values()].filter((row) => row.tier === "basic").map((row) => cents(row.risk_score) / 100);
  const mean = basic.reduce((sum, risk) => sum + risk, 0) / basic.length;
  // Clipped at 0: the mean of max(0, N(20, 10)) is 20.085.
  assert.ok(Math.abs(mean - 20.085) < 0.6, `mean risk ${mean}`);
  assert.ok(Math.abs(basic.filter((risk) => risk > 30).length / basic.length - 0.1587) < 0.03);
  for (const row of customers.values()) {
    const years = (BASE_MICROS / DAY_MICROS - row.date_of_birth) / 365.25;
    assert.ok(years >= 18 && years <= 80.1, String(years));
  }
  assert.equal(new Set(customers.values().map((row) => row.email)).size, 4000);
  assert.equal(new Set(accounts.values().map((row) => row.account_number)).size, accounts.size);
  for (const account of accounts.values()) {
    const { tier } = customers.get(account.customer_id)!;
    const isSavings = account.account_type === "savings";
    assert.equal(account.minimum_balance, isSavings ? "100.00" : "0.00");
    assert.equal(account.interest_rate !== null, isSavings);
    if (isSavings) assert.match(account.interest_rate, /^0\.0[1-5]\d\d$/);
    if (tier === "vip" || tier === "enterprise") assert.equal(account.monthly_fee, "0.00");
    assert.ok(tier === "enterprise" || account.account_type !== "business");
    assert.deepEqual([account.is_active, account.is_frozen], [true, false]);
  }
});

Deno.test("sessions are those of their transactions: the same customer, and the transaction within", async () => {
  const rows = await rowsOf("count = 3000");
  const sessions = await rowsOf('table = "customer_sessions"\ntransactions = 3000');
  const made = new Map(rows.map((row) => [row.updated_at, row]));
  for (const session of sessions) {
    const transaction = made.get(session.created_at)!;
    assert.equal(session.customer_id, transaction.customer_id);
    const [from, to, at] = [session.started_at, session.ended_at, transaction.created_at].map(micros);
    assert.ok(from <= at && at <= to);
    const seconds = (to - from) / 1e6;
    assert.ok(seconds >= 30 && seconds <= 3600);
    const least = Math.max(1, Math.floor(seconds / 60)) + 3 * session.transactions_count;
    assert.ok(session.actions_count >= least + 5 && session.actions_count <= least + 20);
  }
});

Deno.test("the profile unusual has what the original lacks", async () => {
  const settings = 'profile = "unusual"\ncount = 20000';
  const rows = await rowsOf(settings);
  const { accounts, merchants } = await tables('profile = "unusual"\ncustomers = 100');
  const firsts = byId([...rows].reverse());
  const repeated = rows.filter((row) => firsts.get(row.id) !== row);
  const kinds = Map.groupBy(repeated, (row) => row.__deleted === "true" ? "delete" : row.version === 2 ? "update" : "duplicate");
  for (const kind of ["delete", "update", "duplicate"] as const) {
    const percent = (kinds.get(kind)?.length ?? 0) / 200;
    assert.ok(percent > 0.5 && percent < 1.5, `${kind}: ${percent} %`);
  }
  for (const row of kinds.get("duplicate")!) assert.deepEqual(row, firsts.get(row.id));
  for (const row of kinds.get("update")!) assert.deepEqual([row.status, firsts.get(row.id)!.version], ["disputed", 1]);
  const fresh = [...firsts.values()];
  const statuses = Map.groupBy(fresh, (row) => row.status);
  assert.deepEqual([...statuses.keys()].sort(), ["completed", "failed", "pending"]);
  assert.equal(new Set(fresh.map((row) => row.transaction_location.country)).size, 12);
  assert.ok(new Set(fresh.map((row) => row.device_fingerprint)).size < 0.8 * fresh.length);
  assert.ok(fresh.some((row) => row.from_account_id !== null && !accounts.has(row.from_account_id)));
  assert.ok(accounts.values().some((row) => row.is_frozen) && accounts.values().some((row) => !row.is_active));
  const late = await rowsOf('table = "merchants"\nprofile = "unusual"\npart = "late"');
  const early = await rowsOf('table = "merchants"\nprofile = "unusual"\npart = "early"');
  assert.ok(late.length > 0);
  assert.deepEqual([...early, ...late].map((row) => row.id).sort(), [...merchants.keys()].sort());
  let rapid = 0;
  for (let i = 1; i < rows.length; i++) {
    const gap = micros(rows[i].created_at) - micros(rows[i - 1].created_at);
    if (rows[i].customer_id === rows[i - 1].customer_id && gap === 5e6) rapid++;
  }
  assert.ok(rapid > 200, `${rapid} rapid ones`);
});

Deno.test("with a higher count a table's changes follow, and deletes are marked", async () => {
  const { reader } = await open(
    'table = "merchants"\nrate = "max"\ncount = 200\nunusual = { deletes = 20 }',
    'id = "string", name = "string"',
  );
  const polled = await reader.poll(reader.start, { rowsMax: 4096, bytesMax: 1 << 24 });
  assert.ok(polled.kind === "batch" && polled.batch.rows === 200 && polled.rejected.length === 0);
  const deleted = polled.batch.meta.deleted!;
  assert.equal(deleted.subarray(0, 50).includes(1), false);
  const count = deleted.reduce((sum, mark) => sum + mark, 0);
  assert.ok(count > 15 && count < 45, `${count} deletes`);
  const versions = await rowsOf('table = "accounts"\ncustomers = 3\ncount = 20').then((rows) => rows.map((row) => row.version));
  assert.equal(Math.max(...versions) > 1, true);
});

Deno.test("a table ends where its population does, a stream of transactions does not", async () => {
  for (
    const [settings, bounded] of [
      ['table = "customers"', true],
      ['table = "customer_sessions"', false],
      ['table = "customer_sessions"\ntransactions = 10', true],
      ["", false],
      ["count = 1", true],
    ] as const
  ) assert.equal((await open(settings)).bounded, bounded, settings);
});

Deno.test("faults of the generator point at their setting", async () => {
  assert.match(await faultsOf(pipeline('base_time = "soon"')), /"soon" is not a timestamp/);
  assert.match(
    await faultsOf(pipeline("").replace("fintech", "trades").replace("seed = 7", 'seed = 7\ntable = "customers"')),
    /trades has no setting "table"/,
  );
  assert.match(await faultsOf(pipeline("unusual = { failed = 101 }")), /failed/);
});
