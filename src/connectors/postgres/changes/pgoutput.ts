/**
 * Messages of PostgreSQL's output plugin `pgoutput`, protocol version 1. Invariant: nothing is read beyond a message; a message that is
 * none throws `changes_malformed` and has told nothing of the row it is about.
 *
 *   message  = "B" commit-lsn:8 time:8 xid:4                                              a transaction begins; only whole ones are sent
 *            | "C" flags:1 commit-lsn:8 end-lsn:8 time:8                                  it ends
 *            | "R" id:4 schema:text table:text identity:1 count:2 column*                 what a table looks like from here on
 *            | "I" id:4 "N" tuple | "U" id:4 (("K" | "O") tuple)? "N" tuple | "D" id:4 ("K" | "O") tuple
 *            | "T" count:4 options:1 id:4*  | "O" ... | "Y" ... | "M" ...                 truncate; origin, type and message are not read
 *   column   = flags:1 name:text type:4 modifier:4          flag 1: part of the identity
 *   tuple    = count:2 ("n" | "u" | "t" length:4 bytes)*    null; a long value that the row before has too; the value's text
 */
import { MillraceError } from "../../../data/fault.ts";
import { exactLsn } from "./lsn.ts";
import { TABLE_COLUMNS_MAX } from "../limits.ts";

export interface RelationColumn {
  readonly name: string;
  readonly typeOid: number;
  readonly isKey: boolean;
}
export interface Relation {
  readonly id: number;
  readonly schema: string;
  readonly table: string;
  /** What a delete tells: "d" the primary key, "i" an index's columns, "f" all, "n" nothing. */
  readonly identity: string;
  readonly columns: readonly RelationColumn[];
}

/** What a value of a tuple is. */
export const VALUE = { null: 0, text: 1, unchanged: 2 } as const;

/** The values of one row: where their texts lie in `bytes`. Used again for the next row. */
export class Tuple {
  count = 0;
  bytes: Uint8Array = new Uint8Array(0);
  readonly kind = new Uint8Array(TABLE_COLUMNS_MAX);
  readonly start = new Int32Array(TABLE_COLUMNS_MAX);
  readonly end = new Int32Array(TABLE_COLUMNS_MAX);
}

/** What a delete or an update tells of the row before: nothing, the key's values, or all. */
export type OldRow = "none" | "key" | "full";

/** Who is told. Tuples and bytes mean something during the call only. */
export interface ChangeListener {
  begin(commitLsn: number): void;
  commit(endLsn: number): void;
  relation(relation: Relation): void;
  insert(relation: number, row: Tuple): void;
  update(relation: number, old: OldRow, before: Tuple, row: Tuple): void;
  delete(relation: number, old: OldRow, before: Tuple): void;
  truncate(relations: readonly number[]): void;
}

const decoder = new TextDecoder();
const code = (letter: string): number => letter.charCodeAt(0);
const [BEGIN, COMMIT, RELATION, INSERT, UPDATE, DELETE, TRUNCATE, ORIGIN, TYPE, MESSAGE] = [..."BCRIUDTOYM"].map(code);
const [NEW, KEY, OLD, NULL, UNCHANGED, TEXT] = [..."NKOnut"].map(code);

export class PgOutput {
  readonly #row = new Tuple();
  readonly #before = new Tuple();
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #at = 0;
  #end = 0;

  constructor(private readonly listener: ChangeListener) {}

