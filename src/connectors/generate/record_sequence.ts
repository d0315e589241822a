/**
 * Endless records from a seed. Invariant: a record is a pure function of profile, seed, number and time, so a sequence can be
 * read again from any number on, which is what makes a generated stream replayable.
 */
import type { Setting, SettingGroup } from "../../component/settings.ts";
import type { ByteWriter } from "../../data/codec.ts";
import { evenOffsetMicros } from "./rate.ts";

/** One reproducible stream. Not to be used by two readers in turn within one call; otherwise it holds no state that shows. */
export interface RecordSequence {
  /** Appends record `number` (from 0), happening at `timeMicros`, with its line feed. Makes its own room. */
  write(number: number, timeMicros: number, into: ByteWriter): void;
  /** Time from record 0 to this one, whole microseconds, never less than for the one before. Absent: they are evenly spaced. */
  offsetMicros?(number: number): number;
  /** How many records there are until they begin to repeat what they tell of. Absent: without end. */
  readonly size?: number;
}
/** Beside profile and seed, what a sequence is made from. */
export interface SequenceOptions {
  /** Records per second, Infinity for as fast as they are taken. */
  readonly rate: number;
  /** Of the source, the generator's own among them. */
  readonly settings: SettingGroup;
}

/** Time from record 0 to record `number`, whole microseconds. */
export function offsetMicros(sequence: RecordSequence, number: number, rate: number): number {
  return sequence.offsetMicros?.(number) ?? evenOffsetMicros(number, rate);
}
/** A named kind of record. */
export interface RecordGenerator {
  /** One sentence for the reference. */
  readonly summary: string;
  /** Profile to its own line of documentation; the first one is the default. */
  readonly profiles: Readonly<Record<string, string>>;
  /** Settings that this kind has beside those of all; optional ones. */
  readonly settings?: Readonly<Record<string, Setting>>;
  /** What is wrong with the generator's own settings; null where nothing is. */
  check?(settings: SettingGroup): { readonly setting: string; readonly message: string; readonly hint: string } | null;
  /** Whether it has an end of its own. Absent: it has none. */
  ends?(settings: SettingGroup): boolean;
  /** Its records are changes of a table's rows, as change data capture tells them. */
  readonly changes?: true;
  /** Any whole number as seed; the same profile, seed and options give the same bytes. No options: as if nothing were set. */
  sequence(profile: string, seed: number, options?: SequenceOptions): RecordSequence;
}
