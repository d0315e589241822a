/** The windowed side of `aggregate`: its settings, their checks, its result and its operator. */
import type { Example, ExchangeWish, TransformContext, TransformPlan } from "../../component/component.ts";
import type { Setting } from "../../component/settings.ts";
import { BOOL, type Field, TIMESTAMP, type Type } from "../../data/types.ts";
import type { StateTableSpec } from "../../engine/contracts.ts";
import { keyedName } from "../support/keys.ts";
import type { Loop, LoopBuilder } from "../support/loop_builder.ts";
import { nearestHint } from "../support/names.ts";
import type { PlanChecker } from "../support/plan_checker.ts";
import { once } from "../support/row_operator.ts";
import { VIA } from "../support/settings.ts";
import type { ResultParts } from "./results.ts";
import { CHAIN_COLUMNS, SESSION_COLUMNS, WINDOW_END } from "./sessions.ts";
import { readWindow, type Window, type WindowCode, windowCode } from "./window.ts";
import { mergeLoop, partialType } from "./two_phase.ts";
import { CHANGED, WindowOperator } from "./window_operator.ts";
import type { OrderPart } from "./window_order.ts";

export interface Windowing {
  readonly window: Window;
  readonly emit: "final" | "update";
  readonly onStop: "keep" | "emit_partial";
}

const START: Field = { name: "window_start", type: TIMESTAMP };
const END: Field = { name: "window_end", type: TIMESTAMP };
const PARTIAL: Field = { name: "partial", type: BOOL };
/** Columns that every window's result has. */
export const WINDOW_RESULTS: readonly string[] = [START.name, END.name, PARTIAL.name];
const ONLY_WITH_WINDOW = ["emit", "order_by", "on_stop", "two_phase"];

export const WINDOW_SETTINGS: Readonly<Record<string, Setting>> = {
  window: {
    kind: "group",
    optional: true,
    doc: "One group per window of event time and key. Windows are [start, end) and aligned to 1970. Left out: one group per key.",
    fields: {
      type: {
        kind: "choice",
        doc: "How time is divided.",
        choices: {
          tumbling: "One after the other, each of `size`.",
          sliding: "Each of `size`, a new one `every` so often: a row is in several.",
          session: "Rows of one key between which less than `gap` lies.",
        },
      },
      size: { kind: "duration", optional: true, doc: "Length of a tumbling or sliding window." },
      every: { kind: "duration", optional: true, doc: "From the start of one sliding window to that of the next." },
      gap: { kind: "duration", optional: true, doc: "A session ends when its key had no row for so long." },
      most: { kind: "duration", optional: true, doc: "From a session's first row to its last; a later row begins another." },
    },
  },
  emit: {
    kind: "choice",
    optional: true,
    doc: "When a window's row is given out. Default: final.",
    choices: {
      final: "Once, when the watermark has passed the window's end.",
      update: "After each epoch that changed it, with `partial` true, and once more when it closes: for sinks that put rows by key.",
    },
  },
  order_by: {
    kind: "cel_list",
    optional: true,
    doc:
      "Columns of the result, for the order of rows whose windows end together. Default: window_start and the key, which decide in any case.",
  },
  two_phase: {
    kind: "either",
    optional: true,
    doc:
      "Each lane folds its own rows, and the windows of all lanes are added up in lanes by key: for keys that the source's partitions do not go by.",
    of: [{ kind: "bool", doc: "True: added up in one lane." }, {
      kind: "group",
      doc: "Added up in several lanes.",
      fields: {
        lanes: { kind: "int", unit: "lanes", min: 1, max: 1024, default: 1, doc: "Lanes by key, in which windows are added up." },
        via: VIA,
      },
    }],
  },
  on_stop: {
    kind: "choice",
    optional: true,
    doc: "What becomes of open windows when the pipeline is stopped. Default: keep.",
    choices: {
      keep: "They stay in the checkpoint; the next start goes on with them.",
      emit_partial: "They are given out with `partial` true and closed. After another start the same window may have a second row.",
    },
  },
};

