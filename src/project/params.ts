/**
 * Parameters of one pipeline: [params], [profile] and [profiles.NAME]. Precedence: --set, then the environment, then the profile,
 * then the default. Invariant: every declared parameter ends with a value of its type or with a fault, never with a guess.
 */
import type { Span } from "../data/fault.ts";
import { type Field, type Type, typeText } from "../data/types.ts";
import { type Document, isTable } from "./documents.ts";
import type { Faults } from "./faults.ts";
import { fill, type Filled, type Filling, type Refused, type Variables } from "./interpolate.ts";
import { suggestion } from "./nearest.ts";
import { chooseProfile, PIPELINES } from "./profiles.ts";
import { type ParamDeclaration, readDeclarations } from "./param_declarations.ts";
import { isSameValue, type ParamValue, type ValueError, valueFromText, valueFromToml } from "./param_values.ts";
import { outsideSpan } from "./positions.ts";
import { isSecretName, MASK, type Secrets } from "./secrets.ts";
import type { TomlNode, TomlTable } from "./toml.ts";

/** What the rest of the project asks of parameters. */
export interface Params {
  /** A struct of all parameters, and their values by path ("params.x", and "params" itself), as CEL sees them. */
  readonly type: Type;
  readonly constants: ReadonlyMap<string, unknown>;
  /** As text for people, secrets masked. */
  readonly shown: ReadonlyMap<string, string>;
  /** For placeholders in plain text. */
  readonly variables: Variables;
}
/** What parameters are read from. */
export interface ParamSources {
  readonly document: Document;
  readonly environment: (name: string) => Filling | null;
  /** --set texts by the parameter's name. */
  readonly overrides: ReadonlyMap<string, string>;
  /** Names declared by other pipelines of the project: a shared profile may set those. */
  readonly elsewhere: ReadonlySet<string>;
  readonly secrets: Secrets;
  readonly faults: Faults;
}

interface Given {
  readonly span: Span;
  readonly value: ParamValue | ValueError;
  readonly secret: boolean;
}

/** Reads all parameters; whatever is wrong is a fault. */
export function readParams(sources: ParamSources): Params {
  const declarations = readDeclarations(sources.document, sources.faults);
  const resolver = new Resolver(sources, declarations);
  const fields: Field[] = [];
  const constants = new Map<string, unknown>();
  const shown = new Map<string, string>();
  for (const [name, declaration] of declarations) {
    fields.push({ name, type: declaration.type });
    const given = resolver.resolve(name);
    if (!given) continue;
    constants.set(`params.${name}`, given.value.value);
    shown.set(name, given.secret ? MASK : sources.secrets.mask(given.value.shown));
  }
  // As a whole, where all have a value.
  if (constants.size === fields.length) {
    constants.set("params", Object.fromEntries(fields.map(({ name }) => [name, constants.get(`params.${name}`)])));
  }
  return { type: { kind: "struct", fields, nullable: false }, constants, shown, variables: resolver };
}

type Resolved = { readonly value: ParamValue; readonly secret: boolean };

const isTextList = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every((item) => typeof item === "string");

class Resolver implements Variables {
  readonly #sources: ParamSources;
  readonly #declarations: ReadonlyMap<string, ParamDeclaration>;
  readonly #profile: TomlTable | null;
  /** "open" while a value is being found, null when it has a fault. */
  readonly #resolved = new Map<string, Resolved | "open" | null>();

  constructor(sources: ParamSources, declarations: ReadonlyMap<string, ParamDeclaration>) {
    this.#sources = sources;
    this.#declarations = declarations;
    checkProfiles(sources, declarations);
    this.#profile = chooseProfile(sources);
  }

  environment(name: string): Filling | null {
    return this.#sources.environment(name);
  }

  parameterNames(): Iterable<string> {
    return this.#declarations.keys();
  }

