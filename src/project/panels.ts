/**
 * [[panels]]: what the page of a running pipeline shows of its rows. Invariant: a panel changes nothing of what the pipeline does; it
 * only has the fields decoded that it shows, and never one with a tag.
 */
import type { GroupSetting } from "../component/settings.ts";
import type { Field, RecordType, Type } from "../data/types.ts";
import type { PanelBlueprint } from "./contracts.ts";
import type { Document } from "./documents.ts";
import { type Origins, parseEdge } from "./graph.ts";
import { suggestion } from "./nearest.ts";
import type { Ports } from "./plan_transforms.ts";
import type { CheckedGroup } from "./setting_group.ts";
import { readGroup, type SettingContext } from "./settings.ts";

/** One entry of [[panels]]. */
export const PANEL_SETTINGS: GroupSetting = {
  kind: "group",
  doc: "A chart or a table on the page of `--dashboard`: what the rows at one node come to.",
  fields: {
    title: { kind: "text", doc: "What stands above it." },
    node: { kind: "text", doc: "The node whose rows are shown, or one of its ports: `alerts`, `feed.late`." },
    kind: {
      kind: "choice",
      default: "lines",
      doc: "How it is drawn.",
      choices: {
        lines: "a line over x for each value of `by`",
        bars: "bars over x",
        stack: "bars over x, one value of `by` on another",
        shares: "one bar for each value of `by`",
        number: "one number: of the newest minute, hour and day; with `key`, of the newest row of each key",
        table: "the newest rows; with `key`, the newest of each key, greatest `y` first",
      },
    },
    group: { kind: "text", default: "", doc: "Panels of one group stand together under this title." },
    x: { kind: "text", optional: true, doc: "The field of x: a time or a number. Default: when the row was processed." },
    every: {
      kind: "duration",
      optional: true,
      doc: "The width of one x, where it is a time. Default: 1s where rows are processed, else none.",
    },
    width: {
      kind: "int",
      unit: "",
      min: 1,
      max: 1_000_000_000,
      optional: true,
      doc: "The width of one x, where it is a number: a histogram.",
    },
    y: { kind: "text", optional: true, doc: "The number that is measured. Default: rows are counted." },
    measure: {
      kind: "choice",
      optional: true,
      doc: "What the rows of one x and one `by` come to. Default: `sum`; without `y`, `count`.",
      choices: {
        count: "their number",
        sum: "the sum of y",
        avg: "the mean of y",
        min: "the least y",
        max: "the greatest y",
        last: "the newest y",
      },
    },
    by: { kind: "text", optional: true, doc: "The field whose values are told apart." },
    key: { kind: "text", optional: true, doc: "Only the newest row of each value of this field counts." },
    columns: { kind: "text_list", optional: true, doc: "Columns of a table. Default: all." },
    unit: { kind: "text", default: "", doc: 'What y is counted in, for example "USD".' },
  },
};

const SECOND_MICROS = 1_000_000;

/** Reads the panels of a pipeline; those with faults are left out. */
export function readPanels(document: Document, origins: Origins, ports: Ports, context: SettingContext): readonly PanelBlueprint[] {
  const panels: PanelBlueprint[] = [];
  for (const table of document.list("panels")) {
    const group = readGroup(PANEL_SETTINGS, table, "the panel", context);
    const node = table.entries.get("node")?.value;
    const edge = group && node ? parseEdge(node, "the panel", origins, "refused", context.faults) : null;
    if (!group || !edge) continue;
    const type = ports.at(edge.from, edge.port);
    if (type === undefined) {
      const others = ports.names(edge.from);
      context.faults.add("unknown_name", edge.span, `"${edge.from}" has no output "${edge.port}"`, suggestion(edge.port, others));
    }
    const panel = type ? new PanelReader(group, type, context).read(edge) : null;
    if (panel) panels.push(panel);
  }
  return panels;
}