export const WINDOW_NOTES =
  `With \`window\`, rows are grouped by event time too; every source that they come from needs \`time\`. The result's fields are
\`window_start\`, \`window_end\`, the keys, the aggregates and \`partial\`. A window closes when the watermark has reached its end, and at the
end of the input; a window without rows has no row. Rows of which every window has closed leave through the port \`late\`. Windows leave by
their end, then by \`order_by\`, then by start and key: the same input gives the same rows in the same order, however it is read.

With \`two_phase\` each lane folds its own rows and gives a window out when its own time has passed it; a topic takes these partial results to
lanes by key, as a [repartition](transform_repartition.md) takes rows, and there they are added up and leave when all lanes have come so far: a row
per lane, window and key goes through the topic instead of all. A lane that was idle and comes back may give out a window that has left: that
partial result is rejected as \`late\`. Of equal rows of different lanes, \`first_by\` and \`last_by\` take any. Time of arrival is not done in
two phases.`;

export const WINDOW_EXAMPLE: Example = {
  title: "Totals per minute",
  toml: `[sources.payments]
type   = "csv"
path   = "payments.csv"
fields = { at = "timestamp", account = "string", amount = "decimal(2)" }
time   = { field = "at", lateness = "5s" }

[transforms.minutes]
type      = "aggregate"
inputs    = ["payments"]
window    = { type = "tumbling", size = "1m" }
by        = ["account"]
aggregate = { payments = "count()", total = "sum(amount)" }

[sinks.out]
type   = "csv"
inputs = ["minutes"]
path   = "minutes.csv"

[[tests]]
name           = "a payment on the border belongs to the next minute"
given.payments = [
  { at = 2025-01-01T00:00:59Z, account = "a", amount = 1.50 },
  { at = 2025-01-01T00:01:00Z, account = "a", amount = 2.00 },
]
expect.out     = [
  { window_end = 2025-01-01T00:01:00Z, account = "a", payments = 1, total = 1.50, partial = false },
  { window_end = 2025-01-01T00:02:00Z, account = "a", payments = 1, total = 2.00, partial = false },
]
`,
};

/** The window's settings; null without a window, or when a fault was reported. */
export function readWindowing(context: TransformContext, checker: PlanChecker): Windowing | null {
  const { settings, inputs: [input] } = context;
  if (!settings.has("window")) {
    for (const name of ONLY_WITH_WINDOW) {
      if (settings.has(name)) {
        checker.fault(settings.at(name), `\`${name}\` goes with \`window\``, 'window = { type = "tumbling", size = "1m" }');
      }
    }
    return null;
  }
  if (!input.timed) {
    const hint =
      'each source that they come from needs time = { field = "...", lateness = "2s" }; behind an aggregate without a window there is none';
    checker.fault(settings.at("window"), `rows of "${input.node}" have no event time`, hint);
  }
  const window = readWindow(settings.group("window"), checker);
  if (window === null) return null;
  const emit = settings.has("emit") && settings.text("emit") === "update" ? "update" : "final";
  if (emit === "update" && window.type === "session") {
    const hint = 'emit = "final": a session that was told could still become part of another, and its row would stay';
    checker.fault(settings.at("emit"), "a session is not told before it closes", hint);
  }
  const onStop = settings.has("on_stop") && settings.text("on_stop") === "emit_partial" ? "emit_partial" : "keep";
  return { window, emit, onStop };
}

/** What a windowed aggregate is made of. */
export interface WindowedAggregate {
  readonly context: TransformContext;
  readonly windowing: Windowing;
  readonly results: ResultParts;
  readonly key: readonly ("number" | "text")[];
  readonly keyTypes: readonly Type[];
  readonly columns: StateTableSpec["columns"];
  readonly loop: () => Loop;
}

interface WindowPlans extends Pick<TransformPlan, "outputs" | "create"> {
  /** By lane, and added up. */
  readonly phases: Readonly<Record<"first" | "second", Pick<TransformPlan, "outputs" | "create">>>;
}

