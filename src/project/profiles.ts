/**
 * [profile] and [profiles.NAME]: which set of parameters holds, and which pipelines a project consists of under it. A profile that
 * names `pipelines` chooses files; the others are run where they are named. Invariant: every name in a list is a pipeline's.
 */
import { type Document, isTable } from "./documents.ts";
import type { Faults } from "./faults.ts";
import { fill, type Filling, type Variables } from "./interpolate.ts";
import { suggestion } from "./nearest.ts";
import { textsFromNode } from "./setting_scalars.ts";
import type { SettingContext } from "./settings.ts";
import type { TomlTable } from "./toml.ts";

/** The key of a shared profile that is no parameter. */
export const PIPELINES = "pipelines";

/** What profiles are read from. */
export interface ProfileSources {
  readonly document: Document;
  readonly environment: (name: string) => Filling | null;
  readonly faults: Faults;
}

/** The table of the chosen profile; null without one or when it cannot be told. */
export function chooseProfile({ document, environment, faults }: ProfileSources): TomlTable | null {
  const use = document.section("profile").get("use")?.entry.value;
  for (const [name, { entry }] of document.section("profile")) {
    if (name !== "use") faults.add("unknown_key", entry.keySpan, `[profile] has no key "${name}"`, 'it has one: use = "NAME"');
  }
  if (!use) return null;
  if (use.kind !== "string") {
    faults.add("wrong_type", use.span, "`use` is the name of a profile, a text");
    return null;
  }
  const variables: Variables = {
    environment,
    parameter: () => ({ refused: "a profile sets parameters, so its name cannot come from one" }),
    parameterNames: () => [],
  };
  const name = fill(use, variables, faults);
  if (!name) return null;
  const profiles = document.section("profiles");
  const chosen = profiles.get(name.text)?.entry.value;
  if (!chosen) faults.add("unknown_name", use.span, `there is no profile "${name.text}"`, suggestion(name.text, profiles.keys()));
  return chosen?.kind === "table" ? chosen : null;
}

/** Which pipelines belong together. */
export interface ProfileFiles {
  /** Those of the chosen profile, in its order; null where it does not say: all. */
  readonly chosen: readonly string[] | null;
  /** Whether some profile has both, or no profile either of them: they must not be in each other's way. */
  areTogether(one: string, other: string): boolean;
}

/** Reads the lists of files of millrace.toml's profiles. `names`: all pipelines there are; null where that is not known. */
export function readProfileFiles(
  document: Document | undefined,
  names: readonly string[] | null,
  environment: ProfileSources["environment"],
  context: SettingContext,
): ProfileFiles {
  if (document === undefined) return { chosen: null, areTogether: () => true };
  const lists = new Map<TomlTable, readonly string[]>();
  for (const { entry, origin } of document.section("profiles").values()) {
    const list = origin === "shared" && isTable(entry, context.faults) ? entry.value.entries.get(PIPELINES)?.value : undefined;
    const texts = list && textsFromNode(list, `profiles.${entry.key}.${PIPELINES}`, context);
    if (!texts || entry.value.kind !== "table") continue;
    for (const name of names === null ? [] : texts.filter((text) => !names.includes(text))) {
      context.faults.add("unknown_name", list!.span, `there is no pipeline "${name}"`, suggestion(name, names!));
    }
    lists.set(entry.value, texts);
  }
  const profile = chooseProfile({ document, environment, faults: context.faults });
  const named = new Set([...lists.values()].flat());
  return {
    chosen: (profile && lists.get(profile)) ?? null,
    areTogether: (one, other) =>
      !named.has(one) || !named.has(other) || [...lists.values()].some((list) => list.includes(one) && list.includes(other)),
  };
}
