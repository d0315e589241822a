/**
 * Histories of a decide over the ten rules of customer screening: the acceptance cases F1 to F13 of the workload, whose alerts come out with
 * their rules and points, each case cut into batches of every size and recovered in between.
 */
import { equal } from "node:assert/strict";
import { decide } from "../../src/transforms/decide.ts";
import { type Cut, lines, run, table } from "./support.ts";
import { SCREENING } from "./screening.ts";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Seconds from 2025-01-16T00:00:00Z, as microseconds. */
const at = (seconds: number): number => (Date.UTC(2025, 0, 16) / 1000 + seconds) * 1e6;
const clock = (hours: number, minutes = 0, seconds = 0): number => hours * HOUR + minutes * MINUTE + seconds;

interface Payment {
  readonly time: number;
  readonly amount: string;
  readonly account?: string | null;
  readonly device?: string | null;
  readonly country?: string | null;
}
interface Account {
  readonly minimum: string;
  readonly active?: boolean;
  readonly frozen?: boolean;
}

/** The alerts of one customer's payments: number of the payment, rules by their initials, points. With `cut`, in pieces. */
function alerts(account: Account, payments: readonly Payment[], threshold = 50, cut?: Cut): string {
  const rows = payments.map(({ time, amount, account: from = "a1", device = "d1", country = "US" }, index) =>
    [`t${index + 1}`, "c1", from, amount, device, country, time].map(String).join(" | ")
  );
  const transactions = table(`
    id string | customer_id string | from_account_id string? | amount decimal(2) | device string? | country string? | created_at timestamp
    ${rows.join("\n")}
  `);
  const accounts = table(`
    id string | is_active bool? | is_frozen bool? | minimum_balance decimal(2)?
    a1 | ${account.active ?? true} | ${account.frozen ?? false} | ${account.minimum}
  `);
  const out = run(decide, {
    inputs: [transactions],
    tables: { accounts: { key: "id", rows: accounts } },
    params: {
      threshold: { type: { kind: "int", nullable: false }, value: threshold },
      always_alert: { type: { kind: "list", item: { kind: "string", nullable: false }, nullable: false }, value: [] },
    },
    settings: SCREENING,
    latenessMicros: 25 * HOUR * 1e6,
  }, cut);
  equal(out.rejects.join("\n"), "");
  return (out.ports.get("out") ?? []).join("\n");
}

/** The case as a whole, row by row, and with a recovery behind every row, gives the same. */
function expectAlerts(expected: string, account: Account, payments: readonly Payment[], threshold = 50): void {
  for (
    const cut of [undefined, { rowsMax: 1 }, { rowsMax: 1, recovers: () => true }, {
      rowsMax: 3,
      recovers: (step: number) => step % 2 === 0,
    }]
  ) {
    equal(alerts(account, payments, threshold, cut), lines(expected));
  }
}

Deno.test("F1: a large payment of a plain account is high and no more", () => {
  expectAlerts("", { minimum: "0.00" }, [{ time: at(clock(12)), amount: "12000.00" }]);
  expectAlerts("t1 | [HIGH] | 30", { minimum: "0.00" }, [{ time: at(clock(12)), amount: "12000.00" }], 29);
});

Deno.test("F2: a sum of exactly the daily limit is not above it", () => {
  const payments = [
    { time: at(clock(9)), amount: "20000.00" },
    { time: at(clock(11)), amount: "20000.00" },
    { time: at(clock(13)), amount: "10000.00" },
    { time: at(clock(14)), amount: "0.01" },
  ];
  expectAlerts("t1 | [HIGH, EXCESSIVE] | 55\nt2 | [HIGH, EXCESSIVE] | 55", { minimum: "100.00" }, payments);
  expectAlerts(
    "t1 | [HIGH, EXCESSIVE] | 55\nt2 | [HIGH, EXCESSIVE] | 55\nt3 | [EXCESSIVE] | 25\nt4 | [DAILY] | 40",
    { minimum: "100.00" },
    payments,
    0,
  );
});

Deno.test("F3: a second payment of a frozen account within a minute is rapid too", () => {
  const payments = [{ time: at(clock(12)), amount: "10.00" }, { time: at(clock(12, 0, 30)), amount: "10.00" }];
  expectAlerts("t2 | [RAPID, FROZEN] | 85", { minimum: "0.00", frozen: true }, payments);
});

