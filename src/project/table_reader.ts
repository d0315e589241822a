/**
 * Reads the tables whose keys the project itself defines (schemas, reports, checks, ...): asks for keys by name and kind, and
 * refuses the rest. Invariant: what is absent reads as null; what is wrong reads as null with a fault.
 */
import type { Cel } from "../component/settings.ts";
import type { Fault, Span } from "../data/fault.ts";
import { nearest, suggestion } from "./nearest.ts";
import { celFromNode } from "./setting_cel.ts";
import { choiceFromNode, textFromNode, textsFromNode } from "./setting_scalars.ts";
import type { SettingContext } from "./settings.ts";
import type { TomlArray, TomlEntry, TomlNode, TomlTable } from "./toml.ts";

export class TableReader {
  readonly table: TomlTable;
  readonly title: string;
  readonly #context: SettingContext;
  /** Keys that an unknown one was probably meant to be: they are not missing. */
  readonly #misspelt = new Set<string | null>();

  /** `title` names the table for people; `keys` are all that it may have. */
  constructor(table: TomlTable, title: string, keys: readonly string[], context: SettingContext) {
    this.table = table;
    this.title = title;
    this.#context = context;
    for (const [key, { keySpan }] of table.entries) {
      if (keys.includes(key)) continue;
      this.#misspelt.add(nearest(key, keys));
      this.fault("unknown_key", keySpan, `${title} has no key "${key}"`, suggestion(key, keys));
    }
  }

  fault(code: Fault["code"], span: Span, message: string, hint?: string): void {
    this.#context.faults.add(code, span, message, hint);
  }

  entry(key: string): TomlEntry | undefined {
    return this.table.entries.get(key);
  }

  /** The place of a key's value, or of the table. */
  at(key: string): Span {
    return this.entry(key)?.value.span ?? this.table.span;
  }

  /** The value, with a fault when it is missing. */
  required(key: string, hint?: string): TomlNode | null {
    const entry = this.entry(key);
    if (entry) return entry.value;
    if (!this.#misspelt.has(key)) this.fault("missing_key", this.table.span, `${this.title} needs "${key}"`, hint);
    return null;
  }

  text(key: string): string | null {
    const node = this.entry(key)?.value;
    return node ? textFromNode(node, this.#name(key), this.#context) : null;
  }

  texts(key: string): readonly string[] | null {
    const node = this.entry(key)?.value;
    return node ? textsFromNode(node, this.#name(key), this.#context) : null;
  }

  cel(key: string): Cel | null {
    const node = this.entry(key)?.value;
    return node ? celFromNode(node, this.#name(key), this.#context.faults) : null;
  }

  /** One of the words, or `standard` when left out. */
  choice<C extends string>(key: string, choices: readonly C[], standard: C): C | null {
    const node = this.entry(key)?.value;
    if (!node) return standard;
    const documented = Object.fromEntries(choices.map((choice) => [choice, ""]));
    return choiceFromNode({ kind: "choice", doc: "", choices: documented }, node, this.#name(key), this.#context) as C | null;
  }

  inner(key: string): TomlTable | null {
    const node = this.entry(key)?.value;
    if (!node || node.kind === "table") return node ?? null;
    this.fault("wrong_type", node.span, `${this.#name(key)} must be a table`);
    return null;
  }

  array(key: string): TomlArray | null {
    const node = this.entry(key)?.value;
    if (!node || node.kind === "array") return node ?? null;
    this.fault("wrong_type", node.span, `${this.#name(key)} must be a list`);
    return null;
  }

  /** A list's tables. */
  tables(key: string): readonly TomlTable[] {
    const items = this.array(key)?.items ?? [];
    return items.filter((item): item is TomlTable => {
      if (item.kind !== "table") this.fault("wrong_type", item.span, `an entry of ${this.#name(key)} must be a table`);
      return item.kind === "table";
    });
  }

  #name(key: string): string {
    return `${this.title}: ${key}`;
  }
}
