/** Conversions: int, double, decimal, string, bool, timestamp, date, duration. None of them rounds unless a mode is named. */
import { BOOL, DATE, DOUBLE, DURATION, INT, STRING, TIMESTAMP, type Type } from "../../data/types.ts";
import { formatDecimal } from "../../data/decimal.ts";
import { EvaluationError } from "../contracts.ts";
import { convertNode, scaleOf } from "../conversions.ts";
import { call } from "../nodes.ts";
import * as numbers from "../runtime/numbers.ts";
import * as time from "../runtime/time.ts";
import type { Node } from "../tree.ts";
import {
  constantMode,
  constantPlaces,
  define,
  defineWithNulls,
  type FunctionTable,
  helperCall,
  type Invocation,
  noOverload,
} from "./definition.ts";
import { zoneCode, zoneFails } from "./time.ts";

function toInt(invocation: Invocation): Node | null {
  const [arg] = invocation.args;
  switch (arg.type.kind) {
    case "int":
      return arg;
    case "decimal":
      if (arg.type.scale === 0) return call("int", [arg], INT, invocation.at, ([code]) => code);
      return noOverload(invocation, "round it knowingly: int(round(x, 0, 'half_even'))");
    case "double":
      return helperCall(invocation, INT, numbers.doubleToInt, "fails");
    case "string":
      return helperCall(invocation, INT, numbers.textToInt, "fails");
    case "timestamp":
      return call("int", [arg], INT, invocation.at, ([code]) => `Math.floor(${code} / 1000000)`);
    default:
      return noOverload(invocation);
  }
}

function toDouble(invocation: Invocation): Node | null {
  const [arg] = invocation.args;
  const scale = scaleOf(arg.type);
  if (scale !== null) {
    return call("double", [arg], DOUBLE, invocation.at, ([code]) => scale === 0 ? code : `(${code} / ${numbers.powerOfTen(scale)})`);
  }
  if (arg.type.kind === "double") return arg;
  return arg.type.kind === "string" ? helperCall(invocation, DOUBLE, numbers.textToDouble, "fails") : noOverload(invocation);
}

/** decimal(x, scale) where nothing can get lost, decimal(x, scale, mode) everywhere. */
function toDecimal(invocation: Invocation): Node | null {
  const { args: [value, scaleNode, modeNode], at, context } = invocation;
  const scale = constantPlaces(scaleNode, "the scale", invocation);
  if (scale === null) return null;
  const mode = modeNode === undefined ? null : constantMode(modeNode, invocation);
  if (modeNode !== undefined && mode === null) return null;
  const type: Type = { kind: "decimal", scale, nullable: false };
  const from = scaleOf(value.type);
  if (from !== null && from <= scale) {
    return from === scale ? call("decimal", [value], type, at, ([code]) => code) : convertNode(value, type);
  }
  if (mode === null) {
    if (value.type.kind === "string") {
      return call(
        "decimal",
        [value],
        type,
        at,
        ([code], emitter) => `${emitter.use(numbers.textToDecimal, "textToDecimal")}(${code}, ${scale})`,
        "fails",
      );
    }
    if (from === null && value.type.kind !== "double") return noOverload(invocation);
    return context.report(
      "expression-number",
      at,
      `this may lose digits beyond ${scale} decimals`,
      `name the rounding: decimal(x, ${scale}, 'half_even')`,
    );
  }
  const written = JSON.stringify(mode);
  if (from !== null) {
    return call(
      "decimal",
      [value],
      type,
      at,
      ([code], emitter) => `${emitter.use(numbers.round, "round")}(${code}, ${from}, ${scale}, ${written})`,
      "fails",
    );
  }
  const helper = value.type.kind === "double" ? numbers.doubleToDecimal : value.type.kind === "string" ? numbers.textToRounded : null;
  if (helper === null) return noOverload(invocation);
  return call(
    "decimal",
    [value],
    type,
    at,
    ([code], emitter) => `${emitter.use(helper, helper.name)}(${code}, ${scale}, ${written})`,
    "fails",
  );
}