/** The outputs and the operator; everything is checked. */
export function planWindows(made: WindowedAggregate, checker: PlanChecker): WindowPlans {
  const { context, windowing: { window, emit, onStop }, results, key, keyTypes, columns, loop } = made;
  const type = { fields: [START, END, ...results.by, ...results.fields, PARTIAL] };
  const partial = partialType(results, { before: [START, END], behind: [PARTIAL] });
  const orderBy = context.settings.has("order_by") ? readOrder(context, results, checker) : [];
  const isSession = window.type === "session";
  const groups: StateTableSpec = {
    name: keyedName(`${window.type} groups`, keyTypes),
    key: ["number", ...key],
    columns: [...columns, WINDOW_END, ...(isSession ? SESSION_COLUMNS : []), ...(emit === "update" ? [CHANGED] : [])],
    version: isSession ? 2 : 1,
  };
  const chains: StateTableSpec | null = isSession
    ? { name: keyedName("sessions", keyTypes), key: key.length === 0 ? ["number"] : key, columns: CHAIN_COLUMNS, version: 1 }
    : null;
  const late = context.inputs[0].type;
  const parts = { ...results, node: context.name, window, emit, onStop, orderBy, groups, chains };
  const merging = once(() => mergeLoop(results));
  return {
    outputs: new Map([["out", type], ["late", late]]),
    create: (lane) => new WindowOperator({ ...parts, type, loop: loop() }, lane),
    phases: {
      first: {
        outputs: new Map([["out", partial], ["late", late]]),
        create: (lane) => new WindowOperator({ ...parts, type: partial, orderBy: [], loop: loop(), phase: "partial" }, lane),
      },
      second: {
        outputs: new Map([["out", type]]),
        create: (lane) => new WindowOperator({ ...parts, type, loop: merging(), phase: "merge" }, lane),
      },
    },
  };
}

/** `two_phase` of a windowed aggregate; null where it is not wanted, or cannot be. */
export function readTwoPhase(
  { settings }: TransformContext,
  { window, emit }: Windowing,
  checker: PlanChecker,
): Pick<ExchangeWish, "lanes" | "connection" | "topic"> | null {
  if (!settings.has("two_phase") || settings.which("two_phase") === 0 && !settings.bool("two_phase")) return null;
  if (window.type === "session") {
    checker.fault(
      settings.at("two_phase"),
      "sessions are not made in two phases: a row in another lane may join two of them",
      "repartition the rows by the key instead",
    );
  } else if (emit === "update") {
    checker.fault(
      settings.at("two_phase"),
      "what is told while a window is open is not made in two phases",
      'emit = "final", or repartition the rows by the key',
    );
  }
  const group = settings.which("two_phase") === 1 ? settings.group("two_phase") : null;
  const via = group?.has("via") ? group.group("via") : null;
  const text = (name: string): string | null => via?.has(name) ? via.text(name) : null;
  return { lanes: group?.number("lanes") ?? 1, connection: text("connection"), topic: text("topic") };
}

function readOrder(context: TransformContext, { by, fields }: ResultParts, checker: PlanChecker): OrderPart[] {
  return context.settings.celList("order_by").flatMap((cel): OrderPart[] => {
    const name = cel.text.trim();
    if (name === "window_start" || name === "window_end") return [{ column: name }];
    const byIndex = by.findIndex((field) => field.name === name);
    if (byIndex >= 0) return [{ column: "by", index: byIndex }];
    const index = fields.findIndex((field) => field.name === name);
    if (index >= 0 && isOrdered(fields[index].type)) return [{ column: "aggregate", index }];
    const known = [START.name, END.name, ...by.map((field) => field.name), ...fields.map((field) => field.name)];
    if (index >= 0) checker.fault(cel.span, `"${name}" has no order`, "order by a number, a time or a text");
    else checker.fault(cel.span, `the result has no column "${name}" to order by`, nearestHint(name, known));
    return [];
  });
}

function isOrdered({ kind }: Type): boolean {
  return !["list", "map", "struct", "json"].includes(kind);
}

/** Code for the loop: the window's own, and what notes that a group is not as it was told. */
export function windowLoopParts(
  { window, emit }: { readonly window: Window; readonly emit: string },
  builder: LoopBuilder,
): WindowCode & { told(slot: string): string } {
  const code = windowCode(window, builder);
  const changed = emit === "update" ? builder.hoist("changed", `state[0].number(${JSON.stringify(CHANGED.name)})`) : null;
  return {
    ...code,
    told: (slot) =>
      changed === null
        ? ""
        : `if (${changed}.values[${slot}] !== 1) { ${changed}.values[${slot}] = 1; ${changed}.valid[${slot}] = 1; windows.changed(${slot}); }`,
  };
}
