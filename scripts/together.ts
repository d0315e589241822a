/**
 * The four fintech processors as one pipeline: config/fintech/together.toml, made from the four files, which stay the one place of every
 * rule. Invariant: each processor's nodes are its own file's, word by word; what several say alike stands once, what they read is one
 * source, and a repartition, which one lane does without, gives way to what it reads.
 */

/** One [section.NAME...] or [[section]] with its lines. */
interface Block {
  readonly section: string;
  /** null for lists. */
  readonly name: string | null;
  readonly text: string;
}
interface Part {
  readonly name: string;
  readonly blocks: readonly Block[];
}

const HEADER = /^\[\[?(\w+)(?:\.(\w+))?/;
/** Sources may differ in these: no processor but `metrics` goes by the clock, and `earliest` is where a source begins anyway. */
const OF_ONE_READER = /^(?:time|start) .*\n/gm;

const PREAMBLE = `#:schema ../millrace.schema.json
# The four processors as one pipeline, for a small machine: every transaction is read, decoded and looked for among its ids once, and their
# rows leave in one transaction. Made by \`deno task gen\` from lifecycle.toml, merchants.toml, metrics.toml and fraud.toml: edit those.
#   FINTECH_PROFILE=TOGETHER millrace run config/fintech
#   millrace stream together -c config/fintech
#
# One lane, whatever params.lanes says. What it remembers is its own: it does not go on where the four have stopped.

kind = "stream"
`;

/** The file, from the texts of the processors' files by name. */
export function togetherFile(texts: ReadonlyMap<string, string>): string {
  const parts = [...texts].map(([name, text]): Part => ({ name, blocks: blocksOf(text) }));
  const written = new Map<string, string>();
  const own = parts.map((part) => {
    const heading = `# --- ${part.name} `.padEnd(128, "-");
    return `${heading}\n${nodesOf(part, written)}`;
  });
  const reports = parts.flatMap(({ blocks }) => textsOf(blocks, "reports"));
  const panels = parts.flatMap(({ blocks }) => textsOf(blocks, "panels"));
  return [
    PREAMBLE.trimEnd(),
    ...parts.flatMap(({ blocks }) => textsOf(blocks, "params")),
    sourceOf(parts),
    ...own,
    REJECTS,
    ...reports,
    ...panels,
  ]
    .join("\n\n") + "\n";
}

const REJECTS = `# --- all four ${"-".repeat(115)}
[sinks.rejects]
type   = "ndjson"
inputs = ["*.rejected"]
path   = "\${params.output}/rejects/together"`;

function blocksOf(text: string): Block[] {
  const blocks: Block[] = [];
  for (const chunk of text.split(/^(?=\[)/m).slice(1)) {
    const [, section, name] = HEADER.exec(chunk)!;
    blocks.push({
      section,
      name: chunk.startsWith("[[") && name === undefined ? null : name ?? null,
      text: chunk.replaceAll(/^# --- .*\n?/gm, "").trim(),
    });
  }
  return blocks;
}

const textsOf = (blocks: readonly Block[], section: string): string[] =>
  blocks.filter((block) => block.section === section).map(({ text }) => text);

/** The one that says by which clock; the others must read the same. */
function sourceOf(parts: readonly Part[]): string {
  const sources = parts.flatMap(({ blocks }) => textsOf(blocks, "sources"));
  const [one, ...others] = new Set(sources.map((text) => withoutComments(`${text}\n`.replaceAll(OF_ONE_READER, ""))));
  if (sources.length !== parts.length || others.length > 0) {
    throw new Error(`the processors read differently:\n${one}\n${others.join("\n")}`);
  }
  return sources.find((text) => /^time .*\bclock\b/m.test(text)) ?? sources[0];
}

/** The part's transforms and sinks. `written`: the transforms that stand in the file already, by name. */
function nodesOf({ name: part, blocks }: Part, written: Map<string, string>): string {
  const names = new Map<string, string>();
  const texts: string[] = [];
  const transforms = blocks.filter(({ section }) => section === "transforms");
  for (const name of new Set(transforms.map((block) => block.name!))) {
    const text = withInputs(transforms.filter((block) => block.name === name).map((block) => block.text).join("\n\n"), names);
    const repartition = /^type\s*= "repartition"$[^]*?^inputs\s*= \["(\w+)"\]/m.exec(text);
    if (repartition) {
      names.set(name, repartition[1]);
      continue;
    }
    const known = written.get(name);
    if (known === withoutComments(text)) continue;
    const free = known === undefined ? name : `${part}_${name}`;
    written.set(free, withoutComments(text));
    names.set(name, free);
    texts.push(text.replaceAll(new RegExp(`^(\\[\\[?transforms\\.)${name}\\b`, "gm"), `$1${free}`));
  }
  // Sinks are named for their processor; rejects go to one file.
  const sinks = blocks.filter(({ section, name }) => section === "sinks" && name !== "rejects");
  return [...texts, ...sinks.map(({ text }) => withInputs(text, names).replace("[sinks.", `[sinks.${part}_`))].join("\n\n");
}

const withoutComments = (text: string): string => text.replaceAll(/ {2,}#.*$/gm, "");

/** The text with its `inputs` under their names in the file. */
function withInputs(text: string, renamed: ReadonlyMap<string, string>): string {
  return text.replace(/^(inputs\s*= \[")(\w+)("\])/m, (_, before, name, behind) => before + (renamed.get(name) ?? name) + behind);
}
