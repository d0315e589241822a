/**
 * `${NAME}`, `${NAME:-default}` and `${params.x}` in plain text; `$${` is a literal `${`. Invariant: what is filled in is
 * never looked at again, so no value can ask for another one, nor become syntax.
 */
import type { TomlString } from "./toml.ts";
import type { Faults } from "./faults.ts";
import { suggestion } from "./nearest.ts";

/** What a placeholder stands for. `secret`: never show it. */
export interface Filling {
  readonly text: string;
  readonly secret: boolean;
}
/** A parameter that is no text. */
export interface Refused {
  /** A sentence that says why; "" where the parameter has its own fault already. */
  readonly refused: string;
  /** What it is instead: it may stand for a setting as a whole. */
  readonly instead?: "null" | readonly string[];
}
export interface Variables {
  /** An environment variable; null where it is missing or empty. */
  environment(name: string): Filling | null;
  /** A parameter's text, or why it has none; null where there is no such parameter. */
  parameter(name: string): Filling | Refused | null;
  parameterNames(): Iterable<string>;
}

/** A text after filling in. `filled`: whether there was anything to fill in. */
export interface Filled extends Filling {
  readonly filled: boolean;
}

const PLACEHOLDER = /^(?:params\.([A-Za-z_][A-Za-z0-9_]*)|([A-Za-z_][A-Za-z0-9_]*)(?::-([^]*))?)$/;

/** Fills in all placeholders; null when one is missing or malformed, each reported with its own place. */
export function fill(node: TomlString, variables: Variables, faults: Faults): Filled | null {
  const { text } = node;
  if (!text.includes("${")) return { text, filled: false, secret: false };
  let result = "";
  let from = 0;
  let filled = false;
  let secret = false;
  let good = true;
  for (let at = text.indexOf("${"); at >= 0; at = text.indexOf("${", from)) {
    if (text[at - 1] === "$" && at > from) {
      result += text.slice(from, at - 1) + "${";
      from = at + 2;
      continue;
    }
    const end = text.indexOf("}", at);
    if (end < 0) {
      faults.add("placeholder", node.place(at), "${ is not closed", "close it with }; a literal ${ is written $${");
      return null;
    }
    const filling = resolve(text.slice(at + 2, end), node, at, variables, faults);
    filled = true;
    if (filling) {
      result += text.slice(from, at) + filling.text;
      secret ||= filling.secret;
    } else good = false;
    from = end + 1;
  }
  return good ? { text: result + text.slice(from), filled, secret } : null;
}

/** What the parameter is that a setting's text consists of, as in `count = "${params.count}"`, where that is no text. */
export function wholeParameter(text: string, variables: Variables): Refused["instead"] {
  const name = /^\$\{params\.([A-Za-z_][A-Za-z0-9_]*)\}$/.exec(text)?.[1];
  const found = name === undefined ? null : variables.parameter(name);
  return found !== null && "refused" in found ? found.instead : undefined;
}

function resolve(body: string, node: TomlString, at: number, variables: Variables, faults: Faults): Filling | null {
  const parts = PLACEHOLDER.exec(body);
  if (!parts) {
    faults.add("placeholder", node.place(at), `\${${body}} is not understood`, "write ${NAME}, ${NAME:-default} or ${params.x}");
    return null;
  }
  const [, parameter, name, fallback] = parts;
  if (parameter !== undefined) return resolveParameter(parameter, node, at, variables, faults);
  const value = variables.environment(name);
  if (value) return value;
  if (fallback !== undefined) return { text: fallback, secret: false };
  faults.add(
    "variable_missing",
    node.place(at),
    `the environment variable ${name} is not set`,
    `set it, or give a default: \${${name}:-...}`,
  );
  return null;
}

function resolveParameter(name: string, node: TomlString, at: number, variables: Variables, faults: Faults): Filling | null {
  const value = variables.parameter(name);
  if (value === null) {
    faults.add("unknown_name", node.place(at), `there is no parameter "${name}"`, suggestion(name, variables.parameterNames()));
    return null;
  }
  if ("refused" in value) {
    if (value.refused === "") faults.followed();
    else faults.add("placeholder", node.place(at), value.refused);
    return null;
  }
  return value;
}
