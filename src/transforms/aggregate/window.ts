/** The `window` of an aggregate: what the settings say, checked, and the code that finds a row's windows. */
import type { SettingGroup } from "../../component/settings.ts";
import { timesOf } from "../support/event_times.ts";
import type { LoopBuilder } from "../support/loop_builder.ts";
import type { PlanChecker } from "../support/plan_checker.ts";

/** Windows are [start, end), aligned to 1970. All in µs. */
export type Window =
  | { readonly type: "tumbling"; readonly sizeMicros: number }
  | { readonly type: "sliding"; readonly sizeMicros: number; readonly everyMicros: number }
  | { readonly type: "session"; readonly gapMicros: number; readonly mostMicros: number };

/** A row of a sliding window is folded into so many windows at most. */
const OVERLAP_MAX = 1000;
const MICROS_PER_MS = 1000;
const NEEDED = { tumbling: ["size"], sliding: ["size", "every"], session: ["gap"] } as const;
const ALLOWED = { tumbling: ["size"], sliding: ["size", "every"], session: ["gap", "most"] } as const;

/** Reads the group; null when a fault was reported. */
export function readWindow(settings: SettingGroup, checker: PlanChecker): Window | null {
  const type = settings.text("type") as Window["type"];
  let fine = true;
  const fault = (name: string | null, message: string, hint?: string): void => {
    fine = false;
    checker.fault(name === null ? settings.span : settings.at(name), message, hint);
  };
  for (const name of ["size", "every", "gap", "most"]) {
    const wanted = (NEEDED[type] as readonly string[]).includes(name);
    const allowed = (ALLOWED[type] as readonly string[]).includes(name);
    if (wanted && !settings.has(name)) fault(null, `a ${type} window needs \`${name}\``, `${name} = "5s"`);
    else if (!allowed && settings.has(name)) fault(name, `a ${type} window has no \`${name}\``, `it has ${ALLOWED[type].join(" and ")}`);
    else if (settings.has(name) && settings.number(name) <= 0) fault(name, `\`${name}\` is longer than nothing`);
  }
  if (!fine) return null;
  const micros = (name: string): number => settings.number(name) * MICROS_PER_MS;
  switch (type) {
    case "tumbling":
      return { type, sizeMicros: micros("size") };
    case "session":
      return { type, gapMicros: micros("gap"), mostMicros: settings.has("most") ? micros("most") : Infinity };
    case "sliding": {
      const [sizeMicros, everyMicros] = [micros("size"), micros("every")];
      if (everyMicros > sizeMicros) fault("every", "`every` is longer than `size`: rows between two windows would be lost");
      if (sizeMicros / everyMicros > OVERLAP_MAX) {
        fault("every", `a row would be in more than ${OVERLAP_MAX} windows`, "make `every` longer");
      }
      return fine ? { type, sizeMicros, everyMicros } : null;
    }
  }
}

/** The window's end where it follows from its start. */
export function fixedSize(window: Window): number | null {
  return window.type === "session" ? null : window.sizeMicros;
}

/** How wide buckets of due windows are: windows that end together share one. */
export function bucketWidth(window: Window): number {
  return window.type === "tumbling" ? window.sizeMicros : window.type === "sliding" ? window.everyMicros : Math.ceil(window.gapMicros / 16);
}

/** Names of what generated code works on. */
export interface WindowNames {
  /** The key parts: a variable, and the statement that evaluates it, which may be left out where nothing reads it. */
  readonly keys: readonly { readonly local: string; readonly code: string }[];
  /** Where the only key part is a text that lies in the batch: code for its place. */
  readonly slice: { readonly bytes: string; readonly from: string; readonly to: string } | null;
  /** The variable that gets the group's slot. */
  readonly slot: string;
}
export interface WindowCode {
  /** Once per batch. */
  readonly before: string;
  readonly after: string;
  /** Statements that put a row aside as late, before anything else of it is evaluated. */
  readonly judge: string;
  /** Statements that evaluate the key and run `fold` for each group that the row belongs to. */
  place(names: WindowNames, fold: string): string;
}

/**
 * The code around the folding. The loop finds `work.windows` (what happens to new groups) and `work.mark` (the watermark where rows have
 * none of their own), and leaves late rows in `work.others`.
 */
export function windowCode(window: Window, builder: LoopBuilder): WindowCode {
  const times = builder.readOnce("times", `${builder.unit.constant(timesOf, "timesOf")}(batch)`);
  const marks = builder.readOnce("marks", "batch.meta.watermark");
  const [time, mark, start, live] = ["time", "mark", "start", "live"].map((name) => builder.local(name));
  const around = {
    before: "const groups = state[0], windows = work.windows, others = work.others; let l = work.otherCount;",
    after: "work.otherCount = l;",
  };
  const read = `${time} = ${times}[i]; ${mark} = ${marks} === null ? work.mark : ${marks}[i];`;
  const late = "{ others[l++] = i; continue; }";
  const insert = (from: string, end: string, { keys, slot }: WindowNames): string =>
    `${live} = groups.live; ${slot} = groups.insert(${[from, ...keys.map(({ local }) => local)].join(", ")});
if (groups.live !== ${live}) windows.opened(${slot}, ${end});`;
  const evaluated = ({ keys }: WindowNames): string => keys.map(({ code }) => code).join("\n");
  switch (window.type) {
    case "tumbling": {
      const size = window.sizeMicros;
      // Mostly the window of the row before: the division is saved.
      const [end, way] = [builder.local("end"), builder.local("way")];
      return {
        ...around,
        before: `${around.before} const memo = work.memo; ${start} = 0; ${end} = 0;`,
        judge: `${read}
if (!(${time} >= ${start} && ${time} < ${end})) {
  ${start} = ${aligned(time, size)}; ${end} = ${start} + ${size}; ${way} = ${start} % ${2 * size} === 0 ? 0 : 1;
}
if (${mark} >= ${end}) ${late}`,
        place(names, fold) {
          const { slice, slot, keys } = names;
          const found = `${evaluated(names)}\n${insert(start, end, names)}`;
          if (slice === null) return `${found}\n${fold}`;
          return `${slot} = ${slice.bytes} === null ? -1 : memo.find(${slice.bytes}, ${slice.from}, ${slice.to}, ${start}, ${way});
if (${slot} < 0) { ${found} memo.remember(${keys[0].local}, ${start}, ${way}, ${slot}); }
${fold}`;
        },
      };
    }
    case "sliding": {
      const { sizeMicros: size, everyMicros: every } = window;
      return {
        ...around,
        judge: `${read} ${start} = ${aligned(time, every)}; if (${mark} >= ${start} + ${size}) ${late}`,
        place: (names, fold) =>
          `${evaluated(names)}
for (; ${start} > ${time} - ${size} && ${start} + ${size} > ${mark}; ${start} -= ${every}) { ${
            insert(start, `${start} + ${size}`, names)
          } ${fold} }`,
      };
    }
    case "session":
      return {
        ...around,
        judge: read,
        place(names, fold) {
          const key = names.keys.length === 0 ? "0" : names.keys.map(({ local }) => local).join(", ");
          return `${evaluated(names)}
${names.slot} = windows.place(${time}, ${mark}, ${key}); if (${names.slot} < 0) ${late}
${fold}`;
        },
      };
  }
}

/** Exact for every timestamp, before 1970 too. */
function aligned(time: string, step: number): string {
  return `${time} - (${time} % ${step} + ${step}) % ${step}`;
}
