/**
 * Settings of a component from a plain object, without TOML. The `file` of a place is the path of the setting ("rules[0].when"),
 * so that tests of faults read well.
 */
import type { Cel, CelTable, GroupSetting, Setting, SettingGroup } from "../../src/component/settings.ts";
import { assert, type Span } from "../../src/data/fault.ts";

export type Plain = string | number | boolean | readonly Plain[] | { readonly [name: string]: Plain };

const spanAt = (path: string, column = 1): Span => ({ file: path, line: 1, column, endLine: 1, endColumn: column });

/** A CEL expression that stands at `path`. */
export function celAt(path: string, value: Plain): Cel {
  return { cel: true, text: String(value), span: spanAt(path), place: (offset) => spanAt(path, offset + 1) };
}

/** `values` as the settings that `group` declares; defaults are filled in, an undeclared name is refused. */
export function settingsOf(group: GroupSetting, values: { readonly [name: string]: Plain }, path = ""): SettingGroup {
  for (const name of Object.keys(values)) assert(Object.hasOwn(group.fields, name), `the component declares "${name}"`);
  return new PlainGroup(group, values, path);
}

class PlainGroup implements SettingGroup {
  readonly span: Span;
  readonly #group: GroupSetting;
  readonly #values: { readonly [name: string]: Plain };
  readonly #path: string;

  constructor(group: GroupSetting, values: { readonly [name: string]: Plain }, path: string) {
    this.#group = group;
    this.#values = values;
    this.#path = path;
    this.span = spanAt(path);
  }

  has(name: string): boolean {
    return name in this.#values || (this.#setting(name) as { default?: unknown }).default !== undefined;
  }
  at(name: string): Span {
    return name in this.#values ? spanAt(this.#pathOf(name)) : this.span;
  }
  text(name: string): string {
    return this.#value(name, ["text", "choice"]) as string;
  }
  number(name: string): number {
    return this.#value(name, ["int", "duration", "size"]) as number;
  }
  bool(name: string): boolean {
    return this.#value(name, ["bool"]) as boolean;
  }
  cel(name: string): Cel {
    return celAt(this.#pathOf(name), this.#value(name, ["cel"]));
  }
  celTable(name: string): CelTable {
    const value = this.#value(name, ["cel_table"]);
    const path = this.#pathOf(name);
    const entries = Array.isArray(value)
      ? value.map((item: string) => [item, item] as const)
      : Object.entries(value as Record<string, Plain>);
    return {
      entries: entries.map(([key, text]) => ({
        path: key === "..." ? [key] : key.split("."),
        keySpan: spanAt(`${path}.${key}`),
        value: celAt(`${path}.${key}`, text),
      })),
    };
  }
  celList(name: string): readonly Cel[] {
    return (this.#value(name, ["cel_list"]) as readonly Plain[]).map((item, index) => celAt(`${this.#pathOf(name)}[${index}]`, item));
  }
  texts(name: string): readonly string[] {
    return this.#value(name, ["text_list"]) as readonly string[];
  }
  group(name: string): SettingGroup {
    const setting = this.#setting(name);
    assert(setting.kind === "group", `"${name}" is declared as a group`);
    return settingsOf(setting, this.#values[name] as Record<string, Plain>, this.#pathOf(name));
  }
  groups(name: string): readonly SettingGroup[] {
    const setting = this.#setting(name);
    assert(setting.kind === "list", `"${name}" is declared as a list`);
    return (this.#values[name] as readonly Record<string, Plain>[]).map((item, index) =>
      settingsOf(setting.item, item, `${this.#pathOf(name)}[${index}]`)
    );
  }
  map(name: string): ReadonlyMap<string, SettingGroup> {
    const setting = this.#setting(name);
    assert(setting.kind === "map", `"${name}" is declared as a map`);
    const entries = Object.entries(this.#values[name] as Record<string, Record<string, Plain>>);
    return new Map(entries.map(([key, item]) => [key, settingsOf(setting.item, item, `${this.#pathOf(name)}.${key}`)]));
  }
  which(): number {
    throw new Error("no transform has an `either` setting");
  }

  #pathOf(name: string): string {
    return this.#path === "" ? name : `${this.#path}.${name}`;
  }
  #setting(name: string): Setting {
    const setting = this.#group.fields[name];
    assert(setting !== undefined, `the component declares "${name}"`);
    return setting;
  }
  #value(name: string, kinds: readonly Setting["kind"][]): Plain {
    const setting = this.#setting(name);
    assert(kinds.includes(setting.kind), `"${name}" is declared as ${setting.kind}, and read as ${kinds.join(" or ")}`);
    const value = this.#values[name] ?? (setting as { default?: Plain }).default;
    assert(value !== undefined, `"${this.#pathOf(name)}" is given or has a default`);
    return value;
  }
}
