/**
 * Five tables of a bank that change data capture would tell: merchants, customers and their accounts, then sessions and transactions.
 * Invariant: sources of different tables with one seed, one profile and the same settings belong together.
 */
import type { SettingGroup } from "../../../component/settings.ts";
import { timestampText } from "../../../data/time.ts";
import type { RecordGenerator, SequenceOptions } from "../record_sequence.ts";
import type { FintechOptions } from "./choices.ts";
import { populate } from "./population.ts";
import { type Part, ReferenceRows, type ReferenceTable } from "./reference_rows.ts";
import { SessionRows } from "./sessions.ts";
import { TransactionRows } from "./transactions.ts";
import { PROFILES, UNUSUAL, unusualOf } from "./unusual.ts";

const CUSTOMERS_MOST = 500_000;
/** What the loop aims at where its rows are not paced. */
const USUAL_RATE = 10;
const USUAL_BASE = "2025-08-21T03:00:00Z";

export const fintech: RecordGenerator = {
  summary: "Rows of five tables of a bank as change data capture tells them: merchants, customers, accounts, sessions, transactions.",
  profiles: PROFILES,
  changes: true,
  settings: {
    table: {
      kind: "choice",
      optional: true,
      doc: "Of `fintech`: the table. Default: transactions. Sources of one seed and the same settings belong together.",
      choices: {
        transactions: "without end; one in ten is made within a session",
        customer_sessions: "in the order of their transactions",
        customers: "each once; with a higher `count` changes of their scores follow",
        accounts: "each once; with a higher `count` they are frozen and freed in turn",
        merchants: "fifty, each once; with a higher `count` they are closed and opened in turn",
      },
    },
    customers: {
      kind: "int",
      unit: "customers",
      min: 1,
      max: CUSTOMERS_MOST,
      optional: true,
      doc: "Of `fintech`: how many customers there are. Default: 100. They have about 1.9 accounts each.",
    },
    transactions: {
      kind: "int",
      unit: "transactions",
      min: 1,
      max: 1e9,
      optional: true,
      doc: "Of `fintech`: customer_sessions ends with those of the first so many transactions. Default: without end.",
    },
    base_time: {
      kind: "text",
      optional: true,
      doc:
        `Of \`fintech\`: the simulated time a day before the first transaction. Default: ${USUAL_BASE}. A simulated day lasts ten seconds.`,
    },
    part: {
      kind: "choice",
      optional: true,
      doc: "Of `fintech`: which merchants. Default: all.",
      choices: { all: "all", early: "all but the late ones", late: "the late ones" },
    },
    unusual: UNUSUAL,
  },
  check(settings) {
    const text = settings.has("base_time") ? settings.text("base_time") : USUAL_BASE;
    if (Number.isSafeInteger(timestampText().parse(text))) return null;
    return { setting: "base_time", message: `"${text}" is not a timestamp`, hint: `write for example ${USUAL_BASE}` };
  },
  ends: (settings) => {
    const table = settings.has("table") ? settings.text("table") : "transactions";
    return table === "customer_sessions" ? settings.has("transactions") : table !== "transactions";
  },
  sequence: (profile, seed, options) => {
    const table = options?.settings.has("table") ? options.settings.text("table") : "transactions";
    const shared = sharedOptions(profile, seed, options);
    if (table === "transactions") return new TransactionRows(shared);
    if (table === "customer_sessions") return new SessionRows(shared);
    const part = options?.settings.has("part") ? options.settings.text("part") as Part : "all";
    return new ReferenceRows(shared, table as ReferenceTable, part);
  },
};

function sharedOptions(profile: string, seed: number, options: SequenceOptions | undefined): FintechOptions {
  const { settings, rate } = options ?? { settings: null, rate: Infinity };
  const unusual = unusualOf(profile, settings?.has("unusual") ? settings.group("unusual") : null);
  const number = (name: string): number | null => settings?.has(name) ? settings.number(name) : null;
  return {
    seed,
    population: populate(seed, number("customers") ?? 100, unusual),
    unusual,
    rate: rate === Infinity ? USUAL_RATE : rate,
    baseMicros: baseMicros(settings),
    transactions: number("transactions"),
  };
}

function baseMicros(settings: SettingGroup | null): number {
  return timestampText().parse(settings?.has("base_time") ? settings.text("base_time") : USUAL_BASE);
}