  /** Reads the message bytes[from, to). */
  read(bytes: Uint8Array, from: number, to: number): void {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    this.#at = from;
    this.#end = to;
    const kind = this.#byte();
    switch (kind) {
      case BEGIN:
        return this.listener.begin(this.#lsn());
      case COMMIT:
        this.#skip(9);
        return this.listener.commit(this.#lsn());
      case RELATION:
        return this.listener.relation(this.#relation());
      case INSERT:
        return this.#insert();
      case UPDATE:
        return this.#update();
      case DELETE:
        return this.#delete();
      case TRUNCATE:
        return this.#truncate();
      case ORIGIN:
      case TYPE:
      case MESSAGE:
        return;
      default:
        throw malformed(`a message begins with byte ${kind}`);
    }
  }

  #insert(): void {
    const relation = this.#uint32();
    this.#expect(NEW);
    this.#tuple(this.#row);
    this.listener.insert(relation, this.#row);
  }

  #update(): void {
    const relation = this.#uint32();
    let old: OldRow = "none";
    let kind = this.#byte();
    if (kind === KEY || kind === OLD) {
      old = kind === KEY ? "key" : "full";
      this.#tuple(this.#before);
      kind = this.#byte();
    }
    if (kind !== NEW) throw malformed(`an update has no new row but byte ${kind}`);
    this.#tuple(this.#row);
    this.listener.update(relation, old, this.#before, this.#row);
  }

  #delete(): void {
    const relation = this.#uint32();
    const kind = this.#byte();
    if (kind !== KEY && kind !== OLD) throw malformed(`a delete tells no row but byte ${kind}`);
    this.#tuple(this.#before);
    this.listener.delete(relation, kind === KEY ? "key" : "full", this.#before);
  }

  #truncate(): void {
    const count = this.#uint32();
    this.#skip(1);
    if (count * 4 > this.#end - this.#at) throw malformed("a truncate names more tables than it holds");
    this.listener.truncate(Array.from({ length: count }, () => this.#uint32()));
  }

  #relation(): Relation {
    const id = this.#uint32();
    const schema = this.#text();
    const table = this.#text();
    const identity = String.fromCharCode(this.#byte());
    const columns: RelationColumn[] = [];
    for (let left = this.#columnCount(); left > 0; left--) {
      const flags = this.#byte();
      const name = this.#text();
      const typeOid = this.#uint32();
      this.#skip(4);
      columns.push({ name, typeOid, isKey: (flags & 1) === 1 });
    }
    // A schema without a name is how pg_catalog is sent.
    return { id, schema: schema === "" ? "pg_catalog" : schema, table, identity, columns };
  }

  #tuple(into: Tuple): void {
    const count = this.#columnCount();
    into.count = count;
    into.bytes = this.#bytes;
    for (let i = 0; i < count; i++) {
      const kind = this.#byte();
      if (kind === TEXT) {
        const length = this.#uint32();
        into.kind[i] = VALUE.text;
        into.start[i] = this.#at;
        this.#skip(length);
        into.end[i] = this.#at;
      } else if (kind === NULL) into.kind[i] = VALUE.null;
      else if (kind === UNCHANGED) into.kind[i] = VALUE.unchanged;
      else throw malformed(`a value is of kind ${kind}`);
    }
  }

  #columnCount(): number {
    this.#require(2);
    const count = this.#view.getUint16(this.#at);
    this.#at += 2;
    if (count > TABLE_COLUMNS_MAX) throw malformed(`a table has ${count} columns`);
    return count;
  }
  #lsn(): number {
    return exactLsn(this.#uint32(), this.#uint32());
  }
  #uint32(): number {
    this.#require(4);
    const value = this.#view.getUint32(this.#at);
    this.#at += 4;
    return value;
  }
  #text(): string {
    const end = this.#bytes.indexOf(0, this.#at);
    if (end < 0 || end >= this.#end) throw malformed("a name does not end");
    const text = decoder.decode(this.#bytes.subarray(this.#at, end));
    this.#at = end + 1;
    return text;
  }
  #byte(): number {
    this.#require(1);
    return this.#bytes[this.#at++];
  }
  #expect(wanted: number): void {
    const found = this.#byte();
    if (found !== wanted) throw malformed(`byte ${found} stands where ${wanted} should`);
  }
  #skip(length: number): void {
    this.#require(length);
    this.#at += length;
  }
  #require(length: number): void {
    if (length > this.#end - this.#at) throw malformed("a message is cut short");
  }
}

/** What no server sends. */
export function malformed(what: string): MillraceError {
  return new MillraceError("changes_malformed", `the server's changes cannot be read: ${what}`, {
    hint: "is the connection one to PostgreSQL 12 or later, without a proxy that changes replication messages?",
  });
}