  parameter(name: string): Filling | Refused | null {
    if (!this.#declarations.has(name)) return null;
    if (this.#resolved.get(name) === "open") return { refused: `params.${name} refers to itself` };
    const given = this.resolve(name);
    if (!given) return { refused: "" };
    const { value, secret } = given;
    if (value.text !== null) return { text: value.text, secret };
    if (value.value === null) return { refused: `params.${name} is null here`, instead: "null" };
    const refused = `params.${name} is a list and cannot be put into a text`;
    return isTextList(value.value) ? { refused, instead: value.value } : { refused };
  }

  resolve(name: string): Resolved | null {
    const present = this.#resolved.get(name);
    if (present !== undefined) return present === "open" ? null : present;
    this.#resolved.set(name, "open");
    const resolved = this.#find(name, this.#declarations.get(name)!);
    this.#resolved.set(name, resolved);
    return resolved;
  }

  #find(name: string, declaration: ParamDeclaration): Resolved | null {
    const { faults, secrets } = this.#sources;
    const given = this.#given(name, declaration);
    if (given === "fault") return null;
    if (!given) {
      if (declaration.type.nullable) return { value: { value: null, text: null, shown: "" }, secret: false };
      const variable = declaration.env === null ? "" : `, or set the environment variable ${declaration.env}`;
      faults.add(
        "param_missing",
        declaration.span,
        `params.${name} has no value`,
        `give it a default, or --set params.${name}=...${variable}`,
      );
      return null;
    }
    const { value, span } = given;
    const secret = given.secret || declaration.secret;
    if ("error" in value) {
      const error = secret ? `its value does not fit its type, ${typeText(declaration.type)}` : value.error;
      faults.add("param_value", span, `params.${name}: ${error}`, value.hint);
      return null;
    }
    if (secret && typeof value.value === "string") secrets.add(value.value);
    const choices = this.#choices(declaration);
    if (choices && value.value !== null && !choices.some((choice) => isSameValue(choice.value, value.value))) {
      const known = choices.map((choice) => choice.shown);
      faults.add(
        "param_value",
        span,
        `params.${name}: "${secret ? MASK : value.shown}" is not one of ${known.join(", ")}`,
        suggestion(value.shown, known),
      );
      return null;
    }
    return { value, secret };
  }

  /** The value of highest precedence; null when there is none at all. */
  #given(name: string, declaration: ParamDeclaration): Given | "fault" | null {
    const { overrides } = this.#sources;
    const override = overrides.get(name);
    if (override !== undefined) {
      return { span: outsideSpan("--set"), value: valueFromText(declaration.type, override), secret: false };
    }
    const variable = declaration.env === null ? null : this.environment(declaration.env);
    if (variable && declaration.env !== null) {
      const { text, secret } = variable;
      return { span: outsideSpan(`environment variable ${declaration.env}`), value: valueFromText(declaration.type, text), secret };
    }
    const node = this.#profile?.entries.get(name)?.value ?? declaration.default;
    return node ? this.#fromToml(declaration.type, node) : null;
  }

  #fromToml(type: Type, node: TomlNode): Given | "fault" {
    let secret = false;
    const value = valueFromToml(type, node, (text) => {
      const filled = text.kind === "string" ? this.#fill(text) : null;
      if (filled?.secret) secret = true;
      return filled;
    });
    return value ? { span: node.span, value, secret } : "fault";
  }

  #fill(node: TomlNode): Filled | null {
    return node.kind === "string" ? fill(node, this, this.#sources.faults) : null;
  }

  #choices(declaration: ParamDeclaration): ParamValue[] | null {
    if (!declaration.oneOf) return null;
    const choices: ParamValue[] = [];
    for (const node of declaration.oneOf) {
      const given = this.#fromToml(declaration.type, node);
      if (given === "fault") return null;
      if ("error" in given.value) {
        this.#sources.faults.add("param_value", node.span, given.value.error, given.value.hint);
        return null;
      }
      choices.push(given.value);
    }
    return choices;
  }
}

/** Whatever a profile sets must be a parameter. */
function checkProfiles({ document, elsewhere, faults }: ParamSources, declarations: ReadonlyMap<string, ParamDeclaration>): void {
  for (const { entry, origin } of document.section("profiles").values()) {
    if (!isTable(entry, faults)) continue;
    for (const [name, { keySpan }] of entry.value.entries) {
      if (declarations.has(name) || (origin === "shared" && (elsewhere.has(name) || name === PIPELINES))) continue;
      faults.add("unknown_name", keySpan, `there is no parameter "${name}"`, suggestion(name, declarations.keys()));
    }
  }
}

/** An environment as placeholders see it: empty counts as missing, secret by name; secrets are remembered for masking. */
export function environmentFillings(get: (name: string) => string | undefined, secrets: Secrets): (name: string) => Filling | null {
  return (name) => {
    const text = get(name);
    if (text === undefined || text === "") return null;
    const secret = isSecretName(name);
    if (secret) secrets.add(text);
    return { text, secret };
  };
}
