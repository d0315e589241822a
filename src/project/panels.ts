/**
 * [[panels]]: what the page of a running pipeline shows of its rows. Invariant: a panel changes nothing of what the pipeline does; it
 * only has the fields decoded that it shows, and never one with a tag.
 */
import type { ChoiceSetting, GroupSetting, SettingGroup } from "../component/settings.ts";
import type { Field, RecordType, Type } from "../data/types.ts";
import type { PanelBlueprint, PanelMeasure } from "./contracts.ts";
import type { Document } from "./documents.ts";
import { type Origins, parseEdge } from "./graph.ts";
import { suggestion } from "./nearest.ts";
import type { Ports } from "./plan_transforms.ts";
import type { CheckedGroup } from "./setting_group.ts";
import { readGroup, type SettingContext } from "./settings.ts";

const MEASURE_SETTING: ChoiceSetting = {
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
    distinct: "how many different values `by` has; for a number",
  },
};
/** A measure without `distinct`, on the second axis. */
const RIGHT_SETTING: GroupSetting = {
  kind: "group",
  optional: true,
  doc: "A second measure of the same rows, for lines without `by`: drawn with an axis of its own.",
  fields: {
    y: { kind: "text", optional: true, doc: "The number that is measured. Default: rows are counted." },
    measure: MEASURE_SETTING,
    unit: { kind: "text", default: "", doc: "What it is counted in." },
  },
};
const SLIDER_SETTING: GroupSetting = {
  kind: "group",
  optional: true,
  doc:
    "A value of x that whoever looks can move: the page tells how many rows lie above it, and tables of the same node with that column show those alone. For bars over a number without `width`.",
  fields: {
    at: { kind: "int", unit: "", min: -1_000_000_000, max: 1_000_000_000, doc: "Where it stands at first." },
    marks: {
      kind: "list",
      optional: true,
      doc: "Values that have a name.",
      item: {
        kind: "group",
        doc: "A named value.",
        fields: {
          name: { kind: "text", doc: "How it is called." },
          at: { kind: "int", unit: "", min: -1_000_000_000, max: 1_000_000_000, doc: "The value." },
        },
      },
    },
  },
};

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
    x: {
      kind: "text",
      optional: true,
      doc: "The field of x: a time or a number. Default: when the row was processed. With a time, the page can be switched to the clock.",
    },
    every: {
      kind: "duration",
      optional: true,
      doc: "The width of one x, where it is a time. Default: 1s where rows are processed and for a number, else none.",
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
    measure: MEASURE_SETTING,
    by: { kind: "text", optional: true, doc: "The field whose values are told apart; of a list, each item." },
    bands: { kind: "text_list", optional: true, doc: 'Where `by` is a number, the bands it is told apart by: `["10", "20", "50"]`.' },
    key: { kind: "text", optional: true, doc: "Only the newest row of each value of this field counts." },
    columns: { kind: "text_list", optional: true, doc: "Columns of a table. Default: all." },
    unit: { kind: "text", default: "", doc: 'What y is counted in, for example "USD".' },
    right: RIGHT_SETTING,
    slider: SLIDER_SETTING,
    overview: { kind: "bool", default: false, doc: "It stands on the overview of all pipelines of the run too." },
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
    const measure = this.#measure(group, y, "measure");
    if (measure === "distinct" && (kind !== "number" || !group.has("by") || key)) {
      this.#fault("measure", "only a number counts different values, of `by`", 'kind = "number", by = "FIELD"');
    }
    if (kind === "shares" && !group.has("by")) this.#fault("kind", "shares need values to tell apart", 'by = "FIELD"');
    const over = kind === "lines" || kind === "bars" || kind === "stack";
    if (over && key) this.#fault("key", "only a table, shares and a number look at the newest row of each key alone");
    const xIsTime = x === null || x.type.kind === "timestamp" || x.type.kind === "date";
    if (xIsTime && group.has("width")) this.#fault("width", "x is a time here", 'say how wide one x is with every = "1s"');
    if (!xIsTime && group.has("every")) this.#fault("every", "x is a number here", "say how wide one x is with width = 10");
    const bands = this.#bands(by, kind);
    const right = this.#right(kind, by);
    const slider = group.has("slider") ? group.group("slider") : null;
    if (slider && (kind !== "bars" || xIsTime || group.has("width"))) {
      this.#fault("slider", "only bars over a number have one, without a width: else what lies above it could not be told exactly");
    }
    if (this.#context.faults.reported > before) return null;
    const standard = x === null || kind === "number" ? SECOND_MICROS : 0;
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
      bands,
      slider: slider && {
        at: slider.number("at"),
        marks: slider.groups("marks").map((mark) => ({ name: mark.text("name"), at: mark.number("at") })),
      },
      right,
      isOverview: group.bool("overview"),
    };
  }

  #measure(group: SettingGroup, y: Field | null, place: string): PanelMeasure {
    const measure = group.has("measure") ? group.text("measure") as PanelMeasure : y ? "sum" : "count";
    if (measure !== "count" && measure !== "distinct" && !y) {
      this.#fault(place, `it measures the ${measure} of nothing`, 'say what is measured: y = "FIELD"');
    }
    return measure;
  }

  #bands(by: Field | null, kind: PanelBlueprint["kind"]): readonly number[] {
    if (!this.#group.has("bands")) return [];
    const bands = this.#group.texts("bands").map(Number);
    if (bands.length === 0 || bands.some((value, i) => !Number.isFinite(value) || (i > 0 && value <= bands[i - 1]))) {
      this.#fault("bands", "bands are numbers, each greater than the one before", 'bands = ["10", "20", "50"]');
    }
    if (!by || !isNumber(by.type) || kind === "table") {
      this.#fault("bands", "bands tell the values of a number apart", 'by = "FIELD", a number');
    }
    return bands;
  }

  #right(kind: PanelBlueprint["kind"], by: Field | null): PanelBlueprint["right"] {
    if (!this.#group.has("right")) return null;
    const right = this.#group.group("right");
    if (kind !== "lines" || by) this.#fault("right", "only lines without `by` have a second axis");
    const y = right.has("y") ? this.#known("right", right.text("y")) : null;
    if (y && !isNumber(y.type)) this.#fault("right", `the field "${y.name}" is no number`);
    const measure = this.#measure(right, y, "right");
    if (measure === "distinct") this.#fault("right", "only a number counts different values");
    return { y: y?.name ?? null, measure, unit: right.text("unit") };
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
export function fieldsOf({ x, y, by, key, columns, right }: PanelBlueprint): ReadonlySet<string> {
  return new Set([x, y, by, key, right?.y ?? null, ...columns].filter((name) => name !== null));
}
