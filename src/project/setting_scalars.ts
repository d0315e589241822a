/** Plain values of settings: texts, numbers, durations, sizes, choices. Texts are filled in first, then read by their type. */
import { parseDuration } from "../data/time.ts";
import type { ChoiceSetting, IntSetting } from "../component/settings.ts";
import { fill } from "./interpolate.ts";
import { suggestion } from "./nearest.ts";
import type { SettingContext } from "./settings.ts";
import type { TomlNode } from "./toml.ts";
import { DURATION_FORMS, parseSizeBytes, SIZE_FORMS } from "./units.ts";
import { MASK } from "./secrets.ts";

/** A text after filling in; a secret one is remembered, so that no later fault shows it. */
export function textFromNode(node: TomlNode, title: string, context: SettingContext, shown: "shown" | "secret"): string | null {
  if (node.kind !== "string") {
    const hint = "text" in node && shown === "shown" ? `write it in quotes: "${node.text}"` : undefined;
    context.faults.add("wrong-type", node.span, `${title} must be a text`, hint);
    return null;
  }
  const text = fill(node, context.variables, context.faults)?.text ?? null;
  if (shown === "secret" && text !== null) context.secrets.add(text);
  return text;
}

/** A whole number within bounds; text counts only where it came from a placeholder. */
export function intFromNode(setting: IntSetting, node: TomlNode, title: string, context: SettingContext): number | null {
  const wished = `a whole number from ${setting.min} to ${setting.max} (${setting.unit})`;
  let text: string | null = null;
  if (node.kind === "integer") text = node.text;
  else if (node.kind === "string") {
    const filled = fill(node, context.variables, context.faults);
    if (!filled) return null;
    if (filled.filled) text = filled.text;
    else {
      const hint = /^-?\d+$/.test(filled.text) ? `write ${filled.text} without quotes` : undefined;
      context.faults.add("wrong-type", node.span, `${title} must be ${wished}`, hint);
      return null;
    }
  }
  const value = text !== null && /^-?\d+$/.test(text) ? Number(text) : NaN;
  if (value >= setting.min && value <= setting.max) return value === 0 ? 0 : value;
  const found = text === null ? "" : `, not ${text}`;
  context.faults.add(Number.isNaN(value) ? "wrong-type" : "out-of-range", node.span, `${title} must be ${wished}${found}`);
  return null;
}

/** Milliseconds; whole ones, since nothing here is timed more finely. */
export function durationFromNode(node: TomlNode, title: string, context: SettingContext): number | null {
  const text = unitText(node, title, "a duration", DURATION_FORMS, context);
  if (text === null) return null;
  const micros = parseDuration(text);
  if (micros >= 0 && micros % 1000 === 0) return micros / 1000;
  context.faults.add("wrong-type", node.span, `${title}: "${text}" is not a duration of whole milliseconds`, DURATION_FORMS);
  return null;
}

/** Bytes. */
export function sizeFromNode(node: TomlNode, title: string, context: SettingContext): number | null {
  const text = unitText(node, title, "a size", SIZE_FORMS, context);
  if (text === null) return null;
  const bytes = parseSizeBytes(text);
  if (bytes === null) context.faults.add("wrong-type", node.span, `${title}: "${text}" is not a size`, SIZE_FORMS);
  return bytes;
}

function unitText(node: TomlNode, title: string, wished: string, forms: string, context: SettingContext): string | null {
  if (node.kind === "string") return fill(node, context.variables, context.faults)?.text ?? null;
  context.faults.add("wrong-type", node.span, `${title} must be ${wished} with its unit`, forms);
  return null;
}

/** true or false; text counts only where it came from a placeholder. */
export function boolFromNode(node: TomlNode, title: string, context: SettingContext): boolean | null {
  if (node.kind === "boolean") return node.text === "true";
  if (node.kind === "string") {
    const filled = fill(node, context.variables, context.faults);
    if (!filled) return null;
    if (filled.filled && (filled.text === "true" || filled.text === "false")) return filled.text === "true";
  }
  context.faults.add("wrong-type", node.span, `${title} must be true or false`, node.kind === "string" ? "without quotes" : undefined);
  return null;
}

/** One of the declared words. */
export function choiceFromNode(setting: ChoiceSetting, node: TomlNode, title: string, context: SettingContext): string | null {
  const known = Object.keys(setting.choices);
  if (node.kind !== "string") {
    context.faults.add("wrong-type", node.span, `${title} must be one of ${known.join(", ")}`);
    return null;
  }
  const filled = fill(node, context.variables, context.faults);
  if (!filled) return null;
  if (Object.hasOwn(setting.choices, filled.text)) return filled.text;
  const found = filled.secret ? MASK : filled.text;
  context.faults.add("wrong-choice", node.span, `${title} cannot be "${found}"`, suggestion(filled.text, known));
  return null;
}

/** A list of texts, each filled in. */
export function textsFromNode(node: TomlNode, title: string, context: SettingContext): readonly string[] | null {
  if (node.kind !== "array") {
    const hint = node.kind === "string" ? `write ["${node.text}"]` : undefined;
    context.faults.add("wrong-type", node.span, `${title} must be a list of texts`, hint);
    return null;
  }
  const texts = node.items.map((item, index) => textFromNode(item, `${title}[${index + 1}]`, context, "shown"));
  return texts.every((text) => text !== null) ? texts : null;
}
