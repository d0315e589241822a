/**
 * Text of rows as LOAD DATA and COPY read it: a backslash and a letter for the bytes that would end a field or a row.
 *
 *     row   = field ("\t" field)* "\n"
 *     field = "\N" (null) | text with "\\", "\t", "\n" and "\r" for the bytes 5c, 9, a and d
 *
 * What stands for byte 0 is the database's own matter.
 */
import type { EncoderForm } from "../../data/encoder_code.ts";

/** What becomes of byte 0: "0" writes backslash and zero, "left_out" nothing, "refused" throws `NulFound`. */
export type NulBytes = "0" | "left_out" | "refused";

/** Thrown where a text has a byte 0 and none is allowed. */
export class NulFound extends Error {
  override readonly name = "NulFound";
}

/** The letter behind the backslash, by byte; byte 0 is not among them. */
export const ESCAPE_LETTERS: ReadonlyMap<number, string> = new Map([[0x5c, "\\"], [9, "t"], [10, "n"], [13, "r"]]);

const BACKSLASH = 0x5c;
const LETTERS = new Uint8Array(256);
for (const [byte, letter] of ESCAPE_LETTERS) LETTERS[byte] = letter.charCodeAt(0);
/** Not a letter: byte 0 is looked at more closely. */
LETTERS[0] = 1;

/** How an encoder writes text. */
export interface TextEscaper {
  readonly putSlice: EncoderForm["putSlice"];
  /** The same for a text. */
  escaped(text: string): string;
}

/** An escaper. */
export function textEscaper(nul: NulBytes): TextEscaper {
  const special = /[\\\t\n\r\0]/g;
  const escape = (found: string): string => {
    const byte = found.charCodeAt(0);
    if (byte !== 0) return `\\${ESCAPE_LETTERS.get(byte)}`;
    if (nul === "refused") throw new NulFound();
    return nul === "0" ? "\\0" : "";
  };
  return {
    putSlice(target, at, bytes, from, to) {
      for (let i = from; i < to; i++) {
        const byte = bytes[i];
        let letter = LETTERS[byte];
        if (letter === 0) {
          target[at++] = byte;
          continue;
        }
        if (byte === 0) {
          if (nul === "refused") throw new NulFound();
          if (nul === "left_out") continue;
          letter = 0x30;
        }
        target[at++] = BACKSLASH;
        target[at++] = letter;
      }
      return at;
    },
    escaped: (text) => text.replace(special, escape),
  };
}
