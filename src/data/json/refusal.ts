/** Why a value was refused: a reject code without the outermost field's name. `path` names what lies deeper, with a leading dot. */
export class Refusal {
  readonly code: "missing" | "unknown" | "json" | "type" | "scale" | "range" | "one_of";
  readonly path: string;
  constructor(code: Refusal["code"], path = "") {
    this.code = code;
    this.path = path;
  }
  /** The reject code for a value that stood in `field`. */
  reason(field: string): string {
    return `${this.code}:${field}${this.path}`;
  }
}

/** For whatever a type cannot be made of. */
export const NOT_THIS_TYPE = new Refusal("type");
