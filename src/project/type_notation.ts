/**
 * The notation of types in configuration files.
 *   type   = name [ "?" ]
 *   name   = "int" | "double" | "string" | "bool" | "timestamp" | "date" | "duration" | "json"
 *          | "decimal" "(" scale ")" | "list" "<" type ">" | "map" "<" type "," type ">"
 */
import { SCALE_MAX } from "../data/decimal.ts";
import type { Type } from "../data/types.ts";
import { nearest } from "./nearest.ts";

const PLAIN = ["int", "double", "string", "bool", "timestamp", "date", "duration", "json"] as const;
type Plain = typeof PLAIN[number];
const NAMES: readonly string[] = [...PLAIN, "decimal", "list", "map"];

/** What is wrong with a type's text, and at which offset. */
export interface NotationError {
  readonly message: string;
  readonly offset: number;
  readonly hint?: string;
}

class Stop extends Error {
  readonly error: NotationError;
  constructor(error: NotationError) {
    super(error.message);
    this.error = error;
  }
}

/** Reads "list<decimal(2)?>" and the like. */
export function parseType(text: string): { readonly type: Type } | { readonly error: NotationError } {
  try {
    return { type: new Reader(text).whole() };
  } catch (error) {
    if (error instanceof Stop) return { error: error.error };
    throw error;
  }
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): Type {
    const type = this.#type();
    this.#blanks();
    if (this.#at < this.#text.length) this.#stop(`"${this.#text.slice(this.#at)}" behind the type is not understood`);
    return type;
  }

  #type(): Type {
    const bare = this.#named();
    return this.#take("?") ? { ...bare, nullable: true } : bare;
  }

  #named(): Type {
    this.#blanks();
    const start = this.#at;
    const name = this.#match(/[A-Za-z_]\w*/y);
    if (name === "decimal") return this.#decimal(start);
    if (name === "list") {
      this.#expect("<", "list<string>");
      const item = this.#type();
      this.#expect(">", "list<string>");
      return { kind: "list", item, nullable: false };
    }
    if (name === "map") return this.#map();
    if (isPlain(name)) return { kind: name, nullable: false };
    const near = nearest(name, NAMES);
    const hint = near ? `did you mean "${near}"?` : `types: ${NAMES.join(", ")}; a ? behind allows null`;
    throw new Stop({ message: name === "" ? "a type's name is missing" : `there is no type "${name}"`, offset: start, hint });
  }

  #decimal(start: number): Type {
    const hint = "write decimal(2) for two digits behind the point";
    if (!this.#take("(")) throw new Stop({ message: "decimal needs its number of decimals", offset: start, hint });
    this.#blanks();
    const digits = this.#match(/\d+/y);
    if (digits === "" || Number(digits) > SCALE_MAX) {
      throw new Stop({ message: `the decimals of a decimal are a number from 0 to ${SCALE_MAX}`, offset: this.#at - digits.length, hint });
    }
    this.#expect(")", "decimal(2)");
    return { kind: "decimal", scale: Number(digits), nullable: false };
  }

  #map(): Type {
    this.#expect("<", "map<string, int>");
    const keyAt = this.#at;
    const key = this.#type();
    if (key.nullable || (key.kind !== "string" && key.kind !== "int")) this.#stop("a map's key is string or int", keyAt);
    this.#expect(",", "map<string, int>");
    const value = this.#type();
    this.#expect(">", "map<string, int>");
    return { kind: "map", key, value, nullable: false };
  }

  #expect(mark: string, example: string): void {
    if (!this.#take(mark)) this.#stop(`"${mark}" is missing, as in ${example}`);
  }

  #take(mark: string): boolean {
    this.#blanks();
    if (this.#text[this.#at] !== mark) return false;
    this.#at++;
    return true;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? "";
    this.#at += found.length;
    return found;
  }

  #blanks(): void {
    this.#match(/ */y);
  }

  #stop(message: string, offset = this.#at): never {
    throw new Stop({ message, offset });
  }
}

const isPlain = (name: string): name is Plain => (PLAIN as readonly string[]).includes(name);
