/** Plain values of settings: texts, numbers, durations, sizes, choices. Texts are filled in first, then read by their type. */
import { parseDuration } from "../data/time.ts";
import type { ChoiceSetting, IntSetting } from "../component/settings.ts";
import { fill, type Filled, wholeParameter } from "./interpolate.ts";
import { suggestion } from "./nearest.ts";
import type { SettingContext } from "./settings.ts";
import type { TomlNode } from "./toml.ts";
import { DURATION_FORMS, parseSizeBytes, SIZE_FORMS } from "./units.ts";
import { MASK } from "./secrets.ts";

/** A text after filling in, and whether it is secret. A secret one is remembered, so that no later fault shows it. */
export function filledFromNode(node: TomlNode, title: string, context: SettingContext, shown: "shown" | "secret"): Filled | null {
  if (node.kind !== "string") {
    const hint = "text" in node && shown === "shown" ? `write it in quotes: "${node.text}"` : undefined;
    context.faults.add("wrong_type", node.span, `${title} must be a text`, hint);
    return null;
  }
  const filled = fill(node, context.variables, context.faults);
  if (filled && shown === "secret") context.secrets.add(filled.text);
  return filled && (shown === "secret" ? { ...filled, secret: true } : filled);
}

/** The text alone. */
export function textFromNode(node: TomlNode, title: string, context: SettingContext): string | null {
  return filledFromNode(node, title, context, "shown")?.text ?? null;
}

/** As it may be shown in a fault. */
const shownText = ({ text, secret }: Filled): string => secret ? MASK : text;

/** A whole number within bounds; text counts only where it came from a placeholder. */
export function intFromNode(setting: IntSetting, node: TomlNode, title: string, context: SettingContext): number | null {
  const wished = `a whole number from ${setting.min} to ${setting.max} (${setting.unit})`;
  let text: string | null = null;
  let shown = "";
  if (node.kind === "integer") shown = text = node.text;
  else if (node.kind === "string") {
    const filled = fill(node, context.variables, context.faults);
    if (!filled) return null;
    if (filled.filled) {
      text = filled.text;
      shown = shownText(filled);
    } else {
      const hint = /^-?\d+$/.test(filled.text) ? `write ${filled.text} without quotes` : undefined;
      context.faults.add("wrong_type", node.span, `${title} must be ${wished}`, hint);
      return null;
    }
  }
  const value = text !== null && /^-?\d+$/.test(text) ? Number(text) : NaN;
  if (value >= setting.min && value <= setting.max) return value === 0 ? 0 : value;
  const found = text === null ? "" : `, not ${shown}`;
  context.faults.add(Number.isNaN(value) ? "wrong_type" : "out_of_range", node.span, `${title} must be ${wished}${found}`);
  return null;
}

/** Milliseconds; whole ones, since nothing here is timed more finely. */
export function durationFromNode(node: TomlNode, title: string, context: SettingContext): number | null {
  const filled = unitText(node, title, "a duration", DURATION_FORMS, context);
  if (!filled) return null;
  const micros = parseDuration(filled.text);
  if (micros >= 0 && micros % 1000 === 0) return micros / 1000;
  context.faults.add("wrong_type", node.span, `${title}: "${shownText(filled)}" is not a duration of whole milliseconds`, DURATION_FORMS);
  return null;
}

/** Bytes. */
export function sizeFromNode(node: TomlNode, title: string, context: SettingContext): number | null {
  const filled = unitText(node, title, "a size", SIZE_FORMS, context);
  if (!filled) return null;
  const bytes = parseSizeBytes(filled.text);
  if (bytes === null) context.faults.add("wrong_type", node.span, `${title}: "${shownText(filled)}" is not a size`, SIZE_FORMS);
  return bytes;
}

function unitText(node: TomlNode, title: string, wished: string, forms: string, context: SettingContext): Filled | null {
  if (node.kind === "string") return fill(node, context.variables, context.faults);
  context.faults.add("wrong_type", node.span, `${title} must be ${wished} with its unit`, forms);
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
  context.faults.add("wrong_type", node.span, `${title} must be true or false`, node.kind === "string" ? "without quotes" : undefined);
  return null;
}

/** One of the declared words. */
export function choiceFromNode(setting: ChoiceSetting, node: TomlNode, title: string, context: SettingContext): string | null {
  const known = Object.keys(setting.choices);
  if (node.kind !== "string") {
    context.faults.add("wrong_type", node.span, `${title} must be one of ${known.join(", ")}`);
    return null;
  }
  const filled = fill(node, context.variables, context.faults);
  if (!filled) return null;
  if (Object.hasOwn(setting.choices, filled.text)) return filled.text;
  context.faults.add("wrong_choice", node.span, `${title} cannot be "${shownText(filled)}"`, suggestion(filled.text, known));
  return null;
}

/** A list of texts, each filled in, or a parameter that is one: `columns = "${params.columns}"`. */
export function filledListFromNode(node: TomlNode, title: string, context: SettingContext): readonly Filled[] | null {
  if (node.kind === "string") {
    const list = wholeParameter(node.text, context.variables);
    if (Array.isArray(list)) return list.map((text) => ({ text, filled: true, secret: false }));
  }
  if (node.kind !== "array") {
    const hint = node.kind === "string" ? `write ["${node.text}"]` : undefined;
    context.faults.add("wrong_type", node.span, `${title} must be a list of texts`, hint);
    return null;
  }
  const texts = node.items.map((item, index) => filledFromNode(item, `${title}[${index + 1}]`, context, "shown"));
  return texts.every((text) => text !== null) ? texts : null;
}

/** The texts alone. */
export function textsFromNode(node: TomlNode, title: string, context: SettingContext): readonly string[] | null {
  return filledListFromNode(node, title, context)?.map(({ text }) => text) ?? null;
}
