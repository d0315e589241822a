/** The `console` sink: rows as lines on standard output, for looking at a stream. At-least-once: what was printed stays printed. */
import type { SinkContext, SinkPlan, SinkSpec } from "../../component/component.ts";
import type { Batch } from "../../data/batch.ts";
import { cell } from "../../data/columns.ts";
import { jsonText, rowJson } from "../../data/json/mod.ts";
import type { RecordType } from "../../data/types.ts";
import type { Marker, Sink, SinkLane } from "../../engine/contracts.ts";

export const consoleSink: SinkSpec = {
  role: "sink",
  type: "console",
  summary: "Prints rows on standard output.",
  notes: "At-least-once: after a crash the rows of the open epoch are printed again. Rows appear when their epoch is delivered.",
  settings: {
    kind: "group",
    doc: "Standard output.",
    fields: {
      line: {
        kind: "text",
        optional: true,
        doc: 'What a row prints, for example "{id}: {amount}"; `{{` is a brace. Default: the row as JSON.',
      },
    },
  },
  examples: [{ title: "One line per row", toml: `[sinks.look]\ntype   = "console"\ninputs = ["payments"]\nline   = "{id}: {amount}"\n` }],
  plan: planConsoleSink,
};

type Line = (batch: Batch, row: number) => string;

function planConsoleSink(context: SinkContext): SinkPlan | null {
  const { settings, input } = context;
  const template = settings.has("line") ? compileLine(context) : { line: rowJson, uses: new Set(input.fields.map((field) => field.name)) };
  if (!template) return null;
  return {
    guarantee: "at-least-once",
    guaranteeNote: "what was printed cannot be taken back",
    needs: template.uses,
    place: "",
    create: ({ console }) => new ConsoleSink(template.line, (text) => console?.write(text)),
  };
}

function compileLine(context: SinkContext): { line: Line; uses: ReadonlySet<string> } | null {
  const { settings, input } = context;
  const text = settings.text("line");
  const parts: (string | number)[] = [];
  let sound = true;
  let end = 0;
  for (const match of text.matchAll(/\{\{|\{([^{}]*)\}/g)) {
    parts.push(text.slice(end, match.index));
    end = match.index + match[0].length;
    const name = match[1];
    if (name === undefined) parts.push("{");
    else {
      const index = input.fields.findIndex((field) => field.name === name);
      if (index < 0) {
        context.fault(
          settings.at("line"),
          `there is no field "${name}" to print`,
          `the rows have: ${input.fields.map((f) => f.name).join(", ")}`,
        );
        sound = false;
      }
      parts.push(index);
    }
  }
  parts.push(text.slice(end));
  if (!sound) return null;
  const uses = new Set(parts.filter((part) => typeof part === "number").map((index) => input.fields[index].name));
  return { line: (batch, row) => parts.map((part) => typeof part === "string" ? part : plainText(input, batch, row, part)).join(""), uses };
}

/** Text as it is, everything else as in JSON, nothing for null. */
function plainText({ fields }: RecordType, batch: Batch, row: number, index: number): string {
  const field = fields[index];
  const value = cell(batch.columns[index]!, field.type, row);
  if (value === null) return "";
  const json = jsonText(field, value, {});
  return json.startsWith('"') ? JSON.parse(json) : json;
}

class ConsoleSink implements Sink {
  readonly guarantee = "at-least-once";
  constructor(private readonly line: Line, private readonly print: (text: string) => void) {}

  open(): Promise<void> {
    return Promise.resolve();
  }
  lane(): SinkLane {
    return new ConsoleLane(this.line, this.print);
  }
  finish(): Promise<void> {
    return Promise.resolve();
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}

class ConsoleLane implements SinkLane {
  #lines: string[] = [];
  #bytes = 0;
  constructor(private readonly line: Line, private readonly print: (text: string) => void) {}

  fence(): Promise<Marker | null> {
    this.discard();
    return Promise.resolve(null);
  }
  write(batch: Batch): void {
    for (let row = 0; row < batch.rows; row++) {
      const line = this.line(batch, row) + "\n";
      this.#lines.push(line);
      this.#bytes += line.length;
    }
  }
  deliver(): Promise<void> {
    if (this.#lines.length > 0) this.print(this.#lines.join(""));
    this.discard();
    return Promise.resolve();
  }
  discard(): void {
    this.#lines = [];
    this.#bytes = 0;
  }
  bytesHeld(): number {
    return this.#bytes;
  }
}
