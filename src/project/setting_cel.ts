/**
 * CEL in settings (reading rule R1): strings, or TOML numbers and booleans standing for themselves by their written text.
 * Invariant: nothing is ever filled into CEL, because that would let a variable's value become code.
 */
import type { Cel, CelTable, CelTableSetting } from "../component/settings.ts";
import type { Faults } from "./faults.ts";
import type { TomlNode, TomlTable } from "./toml.ts";

/** One expression; null with a fault for anything that cannot be one. */
export function celFromNode(node: TomlNode, title: string, faults: Faults): Cel | null {
  switch (node.kind) {
    case "string": {
      const at = node.text.indexOf("${");
      if (at >= 0) {
        const name = /^\$\{\s*params\.(\w+)/.exec(node.text.slice(at))?.[1];
        const hint = name === undefined ? "declare a parameter with env = ... and write params.NAME" : `write params.${name} instead`;
        faults.add("cel_placeholder", node.place(at), `${title}: \${...} is not filled in inside CEL`, hint);
        return null;
      }
      if (node.text.trim() === "") {
        faults.add("wrong_type", node.span, `${title}: the expression is empty`, "an empty text is written \"''\"");
        return null;
      }
      return { cel: true, text: node.text, span: node.span, place: (offset) => node.place(offset) };
    }
    case "integer":
    case "boolean":
      return standing(node.text, node);
    case "float":
      if (/^-?\d/.test(node.text)) return standing(node.text, node);
      break;
    case "date":
      faults.add("wrong_type", node.span, `${title}: a date is written inside the expression`, `"timestamp('${node.text}')"`);
      return null;
    default:
      break;
  }
  faults.add("wrong_type", node.span, `${title} must be a CEL expression`, "a text, a number, true or false");
  return null;
}

function standing(text: string, node: TomlNode): Cel {
  return { cel: true, text, span: node.span, place: () => node.span };
}

/** A list of expressions; a single text is refused, so that a forgotten bracket is not guessed at. */
export function celListFromNode(node: TomlNode, title: string, faults: Faults): readonly Cel[] | null {
  if (node.kind !== "array") {
    faults.add(
      "wrong_type",
      node.span,
      `${title} must be a list of CEL expressions`,
      node.kind === "string" ? `write ["${node.text}"]` : undefined,
    );
    return null;
  }
  const list = node.items.map((item, index) => celFromNode(item, `${title}[${index + 1}]`, faults));
  return list.every((cel) => cel !== null) ? list : null;
}

/** Names to expressions in document order; where declared so, a list of names standing for themselves. */
export function celTableFromNode(setting: CelTableSetting, node: TomlNode, title: string, faults: Faults): CelTable | null {
  if (node.kind === "array" && setting.names) return namesTable(node.items, title, faults);
  if (node.kind !== "table") {
    const wished = setting.names ? "a list of names or a table of CEL expressions" : "a table of CEL expressions";
    faults.add(
      "wrong_type",
      node.span,
      `${title} must be ${wished}`,
      node.kind === "string" && setting.names ? `write ["${node.text}"]` : undefined,
    );
    return null;
  }
  const entries: CelTable["entries"][number][] = [];
  return collectEntries(node, [], title, entries, faults) ? { entries } : null;
}

function collectEntries(
  table: TomlTable,
  prefix: readonly string[],
  title: string,
  into: CelTable["entries"][number][],
  faults: Faults,
): boolean {
  let good = true;
  for (const [name, entry] of table.entries) {
    const path = [...prefix, name];
    if (entry.value.kind === "table" && entry.value.entries.size > 0) {
      good = collectEntries(entry.value, path, title, into, faults) && good;
      continue;
    }
    const value = celFromNode(entry.value, `${title}.${path.join(".")}`, faults);
    if (value) into.push({ path, keySpan: entry.keySpan, value });
    else good = false;
  }
  return good;
}

function namesTable(items: readonly TomlNode[], title: string, faults: Faults): CelTable | null {
  const entries: CelTable["entries"][number][] = [];
  const seen = new Set<string>();
  for (const item of items) {
    if (item.kind !== "string" || !/^[A-Za-z_]\w*$/.test(item.text)) {
      const hint = 'an expression needs a name: write a table, { name = "expression" }';
      faults.add("wrong_type", item.span, `${title}: this is not a field's name`, hint);
    } else if (seen.has(item.text)) {
      faults.add("duplicate_name", item.span, `${title} names "${item.text}" twice`);
    } else {
      seen.add(item.text);
      const value: Cel = { cel: true, text: item.text, span: item.span, place: (offset) => item.place(offset) };
      entries.push({ path: [item.text], keySpan: item.span, value });
    }
  }
  return entries.length === items.length ? { entries } : null;
}
