/**
 * TOML as a tree in which every value knows its place and its written text (1.00 stays 1.00). Wraps toml-eslint-parser: it
 * gives positions and the text of numbers, which faster parsers lose. Invariant: entries stand in document order.
 */
import { type AST, parseTOML } from "toml-eslint-parser";
import type { Fault, Span } from "../data/fault.ts";
import { decodedOffsets, SourceText } from "./positions.ts";
import { syntaxFault } from "./toml_syntax.ts";

export interface TomlString {
  readonly kind: "string";
  readonly text: string;
  readonly span: Span;
  /** The place of an offset in `text`. */
  place(offset: number): Span;
}
export interface TomlNumber {
  readonly kind: "integer" | "float";
  /** As written, without underscores and leading plus; hexadecimal and the like as decimal digits. */
  readonly text: string;
  readonly span: Span;
}
export interface TomlBoolean {
  readonly kind: "boolean";
  readonly text: "true" | "false";
  readonly span: Span;
}
/** RFC 3339 date and time with a zone, without one, a date alone, a time alone. */
export interface TomlDate {
  readonly kind: "date";
  readonly form: "offset-date-time" | "local-date-time" | "local-date" | "local-time";
  readonly text: string;
  readonly span: Span;
}
export interface TomlArray {
  readonly kind: "array";
  readonly items: readonly TomlNode[];
  readonly span: Span;
}
export interface TomlEntry {
  readonly key: string;
  readonly keySpan: Span;
  readonly value: TomlNode;
}
export interface TomlTable {
  readonly kind: "table";
  readonly entries: ReadonlyMap<string, TomlEntry>;
  /** The header's name, the braces, or the dotted key that made it. */
  readonly span: Span;
}
export type TomlNode = TomlString | TomlNumber | TomlBoolean | TomlDate | TomlArray | TomlTable;

interface GrowingTable extends TomlTable {
  readonly entries: Map<string, TomlEntry>;
}
interface GrowingArray extends TomlArray {
  readonly items: TomlNode[];
}

/** Parses one file. A syntax error gives `null` and one fault (the parser stops there). */
export function parseToml(file: string, text: string, fault: (fault: Fault) => void): TomlTable | null {
  const source = new SourceText(file, text);
  let program: AST.TOMLProgram;
  try {
    program = parseTOML(text, { tomlVersion: "1.0.0" });
  } catch (error) {
    fault(syntaxFault(error, source));
    return null;
  }
  const builder = new TreeBuilder(source);
  const root = tableAt(source.span(0, 0));
  for (const item of program.body[0].body) {
    if (item.type === "TOMLKeyValue") builder.addPair(root, item);
    else builder.addTable(root, item);
  }
  return root;
}

const tableAt = (span: Span): GrowingTable => ({ kind: "table", entries: new Map(), span });

/** The parser has checked already that keys are not defined twice and tables not reopened. */
class TreeBuilder {
  readonly #source: SourceText;

  constructor(source: SourceText) {
    this.#source = source;
  }

  addTable(root: GrowingTable, node: AST.TOMLTable): void {
    const keys = node.key.keys;
    const parent = this.#descend(root, keys);
    const last = keys[keys.length - 1];
    const span = this.#span(node.key);
    const name = keyText(last);
    const present = parent.entries.get(name)?.value;
    let table: GrowingTable;
    if (node.kind === "standard") {
      table = present?.kind === "table" ? present as GrowingTable : tableAt(span);
      if (!present) parent.entries.set(name, { key: name, keySpan: this.#span(last), value: table });
    } else {
      table = tableAt(span);
      if (present?.kind === "array") (present as GrowingArray).items.push(table);
      else parent.entries.set(name, { key: name, keySpan: this.#span(last), value: { kind: "array", items: [table], span } });
    }
    for (const pair of node.body) this.addPair(table, pair);
  }

  addPair(table: GrowingTable, pair: AST.TOMLKeyValue): void {
    const keys = pair.key.keys;
    const parent = this.#descend(table, keys);
    const last = keys[keys.length - 1];
    const name = keyText(last);
    parent.entries.set(name, { key: name, keySpan: this.#span(last), value: this.#value(pair.value) });
  }

  /** The table that holds the last of `keys`, made where a dotted key is its first mention. */
  #descend(table: GrowingTable, keys: readonly (AST.TOMLBare | AST.TOMLQuoted)[]): GrowingTable {
    let here = table;
    for (const key of keys.slice(0, -1)) {
      const name = keyText(key);
      const present = here.entries.get(name)?.value;
      if (present?.kind === "array") here = present.items[present.items.length - 1] as GrowingTable;
      else if (present?.kind === "table") here = present as GrowingTable;
      else {
        const span = this.#span(key);
        const made = tableAt(span);
        here.entries.set(name, { key: name, keySpan: span, value: made });
        here = made;
      }
    }
    return here;
  }

  #value(node: AST.TOMLContentNode): TomlNode {
    const span = this.#span(node);
    switch (node.type) {
      case "TOMLArray":
        return { kind: "array", items: node.elements.map((element) => this.#value(element)), span };
      case "TOMLInlineTable": {
        const table = tableAt(span);
        for (const pair of node.body) this.addPair(table, pair);
        return table;
      }
      case "TOMLValue":
        return this.#scalar(node, span);
    }
  }

  #scalar(node: AST.TOMLValue, span: Span): TomlNode {
    switch (node.kind) {
      case "string":
        return new PlacedString(this.#source, node.range, node.value, span);
      case "integer":
        return { kind: "integer", text: node.bigint.toString(), span };
      case "float":
        return { kind: "float", text: node.number.replace(/^\+/, ""), span };
      case "boolean":
        return { kind: "boolean", text: node.value ? "true" : "false", span };
      default:
        return { kind: "date", form: node.kind, text: node.datetime, span };
    }
  }

  #span(node: AST.HasLocs): Span {
    return this.#source.span(node.range[0], node.range[1]);
  }
}

const keyText = (key: AST.TOMLBare | AST.TOMLQuoted): string => key.type === "TOMLBare" ? key.name : key.value;

class PlacedString implements TomlString {
  readonly kind = "string";
  readonly text: string;
  readonly span: Span;
  readonly #source: SourceText;
  readonly #range: readonly [number, number];
  #offsets: Int32Array | null = null;

  constructor(source: SourceText, range: readonly [number, number], text: string, span: Span) {
    this.#source = source;
    this.#range = range;
    this.text = text;
    this.span = span;
  }

  place(offset: number): Span {
    this.#offsets ??= decodedOffsets(this.#source.text, this.#range[0], this.#range[1], this.text);
    const index = Math.max(0, Math.min(offset, this.text.length));
    const start = this.#offsets[index];
    const end = index < this.text.length ? Math.max(this.#offsets[index + 1], start) : start;
    return this.#source.span(start, end);
  }
}
