/**
 * Made texts are mostly one of a few: the bytes of those that were written last are kept and copied. Invariant: whether a text is kept
 * cannot be told from the output.
 */
import { COPY_SLACK, copyWords, viewOf } from "../words.ts";
import { putJsonString } from "./string_text.ts";

/** Texts are told apart by their length first: one of each, up to this many. */
const PLACES = 16;
/** Bytes of a place: four words, of which two are copied whatever the length is. */
const PLACE_BYTES = 32;

/** Of one column. */
export class RepeatedTexts {
  readonly #texts = new Array<string>(PLACES).fill("");
  readonly #lengths = new Int32Array(PLACES);
  readonly #bytes = viewOf(new Uint8Array(PLACES * PLACE_BYTES + COPY_SLACK));

  /** Writes a string as putJsonString does. COPY_SLACK bytes more have to be free. */
  put(target: Uint8Array, view: DataView, at: number, text: string): number {
    const place = text.length & PLACES - 1;
    if (this.#texts[place] !== text) return this.#putNew(target, view, at, text, place);
    const kept = this.#bytes;
    const from = place * PLACE_BYTES;
    view.setBigUint64(at, kept.getBigUint64(from));
    view.setBigUint64(at + 8, kept.getBigUint64(from + 8));
    const length = this.#lengths[place];
    if (length > 16) {
      view.setBigUint64(at + 16, kept.getBigUint64(from + 16));
      view.setBigUint64(at + 24, kept.getBigUint64(from + 24));
    }
    return at + length;
  }

  #putNew(target: Uint8Array, view: DataView, at: number, text: string, place: number): number {
    const end = putJsonString(target, at, text);
    const length = end - at;
    if (length > PLACE_BYTES) return end;
    copyWords(this.#bytes, place * PLACE_BYTES, view, at, end);
    this.#texts[place] = text;
    this.#lengths[place] = length;
    return end;
  }
}
