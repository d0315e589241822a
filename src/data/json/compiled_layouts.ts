/**
 * The generated code of one specification, by layout: made when the first record asks for it, and shared by all decoders of that
 * specification, so that V8 warms it up once and not once per partition. Invariant: the code keeps nothing between calls.
 */
import type { DecoderSpec } from "../codec.ts";
import { asWritten } from "../epoch_format.ts";
import { asChanges } from "./change_rows.ts";
import { compileFastJson, type FastJson } from "./fast.ts";
import { type Layout, layoutText } from "./layout.ts";
import { compileTemplate } from "./template.ts";

/** More layouts than these are compiled for each decoder that learns them. */
const SHARED_MAX = 32;

export class CompiledLayouts {
  /** As decoders see it: timestamps since 1970 are numbers, and changes have a field that tells deletes. */
  readonly spec: DecoderSpec;
  readonly #shared = new Map<string, FastJson>();

  private constructor(spec: DecoderSpec) {
    this.spec = spec.changes === undefined ? { ...spec, type: asWritten(spec.type) } : asChanges({ ...spec, type: asWritten(spec.type) });
  }
  /** The same one for the same object. */
  static of(spec: DecoderSpec): CompiledLayouts {
    const known = bySpec.get(spec) ?? new CompiledLayouts(spec);
    bySpec.set(spec, known);
    return known;
  }

  /** For records of exactly this layout. */
  template(layout: Layout): FastJson {
    return this.#make(`template ${layoutText(layout)}`, () => compileTemplate(this.spec, layout));
  }
  /** For records whose keys come in this order. */
  order(keys: readonly string[]): FastJson {
    return this.#make(`order ${JSON.stringify(keys)}`, () => compileFastJson(this.spec, keys));
  }

  #make(name: string, compile: () => FastJson): FastJson {
    const known = this.#shared.get(name);
    if (known) return known;
    let compiled: FastJson | null = null;
    const made: FastJson = (columns, from, to) => (compiled ??= compile())(columns, from, to);
    if (this.#shared.size < SHARED_MAX) this.#shared.set(name, made);
    return made;
  }
}
const bySpec = new WeakMap<DecoderSpec, CompiledLayouts>();
