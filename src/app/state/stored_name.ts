/**
 * What the names of stored tables and columns say: they carry the types, so that state can be read without the transforms that keep it
 * (transforms/support/keys.ts and aggregate/accumulators.ts make the names). Invariant: a name that says no type gives a plain number,
 * text or JSON value, never a guess.
 */
import type { Type } from "../../data/types.ts";
import { parseTypeText } from "../../transforms/support/type_text.ts";

/** A stored column as a person knows it. */
export interface StoredName {
  readonly name: string;
  /** null: the name does not say. */
  readonly type: Type | null;
}

const INT: Type = { kind: "int", nullable: true };
/** Of columns of rows that are held back, in which fields stand apart from where the rows came from. */
const HELD_FIELD = "field ";

/** "total: decimal(2)", "pending: sum(decimal(2))", "mean: avg(decimal(2)).count". */
export function readColumnName(stored: string): StoredName {
  const text = stored.startsWith(HELD_FIELD) ? stored.slice(HELD_FIELD.length) : stored;
  const colon = text.indexOf(": ");
  if (colon < 0) return { name: text, type: null };
  const [name, told] = [text.slice(0, colon), text.slice(colon + 2)];
  const type = readType(told);
  if (type !== null) return { name, type };
  const made = /^(\w+)\((.*)\)(\.(?:sum|count|at|by))?$/.exec(told);
  return made ? ofAggregate(name, made[1], splitTypes(made[2]).map(readType), made[3] ?? "") : { name: text, type: null };
}

function ofAggregate(name: string, called: string, [value = null, by = null]: readonly (Type | null)[], part: string): StoredName {
  if (part === ".count" || part === ".at" || called === "count") return { name: name + part, type: INT };
  return { name: name + part, type: part === ".by" ? by : value };
}

/** "spent.state(string)" of operator "spent" is "state" with these types of its key. */
export function readTableName(stored: string, operator: string): { readonly name: string; readonly key: readonly (Type | null)[] } {
  const text = stored.slice(operator.length + 1);
  const keyed = /^(.*?)\((.*)\)$/.exec(text);
  if (keyed && !text.includes(": ")) return { name: keyed[1], key: splitTypes(keyed[2]).map(readType) };
  const { name, type } = readColumnName(text);
  return { name, key: type === null ? [] : [type] };
}

/** The parts between commas that stand in no bracket. */
function splitTypes(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    if ("(<{".includes(text[at])) depth++;
    else if (")>}".includes(text[at])) depth--;
    else if (text[at] === "," && depth === 0) {
      parts.push(text.slice(from, at));
      from = at + 1;
    }
  }
  parts.push(text.slice(from));
  return parts.map((part) => part.trim()).filter((part) => part !== "");
}

/** As parseTypeText, of maps and structs too, which no setting names. */
export function readType(text: string): Type | null {
  const nullable = text.endsWith("?");
  const bare = nullable ? text.slice(0, -1) : text;
  const list = /^list<(.*)>$/.exec(bare);
  if (list) {
    const item = readType(list[1]);
    return item && { kind: "list", item, nullable };
  }
  const map = /^map<(.*)>$/.exec(bare);
  if (map) {
    const [key, value] = splitTypes(map[1]).map(readType);
    return key && value ? { kind: "map", key, value, nullable } as Type : null;
  }
  const struct = /^struct\{(.*)\}$/.exec(bare);
  if (!struct) return parseTypeText(text);
  const fields = splitTypes(struct[1]).map((member) => {
    const colon = member.indexOf(": ");
    return { name: member.slice(0, colon), type: readType(member.slice(colon + 2)) };
  });
  return fields.every(({ type }) => type !== null) ? { kind: "struct", fields, nullable } as Type : null;
}
