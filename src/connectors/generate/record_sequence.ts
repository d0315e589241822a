/**
 * Endless records from a seed. Invariant: a record is a pure function of profile, seed, number and time, so a sequence can be
 * read again from any number on, which is what makes a generated stream replayable.
 */
import type { ByteWriter } from "../../data/codec.ts";

/** One reproducible stream. Not to be used by two readers in turn within one call; otherwise it holds no state that shows. */
export interface RecordSequence {
  /** Appends record `number` (from 0), happening at `timeMicros`, with its line feed. Makes its own room. */
  write(number: number, timeMicros: number, into: ByteWriter): void;
}
/** A named kind of record. */
export interface RecordGenerator {
  /** One sentence for the reference. */
  readonly summary: string;
  /** Profile to its own line of documentation; the first one is the default. */
  readonly profiles: Readonly<Record<string, string>>;
  /** Any whole number as seed; the same profile and seed give the same bytes. */
  sequence(profile: string, seed: number): RecordSequence;
}
