/** The `console` sink: rows as lines on standard output, for looking at a stream. At-least-once: what was printed stays printed. */
import type { SinkContext, SinkPlan, SinkSpec } from "../../component/component.ts";
import type { Batch } from "../../data/batch.ts";
import { rowJson } from "../../data/json/mod.ts";
import type { Marker, Sink, SinkLane } from "../../engine/contracts.ts";
import { GroupedLines } from "./grouped_lines.ts";
import { compileLine, type LineTemplate, plainText } from "./line_template.ts";

export const consoleSink: SinkSpec = {
  role: "sink",
  type: "console",
  summary: "Prints rows on standard output.",
  notes:
    `At-least-once: after a crash the rows of the open epoch are printed again. Rows appear when their epoch is delivered. With \`title\`
or \`group\`, rows that follow one another with equal values in the \`group\` fields stand together under the title: on a terminal each
group is drawn in the place of the one before, elsewhere an empty line parts them.`,
  settings: {
    kind: "group",
    doc: "Standard output.",
    fields: {
      line: {
        kind: "text",
        optional: true,
        doc: 'What a row prints, for example "{id}: {amount}"; `{{` is a brace. Default: the row as JSON.',
      },
      title: { kind: "text", optional: true, doc: "A line above each group of rows." },
      group: { kind: "text_list", optional: true, doc: "The fields whose change begins a new group. Default: all rows are one group." },
    },
  },
  examples: [
    { title: "One line per row", toml: `[sinks.look]\ntype   = "console"\ninputs = ["payments"]\nline   = "{id}: {amount}"\n` },
    {
      title: "A small table for each account",
      toml:
        `[sinks.look]\ntype   = "console"\ninputs = ["payments"]\ntitle  = "--- one account ---"\nline   = "{id}: {amount}"\ngroup  = ["account"]\n`,
    },
  ],
  plan: planConsoleSink,
};

function planConsoleSink(context: SinkContext): SinkPlan | null {
  const { settings, input } = context;
  const whole: LineTemplate = { line: rowJson, uses: new Set(input.fields.map((field) => field.name)) };
  const template = settings.has("line") ? compileLine(context) : whole;
  const group = planGroup(context);
  if (!template || !group) return null;
  const title = settings.has("title") ? settings.text("title") : "";
  const isGrouped = title !== "" || settings.has("group");
  return {
    guarantee: "at-least-once",
    guaranteeNote: "what was printed cannot be taken back",
    needs: new Set([...template.uses, ...group.uses]),
    place: "",
    create: ({ console }) => {
      const inPlace = console?.isTerminal ? "redraw" : "append";
      const grouped = isGrouped ? new GroupedLines({ title, inPlace }) : null;
      return new ConsoleSink({ template, group, grouped, print: (text) => console?.write(text) });
    },
  };
}

/** The value of the `group` fields as one text; null when faults were reported. */
function planGroup(context: SinkContext): LineTemplate | null {
  const { settings, input } = context;
  const names = settings.has("group") ? settings.texts("group") : [];
  const places = names.map((name) => input.fields.findIndex((field) => field.name === name));
  for (const [i, place] of places.entries()) {
    if (place >= 0) continue;
    const known = input.fields.map((f) => f.name).join(", ");
    context.fault(settings.at("group"), `there is no field "${names[i]}" to group by`, `the rows have: ${known}`);
  }
  if (places.includes(-1)) return null;
  return { line: (batch, row) => places.map((place) => plainText(input, batch, row, place)).join("\0"), uses: new Set(names) };
}

interface ConsoleOptions {
  readonly template: LineTemplate;
  readonly group: LineTemplate;
  /** null: every row is a line of its own. */
  readonly grouped: GroupedLines | null;
  print(text: string): void;
}

class ConsoleSink implements Sink {
  readonly guarantee = "at-least-once";
  constructor(private readonly options: ConsoleOptions) {}

  open(): Promise<void> {
    return Promise.resolve();
  }
  lane(): SinkLane {
    return new ConsoleLane(this.options);
  }
  finish(): Promise<void> {
    return Promise.resolve();
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}

class ConsoleLane implements SinkLane {
  #rows: { readonly group: string; readonly line: string }[] = [];
  #bytes = 0;
  constructor(private readonly options: ConsoleOptions) {}

  fence(): Promise<Marker | null> {
    this.discard();
    return Promise.resolve(null);
  }
  write(batch: Batch): void {
    const { template, group, grouped } = this.options;
    for (let row = 0; row < batch.rows; row++) {
      const line = template.line(batch, row);
      this.#rows.push({ group: grouped ? group.line(batch, row) : "", line });
      this.#bytes += line.length + 1;
    }
  }
  deliver(): Promise<void> {
    const { grouped, print } = this.options;
    if (this.#rows.length > 0) print(grouped ? grouped.render(this.#rows) : this.#rows.map(({ line }) => line + "\n").join(""));
    this.discard();
    return Promise.resolve();
  }
  discard(): void {
    this.#rows = [];
    this.#bytes = 0;
  }
  bytesHeld(): number {
    return this.#bytes;
  }
}