/** The text of a bool: true or false. */
function boolOf(text: string): boolean {
  if (/^(?:1|t|true|TRUE|True)$/.test(text)) return true;
  if (/^(?:0|f|false|FALSE|False)$/.test(text)) return false;
  throw new EvaluationError("type", `${JSON.stringify(text)} is not a bool`);
}
/** As CEL writes a double: the shortest text that reads back. */
function doubleToText(value: number): string {
  return String(value);
}

function toText(invocation: Invocation): Node | null {
  const [arg] = invocation.args;
  switch (arg.type.kind) {
    case "string":
      return arg;
    case "int":
    case "bool":
      return call("string", [arg], STRING, invocation.at, ([code]) => `String(${code})`);
    case "decimal": {
      const { scale } = arg.type;
      return call(
        "string",
        [arg],
        STRING,
        invocation.at,
        ([code], emitter) => `${emitter.use(formatDecimal, "formatDecimal")}(${code}, ${scale})`,
      );
    }
    case "double":
      return helperCall(invocation, STRING, doubleToText);
    case "timestamp":
      return helperCall(invocation, STRING, time.timestampToText);
    case "date":
      return helperCall(invocation, STRING, time.dateToText);
    case "duration":
      return helperCall(invocation, STRING, time.durationToText);
    default:
      return noOverload(invocation);
  }
}

function toBool(invocation: Invocation): Node | null {
  const [arg] = invocation.args;
  if (arg.type.kind === "bool") return arg;
  return arg.type.kind === "string" ? helperCall(invocation, BOOL, boolOf, "fails") : noOverload(invocation);
}
function toTimestamp(invocation: Invocation): Node | null {
  const [arg] = invocation.args;
  switch (arg.type.kind) {
    case "timestamp":
      return arg;
    case "string":
      return helperCall(invocation, TIMESTAMP, time.textToTimestamp, "fails");
    case "date":
      return helperCall(invocation, TIMESTAMP, time.dateToTimestamp, "fails");
    case "int":
      return call(
        "timestamp",
        [arg],
        TIMESTAMP,
        invocation.at,
        ([code], emitter) => `${emitter.use(time.timestampInRange, "timestampInRange")}(${code} * 1000000)`,
        "fails",
      );
    default:
      return noOverload(invocation);
  }
}
function toDate(invocation: Invocation): Node | null {
  const { args: [value, zone], at } = invocation;
  if (value.type.kind === "date" && zone === undefined) return value;
  if (value.type.kind === "string" && zone === undefined) return helperCall(invocation, DATE, time.textToDate, "fails");
  if (value.type.kind !== "timestamp") return noOverload(invocation);
  const code = zoneCode(zone, invocation);
  if (code === null) return null;
  return call(
    "date",
    invocation.args,
    DATE,
    at,
    ([micros, named], emitter) => `${emitter.use(time.timestampToDate, "timestampToDate")}(${micros}, ${code(named, emitter)})`,
    zoneFails(zone),
  );
}
function toDuration(invocation: Invocation): Node | null {
  const [arg] = invocation.args;
  if (arg.type.kind === "duration") return arg;
  return arg.type.kind === "string"
    ? helperCall(invocation, DURATION, time.textToDuration, "fails")
    : noOverload(invocation, "write duration('90s')");
}

export const CONVERSION_FUNCTIONS: FunctionTable = {
  // Types are known here without it; accepted so that expressions from elsewhere run.
  dyn: defineWithNulls("dyn(x)", ({ args }) => args[0]),
  int: define("int(x)", toInt),
  double: define("double(x)", toDouble),
  decimal: define("decimal(x, scale[, mode])", toDecimal),
  string: define("string(x)", toText),
  bool: define("bool(x)", toBool),
  timestamp: define("timestamp(x)", toTimestamp),
  date: define("date(x[, zone])", toDate),
  duration: define("duration(text)", toDuration),
};
