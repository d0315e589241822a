/**
 * Rows that targets refused, between the epoch that delivered them and the next, which gives them out. In the checkpoint store:
 *
 *     ["refused", epoch, part]    sealed bytes; all parts of an epoch one after the other are
 *     rows u32, row*              row = step, reason, source, partition, position, origin, received (f64, NaN: none), message, raw
 *
 * Invariant: they are written under the head whose intent is open, before the flip that counts their parts; so what a head counts is
 * what its epoch's owner wrote, and what somebody else left behind it counts nothing (docs/decisions/dead-letters.md).
 */
import type { Rejected } from "../data/batch.ts";
import { assert, MillraceError } from "../data/fault.ts";
import type { KvKey } from "../ports/mod.ts";
import { BinaryReader, BinaryWriter, type Seal, seal, unseal } from "./binary.ts";
import { KV_VALUE_BYTES_MAX } from "./limits.ts";
import type { StateEntry } from "./state/store.ts";

const REFUSED: Seal = { magic: 0x4652_524d, version: 1, what: "refused rows" };

/** The entries of an epoch; none where nothing was refused. */
export function refusedEntries(epoch: number, rows: readonly Rejected[]): StateEntry[] {
  if (rows.length === 0) return [];
  const writer = new BinaryWriter();
  writer.u32(rows.length);
  for (const { step, reason, source, partition, position, origin, receivedMicros, message, raw } of rows) {
    for (const text of [step, reason, source]) writer.string(text);
    for (const number of [partition, position, origin, receivedMicros ?? NaN]) writer.f64(number);
    writer.string(message ?? "");
    writer.u32(raw.length);
    writer.raw(raw);
  }
  const bytes = writer.written();
  const entries: StateEntry[] = [];
  for (let from = 0; from < bytes.length; from += KV_VALUE_BYTES_MAX) {
    entries.push({ key: ["refused", epoch, entries.length], value: seal(REFUSED, bytes.subarray(from, from + KV_VALUE_BYTES_MAX)) });
  }
  return entries;
}

/** The rows that the head of `epoch` counts `parts` of, and the keys of what it does not count. */
export function readRefused(
  entries: readonly StateEntry[],
  { epoch, refusedParts }: { readonly epoch: number; readonly refusedParts: number },
): { readonly rows: readonly Rejected[]; readonly stale: readonly KvKey[] } {
  const isCounted = ({ key }: StateEntry): boolean => key[1] === epoch && (key[2] as number) < refusedParts;
  const counted = entries.filter(isCounted);
  if (counted.length !== refusedParts) {
    throw new MillraceError(
      "checkpoint_corrupt",
      `the checkpoint lacks ${refusedParts - counted.length} of ${refusedParts} values of refused rows`,
      {
        hint: "restore the state folder together with the outputs, or start over with --rerun",
      },
    );
  }
  return { rows: decodeRows(counted), stale: entries.filter((entry) => !isCounted(entry)).map(({ key }) => key) };
}

function decodeRows(entries: readonly StateEntry[]): readonly Rejected[] {
  if (entries.length === 0) return [];
  const writer = new BinaryWriter();
  for (const { value } of entries) writer.raw(unseal(REFUSED, value));
  const reader = new BinaryReader(writer.written());
  const rows: Rejected[] = [];
  for (let left = reader.u32(); left > 0; left--) rows.push(decodeRow(reader));
  assert(reader.done, "refused rows end where their count says");
  return rows;
}

function decodeRow(reader: BinaryReader): Rejected {
  const [step, reason, source] = [reader.string(), reader.string(), reader.string()];
  const [partition, position, origin, received] = [reader.f64(), reader.f64(), reader.f64(), reader.f64()];
  const message = reader.string();
  const raw = reader.take(reader.u32()).slice();
  return {
    step,
    reason,
    source,
    partition,
    position,
    origin,
    raw,
    ...(Number.isNaN(received) ? {} : { receivedMicros: received }),
    ...(message === "" ? {} : { message }),
  };
}
