/**
 * What one pipeline file says together with millrace.toml: the sections by name, shared entries first. Invariant (R5): a name
 * stands in one of the two, never in both.
 */
import type { Span } from "../data/fault.ts";
import { type Faults, placeOf } from "./faults.ts";
import { suggestion } from "./nearest.ts";
import type { TomlEntry, TomlNode, TomlTable } from "./toml.ts";

/** The file that a project's pipelines share. */
export const SHARED_FILE = "millrace.toml";

/** Sections of named entries that may stand in millrace.toml too. */
export const SHARED_SECTIONS = ["params", "profile", "profiles", "connections", "schemas", "tables"] as const;
/** Sections of named entries of a pipeline. */
export const OWN_SECTIONS = ["epoch", "sources", "transforms", "sinks", "checks"] as const;
/** Lists of tables of a pipeline. */
export const LISTS = ["reports", "panels", "warnings", "tests"] as const;
/** Plain values of a pipeline. */
export const VALUES = ["kind", "after", "workers", "state", "stop_within"] as const;
/** Those of them that may stand in millrace.toml instead. */
export const SHARED_VALUES = ["state", "stop_within"] as const;

export type Section = typeof SHARED_SECTIONS[number] | typeof OWN_SECTIONS[number];
export type List = typeof LISTS[number];

/** An entry and which file it stands in. */
export interface Placed {
  readonly entry: TomlEntry;
  readonly origin: "shared" | "own";
}
/** Both files as one. */
export interface Document {
  readonly file: string;
  /** The start of the pipeline's file, for what is missing in it. */
  readonly span: Span;
  /** By name, in document order. Empty when the section is missing. */
  section(name: Section): ReadonlyMap<string, Placed>;
  list(name: List): readonly TomlTable[];
  value(name: typeof VALUES[number]): TomlNode | undefined;
}

/** Checks the top level of both files and joins them. */
export function joinDocuments(own: TomlTable, shared: TomlTable | null, faults: Faults): Document {
  if (shared) checkTopLevel(shared, [...SHARED_SECTIONS, ...SHARED_VALUES], faults, "shared");
  checkTopLevel(own, [...SHARED_SECTIONS, ...OWN_SECTIONS, ...LISTS, ...VALUES], faults, "own");
  const sections = new Map<Section, ReadonlyMap<string, Placed>>();
  for (const name of [...SHARED_SECTIONS, ...OWN_SECTIONS]) {
    const joined = new Map<string, Placed>();
    for (const [table, origin] of [[shared, "shared"], [own, "own"]] as const) {
      if (origin === "shared" && !(SHARED_SECTIONS as readonly string[]).includes(name)) continue;
      const entry = table?.entries.get(name);
      if (entry && isTable(entry, faults)) addEntries(joined, entry.value, origin, name, faults);
    }
    sections.set(name, joined);
  }
  const lists = new Map(LISTS.map((name) => [name, readList(own.entries.get(name), faults)]));
  for (const name of SHARED_VALUES) {
    const [mine, common] = [own.entries.get(name), shared?.entries.get(name)];
    if (!mine || !common) continue;
    faults.add("duplicate_name", mine.keySpan, `${name} is set in ${placeOf(common.keySpan)} already`, "keep one of the two");
  }
  const isShared = (name: string): boolean => SHARED_VALUES.some((other) => other === name);
  return {
    file: own.span.file,
    span: own.span,
    section: (name) => sections.get(name)!,
    list: (name) => lists.get(name)!,
    value: (name) => (own.entries.get(name) ?? (isShared(name) ? shared?.entries.get(name) : undefined))?.value,
  };
}

function addEntries(into: Map<string, Placed>, table: TomlTable, origin: Placed["origin"], section: string, faults: Faults): void {
  for (const [name, entry] of table.entries) {
    const before = into.get(name);
    if (before) {
      const place = placeOf(before.entry.keySpan);
      faults.add(
        "duplicate_name",
        entry.keySpan,
        `${section}.${name} is defined in ${place} already`,
        "keep one of the two, or rename this one",
      );
    } else into.set(name, { entry, origin });
  }
}

function checkTopLevel(table: TomlTable, known: readonly string[], faults: Faults, origin: Placed["origin"]): void {
  for (const [name, { keySpan }] of table.entries) {
    if (known.includes(name)) continue;
    const ofPipelines = origin === "shared" && [...OWN_SECTIONS, ...LISTS, ...VALUES].some((other) => other === name);
    const message = ofPipelines ? `"${name}" belongs into a pipeline's file, not into ${SHARED_FILE}` : `unknown key "${name}"`;
    faults.add("unknown_key", keySpan, message, ofPipelines ? undefined : suggestion(name, known));
  }
}

function readList(entry: TomlEntry | undefined, faults: Faults): readonly TomlTable[] {
  if (!entry) return [];
  if (entry.value.kind !== "array") {
    faults.add("wrong_type", entry.keySpan, `"${entry.key}" is a list of tables`, `write [[${entry.key}]]`);
    return [];
  }
  return entry.value.items.filter((item): item is TomlTable => {
    if (item.kind !== "table") faults.add("wrong_type", item.span, `an entry of "${entry.key}" is a table`);
    return item.kind === "table";
  });
}

/** An entry whose value is a table. */
export type TableEntry = TomlEntry & { readonly value: TomlTable };

/** True when the entry is a table; a fault otherwise. */
export function isTable(entry: TomlEntry, faults: Faults): entry is TableEntry {
  if (entry.value.kind === "table") return true;
  faults.add("wrong_type", entry.value.span, `"${entry.key}" is a table`, `write [${entry.key}]`);
  return false;
}
