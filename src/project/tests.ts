/**
 * [[tests]] in both forms: `given.NODE = [...]` beside `given.tables.NODE = [...]`, or `given = [{ NODE = {...} }, ...]` in
 * arrival order, where an entry may say when it arrives (`at`). Invariant: every given and expected row names nodes and fields that
 * exist, and the clock never goes back.
 */
import { timestampText } from "../data/time.ts";
import type { GivenRow, TestBlueprint } from "./contracts.ts";
import type { RecordType } from "../data/types.ts";
import type { Document } from "./documents.ts";
import { suggestion } from "./nearest.ts";
import type { SettingContext } from "./settings.ts";
import { TableReader } from "./table_reader.ts";
import { expectedJson, givenJson } from "./test_json.ts";
import type { TomlArray, TomlEntry, TomlNode, TomlTable } from "./toml.ts";

/** The record types by node; null where an earlier fault keeps a type unknown. */
export interface TestNodes {
  /** Of sources. */
  readonly sources: ReadonlyMap<string, RecordType | null>;
  /** Of tables; undefined where there is none. */
  table(name: string): RecordType | null | undefined;
  readonly tableNames: readonly string[];
  /** Whether the table is kept from changes. */
  isKept(name: string): boolean;
  /** Of sinks' inputs and of transforms' outputs. */
  readonly results: ReadonlyMap<string, RecordType | null>;
}
type Given = TestBlueprint["given"][number];
type ExpectedRow = { readonly fields: ReadonlyMap<string, string>; readonly span: TomlTable["span"] };

/** Reads all tests of a pipeline. */
export function readTests(document: Document, nodes: TestNodes, context: SettingContext): readonly TestBlueprint[] {
  return document.list("tests").map((table) => new TestReader(table, nodes, context).read());
}

class TestReader {
  readonly #reader: TableReader;
  readonly #nodes: TestNodes;
  readonly #context: SettingContext;
  readonly #defaults: TomlTable | null;
  readonly #givenTypes = new Set<RecordType>();
  #clockMicros = -Infinity;

  constructor(table: TomlTable, nodes: TestNodes, context: SettingContext) {
    this.#reader = new TableReader(table, "the test", ["name", "defaults", "clock", "given", "at_end", "expect"], context);
    this.#nodes = nodes;
    this.#context = context;
    this.#defaults = this.#reader.inner("defaults");
  }

