/**
 * The resume port's one line: where a client wants to go on.
 *
 *   line := "resume" SP number [ SP "sequence" SP number ] LF        ASCII, at most 128 bytes
 *
 * The first number is that of the next record, from 0; the second one names a client's own sequence, from 0 in order of
 * connection. There is no answer but the records.
 */
import type { Connection } from "../../../ports/mod.ts";
import { HANDSHAKE_BYTES_MAX } from "../limits.ts";

export interface Handshake {
  readonly number: number;
  readonly sequence: number | null;
}

/** null where the client ended, or said something else. */
export async function readHandshake(connection: Connection): Promise<Handshake | null> {
  const bytes = new Uint8Array(HANDSHAKE_BYTES_MAX);
  let length = 0;
  while (length < bytes.length) {
    const count = await connection.read(bytes.subarray(length));
    if (count === 0) return null;
    length += count;
    const end = bytes.subarray(0, length).indexOf(10);
    if (end >= 0) return parseHandshake(new TextDecoder().decode(bytes.subarray(0, end)));
  }
  return null;
}

export function parseHandshake(line: string): Handshake | null {
  const match = /^resume (\d{1,15})(?: sequence (\d{1,9}))?\r?$/.exec(line);
  return match && { number: Number(match[1]), sequence: match[2] === undefined ? null : Number(match[2]) };
}
