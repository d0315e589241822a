/**
 * [connections.X]: one name, one variant per backend, chosen by `use`; or a single one with its `type` beside. Invariant: only
 * the chosen variant is filled in, so that a laptop needs no variables of real servers.
 */
import type { ConnectionSpec } from "../component/component.ts";
import type { Document } from "./documents.ts";
import { isTable } from "./documents.ts";
import { suggestion } from "./nearest.ts";
import type { CheckedGroup } from "./setting_group.ts";
import { textFromNode } from "./setting_scalars.ts";
import { readGroup, type SettingContext } from "./settings.ts";
import type { TomlTable } from "./toml.ts";

export interface Connection {
  readonly name: string;
  readonly type: string;
  /** Null when they have faults. */
  readonly settings: CheckedGroup | null;
}

/** The connections of one pipeline, read when a node asks for them. */
export class Connections {
  readonly #document: Document;
  readonly #specs: ReadonlyMap<string, ConnectionSpec>;
  readonly #context: SettingContext;
  readonly #read = new Map<string, Connection | null>();

  constructor(document: Document, specs: ReadonlyMap<string, ConnectionSpec>, context: SettingContext) {
    this.#document = document;
    this.#specs = specs;
    this.#context = context;
  }

  names(): Iterable<string> {
    return this.#document.section("connections").keys();
  }

  /** Undefined where there is none of that name, null where its type cannot be told. */
  get(name: string): Connection | null | undefined {
    const placed = this.#document.section("connections").get(name);
    if (!placed) return undefined;
    let connection = this.#read.get(name);
    if (connection === undefined) {
      connection = isTable(placed.entry, this.#context.faults) ? this.#resolve(name, placed.entry.value) : null;
      this.#read.set(name, connection);
    }
    return connection;
  }

  /** Reads those of the pipeline's own file that no node asked for, so that their faults are told too. */
  readUnused(): void {
    for (const [name, { origin }] of this.#document.section("connections")) if (origin === "own") this.get(name);
  }

  #resolve(name: string, table: TomlTable): Connection | null {
    const { faults } = this.#context;
    const title = `the connection "${name}"`;
    const use = table.entries.get("use");
    if (!use) return this.#settings(name, table, title);
    const variants = new Map<string, TomlTable>();
    for (const [key, entry] of table.entries) {
      if (key === "use") continue;
      if (entry.value.kind === "table") variants.set(key, entry.value);
      else {faults.add(
          "wrong_type",
          entry.value.span,
          `${title}: "${key}" must be a variant, a table`,
          'as in embedded = { type = "...", ... }',
        );}
    }
    const chosen = textFromNode(use.value, `${title}: use`, this.#context);
    if (chosen === null) return null;
    const variant = variants.get(chosen);
    if (variant) return this.#settings(name, variant, `${title}, variant "${chosen}"`);
    faults.add("unknown_name", use.value.span, `${title} has no variant "${chosen}"`, suggestion(chosen, variants.keys()));
    return null;
  }

  #settings(name: string, table: TomlTable, title: string): Connection | null {
    const { faults } = this.#context;
    const entry = table.entries.get("type");
    if (!entry) {
      const hint = `one of: ${[...this.#specs.keys()].join(", ")}; several variants are chosen by use = "..."`;
      faults.add("missing_key", table.span, `${title} needs "type"`, hint);
      return null;
    }
    const type = textFromNode(entry.value, `${title}: type`, this.#context);
    if (type === null) return null;
    const spec = this.#specs.get(type);
    if (!spec) {
      faults.add("unknown_name", entry.value.span, `there is no connection of type "${type}"`, suggestion(type, this.#specs.keys()));
      return null;
    }
    return { name, type, settings: readGroup(spec.settings, table, title, this.#context, new Set(["type"])) };
  }
}