class PanelReader {
  readonly #group: CheckedGroup;
  readonly #type: RecordType;
  readonly #context: SettingContext;

  constructor(group: CheckedGroup, type: RecordType, context: SettingContext) {
    this.#group = group;
    this.#type = type;
    this.#context = context;
  }

  /** null with faults. */
  read({ from, port }: { readonly from: string; readonly port: string }): PanelBlueprint | null {
    const group = this.#group;
    const before = this.#context.faults.reported;
    const x = this.#field("x", isNumber, "is neither a time nor a number");
    const y = this.#field("y", isNumber, "is no number");
    const by = this.#field("by", () => true, "");
    const key = this.#field("key", () => true, "");
    const kind = group.text("kind") as PanelBlueprint["kind"];
    const columns = kind === "table" ? this.#columns() : [];
    const measure = group.has("measure") ? group.text("measure") as PanelBlueprint["measure"] : y ? "sum" : "count";
    if (measure !== "count" && !y) this.#fault("measure", `it measures the ${measure} of nothing`, 'say what is measured: y = "FIELD"');
    if (kind === "shares" && !by) this.#fault("kind", "shares need values to tell apart", 'by = "FIELD"');
    const over = kind === "lines" || kind === "bars" || kind === "stack";
    if (over && key) this.#fault("key", "only a table, shares and a number look at the newest row of each key alone");
    const xIsTime = x === null || x.type.kind === "timestamp" || x.type.kind === "date";
    if (xIsTime && group.has("width")) this.#fault("width", "x is a time here", 'say how wide one x is with every = "1s"');
    if (!xIsTime && group.has("every")) this.#fault("every", "x is a number here", "say how wide one x is with width = 10");
    if (this.#context.faults.reported > before) return null;
    const standard = x === null ? SECOND_MICROS : 0;
    const every = xIsTime
      ? (group.has("every") ? group.number("every") * 1000 : standard)
      : (group.has("width") ? group.number("width") : 0);
    return {
      title: group.text("title"),
      group: group.text("group"),
      kind,
      edge: { from, port },
      x: x?.name ?? null,
      xIsTime,
      every,
      measure,
      y: y?.name ?? null,
      by: by?.name ?? null,
      key: key?.name ?? null,
      columns,
      unit: group.text("unit"),
    };
  }

  #columns(): readonly string[] {
    if (!this.#group.has("columns")) return this.#type.fields.filter(({ tag }) => tag === undefined).map(({ name }) => name);
    return this.#group.texts("columns").filter((name) => this.#known("columns", name) !== null);
  }

  #field(setting: string, fits: (type: Type) => boolean, otherwise: string): Field | null {
    if (!this.#group.has(setting)) return null;
    const field = this.#known(setting, this.#group.text(setting));
    if (!field || fits(field.type)) return field;
    this.#fault(setting, `the field "${field.name}" ${otherwise}`);
    return null;
  }

  #known(setting: string, name: string): Field | null {
    const field = this.#type.fields.find((field) => field.name === name);
    if (!field) {
      this.#fault(setting, `there is no field "${name}"`, suggestion(name, this.#type.fields.map((field) => field.name)));
      return null;
    }
    if (field.tag === undefined) return field;
    this.#fault(setting, `the field "${name}" has the tag "${field.tag}": it is not shown to those who look on`);
    return null;
  }

  #fault(setting: string, message: string, hint?: string): void {
    this.#context.faults.add("panel", this.#group.at(setting), `the panel "${this.#group.text("title")}": ${message}`, hint);
  }
}

const isNumber = ({ kind }: Type): boolean =>
  kind === "int" || kind === "decimal" || kind === "double" || kind === "timestamp" || kind === "date" || kind === "duration";

/** The fields that a panel has decoded. */
export function fieldsOf({ x, y, by, key, columns }: PanelBlueprint): ReadonlySet<string> {
  return new Set([x, y, by, key, ...columns].filter((name) => name !== null));
}