Deno.test("F4: ten times the minimum balance is not more than ten times", () => {
  const payments = [{ time: at(clock(12)), amount: "1000.00" }, { time: at(clock(14)), amount: "1000.01" }];
  expectAlerts("t2 | [INACTIVE, EXCESSIVE] | 55", { minimum: "100.00", active: false }, payments);
});

Deno.test("F5: the eleventh payment of an hour is frequent, and one exactly an hour old is out", () => {
  const payments = Array.from({ length: 13 }, (_, i) => ({ time: at(clock(12, 5 * i)), amount: "10.00" }));
  expectAlerts("t11 | [FREQUENT] | 25\nt12 | [FREQUENT] | 25\nt13 | [FREQUENT] | 25", { minimum: "100.00" }, payments, 0);
});

Deno.test("F6: the fourth device of a day is one too many", () => {
  const payments = Array.from({ length: 5 }, (_, i) => ({ time: at(clock(9 + i)), amount: "10.00", device: `d${i + 1}` }));
  expectAlerts("t4 | [DEVICES] | 15\nt5 | [DEVICES] | 15", { minimum: "100.00" }, payments, 0);
});

Deno.test("F7: payments out of order are rapid only after those that happened before", () => {
  const times = [clock(12), clock(10), clock(12, 0, 59), clock(12, 1, 59)];
  expectAlerts("t3 | [RAPID] | 35", { minimum: "100.00" }, times.map((time) => ({ time: at(time), amount: "10.00" })), 0);
});

Deno.test("F8: three times the mean, this one included, is not unusual, a cent more is", () => {
  const before = [10, 11, 12, 13].map((hour) => ({ time: at(clock(hour)), amount: "100.00" }));
  expectAlerts("t5 | [UNUSUAL] | 20", { minimum: "100.00" }, [...before, { time: at(clock(15)), amount: "600.01" }], 0);
  expectAlerts("", { minimum: "100.00" }, [...before, { time: at(clock(15)), amount: "600.00" }], 0);
});

Deno.test("F9: from 23:00:00 to 05:59:59 a payment is unusual", () => {
  const times = [clock(15), clock(16), clock(17), clock(18), clock(22, 59, 59), clock(23, 59, 59), DAY + clock(5, 59, 59), DAY + clock(7)];
  expectAlerts(
    "t6 | [UNUSUAL] | 20\nt7 | [UNUSUAL] | 20",
    { minimum: "100.00" },
    times.map((time) => ({ time: at(time), amount: "100.00" })),
    0,
  );
});

Deno.test("F10: deposits are not remembered; a payment from an unknown account is screened without the account's rules", () => {
  const payments = [
    { time: at(clock(12)), amount: "60000.00", account: null },
    { time: at(clock(14)), amount: "60.00" },
    { time: at(clock(16)), amount: "20000.00", account: "nobody" },
  ];
  expectAlerts("t3 | [HIGH] | 30", { minimum: "100.00" }, payments, 0);
});

Deno.test("F11: a payment exactly a day old still counts, one a millisecond older does not", () => {
  const payments = [
    { time: at(clock(12)), amount: "50000.00" },
    { time: at(DAY + clock(12)), amount: "1.00" },
    { time: at(2 * DAY + clock(12)) + 1000, amount: "50000.00" },
  ];
  expectAlerts("t1 | [HIGH] | 30\nt2 | [DAILY] | 40\nt3 | [HIGH] | 30", { minimum: "0.00" }, payments, 0);
});

Deno.test("F12: the sixth country of a day is one too many", () => {
  const payments = Array.from({ length: 7 }, (_, i) => ({ time: at(clock(9 + i)), amount: "10.00", country: `C${i + 1}` }));
  expectAlerts("t6 | [LOCATIONS] | 20\nt7 | [LOCATIONS] | 20", { minimum: "100.00" }, payments, 0);
});

Deno.test("F13: all ten rules at once stand in their order", () => {
  const payments = [
    ...Array.from({ length: 10 }, (_, i) => ({ time: at(clock(1, 3 * i + 3)), amount: "15000.00", device: `d${i}`, country: `C${i}` })),
    { time: at(clock(1, 30, 30)), amount: "500000.00", device: "d10", country: "C10" },
  ];
  const last = alerts({ minimum: "100.00", frozen: true, active: false }, payments).split("\n").at(-1);
  equal(last, "t11 | [HIGH, DAILY, FREQUENT, LOCATIONS, DEVICES, RAPID, UNUSUAL, FROZEN, INACTIVE, EXCESSIVE] | 290");
});