  read(): TestBlueprint {
    const reader = this.#reader;
    reader.required("name", "a sentence that says what must hold");
    const clock = reader.entry("clock");
    const given = [...clock ? this.#clock(clock.value) : [], ...this.#given()];
    this.#checkDefaults();
    reader.required("expect", 'as in expect.SINK = [{ status = "paid" }]');
    const atEnd = reader.choice("at_end", ["close", "open", "stop"], "close") ?? "close";
    return { name: reader.text("name") ?? "", span: reader.table.span, given, atEnd, expect: this.#expected() };
  }

  #given(): readonly Given[] {
    const node = this.#reader.required("given", "as in given.SOURCE = [{ amount = 10.00 }]");
    if (node?.kind === "array") return this.#mixed(node);
    if (node?.kind === "table") return this.#byNode(node);
    if (node) this.#fault(node, "the test: given is a table of lists, or a list of rows", "as in given.SOURCE = [{ amount = 10.00 }]");
    return [];
  }

  /** Tables first: a fact may look them up. */
  #byNode(given: TomlTable): readonly GivenRow[] {
    const rows: GivenRow[] = [];
    for (const [name, entry] of given.entries) {
      if (name !== "tables" || this.#nodes.sources.has("tables") || entry.value.kind !== "table") continue;
      for (const table of entry.value.entries.values()) rows.push(...this.#listed(table, this.#tableType(table)));
    }
    const facts: GivenRow[] = [];
    for (const [name, entry] of given.entries) {
      if (name === "tables" && !this.#nodes.sources.has("tables") && entry.value.kind === "table") continue;
      const into = this.#nodes.sources.has(name) ? facts : rows;
      into.push(...this.#listed(entry, this.#givenType(entry)));
    }
    return [...rows, ...facts];
  }

  #listed(entry: TomlEntry, type: RecordType | null): readonly GivenRow[] {
    const { key, value } = entry;
    if (value.kind !== "array") {
      this.#fault(value, `the test: given.${key} is a list of rows`, `as in given.${key} = [{ ... }]`);
      return [];
    }
    return value.items.flatMap((item) => this.#row(key, item, type));
  }

  #mixed(list: TomlArray): readonly Given[] {
    return list.items.flatMap((item) => {
      const entries = item.kind === "table" ? [...item.entries.values()] : [];
      const at = this.#nodes.sources.has("at") ? undefined : entries.find(({ key }) => key === "at");
      const deleted = this.#isKnown("deleted") ? undefined : entries.find(({ key }) => key === "deleted");
      const [entry, ...others] = entries.filter((one) => one !== at && one !== deleted);
      if (others.length > 0 || !entry && !at) {
        this.#fault(item, "the test: an entry of given names one node and its row", "as in { payments = { amount = 10.00 } }");
        return [];
      }
      const rows = entry ? this.#row(entry.key, entry.value, this.#givenType(entry)) : [];
      return [...at ? this.#clock(at.value) : [], ...deleted ? this.#deletes(deleted.value, rows) : rows];
    });
  }

  #isKnown(name: string): boolean {
    return this.#nodes.sources.has(name) || this.#nodes.tableNames.includes(name);
  }

  /** A row that takes its key out of its table. */
  #deletes(node: TomlNode, rows: readonly GivenRow[]): readonly GivenRow[] {
    const ofTable = rows.every((row) => this.#nodes.isKept(row.node));
    if (node.kind === "boolean" && ofTable) return node.text === "true" ? rows.map((row) => ({ ...row, deleted: true })) : rows;
    this.#fault(
      node,
      "the test: only rows of a table that is kept from changes are deleted",
      'as in { accounts = { id = "a" }, deleted = true }',
    );
    return [];
  }

  /** A time of day is one of the day that the clock shows. */
  #clock(node: TomlNode): readonly Given[] {
    const day = timestampText().format(Math.max(0, this.#clockMicros)).slice(0, 11);
    const text = node.kind !== "date" ? "" : node.form === "local-time" ? `${day}${node.text}Z` : node.text.replace(/[ t]/, "T");
    const clockMicros = timestampText(undefined, "UTC").parse(text);
    if (!Number.isFinite(clockMicros)) this.#fault(node, "the test: the clock shows a time", "as in 2025-01-31T10:00:00Z, or 10:00:00");
    else if (clockMicros < this.#clockMicros) this.#fault(node, "the test: the clock does not go back", "list what is given by its time");
    else {
      this.#clockMicros = clockMicros;
      return [{ clockMicros }];
    }
    return [];
  }

  #row(node: string, item: TomlNode, type: RecordType | null): readonly GivenRow[] {
    if (item.kind !== "table") {
      this.#fault(item, `the test: a row of "${node}" is a table`, "as in { amount = 10.00 }");
      return [];
    }
    const json = type && givenJson(item, this.#defaults, type, node, this.#context);
    return json ? [{ node, json }] : [];
  }

  #givenType({ key, keySpan }: TomlEntry): RecordType | null {
    const { sources, tableNames } = this.#nodes;
    const type = sources.has(key) ? sources.get(key) : this.#nodes.table(key);
    if (type) this.#givenTypes.add(type);
    if (type !== undefined) return type;
    const hint = suggestion(key, [...sources.keys(), ...tableNames]);
    this.#context.faults.add("unknown_name", keySpan, `the test: there is no source or table "${key}"`, hint);
    return null;
  }

  #tableType({ key, keySpan }: TomlEntry): RecordType | null {
    const type = this.#nodes.table(key);
    if (type) this.#givenTypes.add(type);
    if (type !== undefined) return type;
    this.#context.faults.add("unknown_name", keySpan, `the test: there is no table "${key}"`, suggestion(key, this.#nodes.tableNames));
    return null;
  }

  /** A default is for the nodes that have such a field; one that none has is a typo. */
  #checkDefaults(): void {
    const known = new Set([...this.#givenTypes].flatMap((type) => type.fields.map((field) => field.name)));
    if (known.size === 0) return;
    for (const [name, { keySpan }] of this.#defaults?.entries ?? []) {
      if (known.has(name)) continue;
      this.#context.faults.add("unknown_name", keySpan, `the test: no given node has a field "${name}"`, suggestion(name, known));
    }
  }

  #expected(): ReadonlyMap<string, readonly ExpectedRow[]> {
    const expected = new Map<string, readonly ExpectedRow[]>();
    for (const [name, { value, keySpan }] of this.#reader.inner("expect")?.entries ?? []) {
      const type = this.#nodes.results.get(name);
      if (type === undefined) {
        const hint = suggestion(name, this.#nodes.results.keys());
        this.#context.faults.add("unknown_name", keySpan, `the test: there is no sink or transform "${name}"`, hint);
      } else if (value.kind !== "array") this.#fault(value, `the test: expect.${name} is a list of rows`, `expect.${name} = [] for none`);
      else expected.set(name, value.items.flatMap((item) => this.#expectedRow(name, item, type)));
    }
    return expected;
  }

  #expectedRow(name: string, item: TomlNode, type: RecordType | null): readonly ExpectedRow[] {
    if (item.kind !== "table") {
      this.#fault(item, `the test: a row of "${name}" is a table`, 'as in { status = "paid" }');
      return [];
    }
    const fields = type && expectedJson(item, type, name, this.#context);
    return fields ? [{ fields, span: item.span }] : [];
  }

  #fault(node: TomlNode, message: string, hint: string): void {
    this.#context.faults.add("wrong_type", node.span, message, hint);
  }
}
