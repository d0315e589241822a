/** Getters of timestamps, dates and durations. The zone is UTC unless one is named. */
import { INT } from "../../data/types.ts";
import * as time from "../../data/time.ts";
import { call } from "../nodes.ts";
import { zoneNamed } from "../runtime/time.ts";
import type { Emitter, Node } from "../tree.ts";
import { define, type FunctionTable, type Invocation, noOverload } from "./definition.ts";

type Getter = (micros: number, zone?: time.Zone) => number;

/** Code for the zone argument: known zones are looked up now, and an unknown one is a fault; undefined without one. */
export function zoneCode(node: Node | undefined, invocation: Invocation): ((code: string, emitter: Emitter) => string) | null {
  if (node === undefined) return () => "undefined";
  if (node.type.kind !== "string") return noOverload(invocation);
  if (node.op !== "constant") return (code, emitter) => `${emitter.use(zoneNamed, "zoneNamed")}(${code})`;
  const zone = time.zoneOf(node.value as string);
  if (zone !== null) return (_code, emitter) => emitter.use(zone, "zone");
  const hint = "an IANA name such as 'Europe/Berlin', 'UTC', or an offset such as '+02:00'";
  return invocation.context.report("expression-type", node.at, `there is no time zone '${node.value}'`, hint);
}
/** Only a computed zone can be missing. */
export function zoneFails(node: Node | undefined): "fails" | "total" {
  return node === undefined || node.op === "constant" ? "total" : "fails";
}

function getter(get: Getter, of: { readonly date: boolean; readonly durationUnitMicros?: number; readonly durationModulo?: number }) {
  return (invocation: Invocation): Node | null => {
    const { args: [value, zone], at, name } = invocation;
    if (value.type.kind === "duration" && of.durationUnitMicros !== undefined && zone === undefined) {
      const whole = (code: string) => `Math.trunc(${code} / ${of.durationUnitMicros})`;
      const modulo = of.durationModulo === undefined ? "" : ` % ${of.durationModulo}`;
      return call(name, [value], INT, at, ([micros]) => `(${whole(micros)}${modulo} + 0)`);
    }
    if (value.type.kind === "date" && of.date && zone === undefined) {
      // A date has no zone: its midnight in UTC stands for it.
      return call(name, [value], INT, at, ([days], emitter) => `${emitter.use(get, name)}(${days} * 86400000000)`);
    }
    if (value.type.kind !== "timestamp") return noOverload(invocation);
    const code = zoneCode(zone, invocation);
    if (code === null) return null;
    return call(name, invocation.args, INT, at, ([micros, named], emitter) => {
      const zoned = code(named, emitter);
      return `${emitter.use(get, name)}(${micros}${zoned === "undefined" ? "" : `, ${zoned}`})`;
    }, zoneFails(zone));
  };
}

export const TIME_FUNCTIONS: FunctionTable = {
  getFullYear: define("getFullYear(time[, zone])", getter(time.getFullYear, { date: true })),
  getMonth: define("getMonth(time[, zone])", getter(time.getMonth, { date: true })),
  getDate: define("getDate(time[, zone])", getter(time.getDate, { date: true })),
  getDayOfMonth: define("getDayOfMonth(time[, zone])", getter(time.getDayOfMonth, { date: true })),
  getDayOfWeek: define("getDayOfWeek(time[, zone])", getter(time.getDayOfWeek, { date: true })),
  getDayOfYear: define("getDayOfYear(time[, zone])", getter(time.getDayOfYear, { date: true })),
  getHours: define("getHours(time[, zone])", getter(time.getHours, { date: false, durationUnitMicros: 3_600e6 })),
  getMinutes: define("getMinutes(time[, zone])", getter(time.getMinutes, { date: false, durationUnitMicros: 60e6 })),
  getSeconds: define("getSeconds(time[, zone])", getter(time.getSeconds, { date: false, durationUnitMicros: 1e6 })),
  getMilliseconds: define(
    "getMilliseconds(time[, zone])",
    getter(time.getMilliseconds, { date: false, durationUnitMicros: 1e3, durationModulo: 1000 }),
  ),
};
