/**
 * Sorts received changes into the queues of their tables. Invariants: a row's place is the commit of its transaction and its number
 * among the rows of its table there, the same whenever the server sends the transaction; a row is added once, and none before the place
 * where its reader is.
 */
import { MillraceError } from "../../../data/fault.ts";
import { lsnText } from "./lsn.ts";
import type { Member } from "./member.ts";
import type { ChangeListener, OldRow, Relation, Tuple } from "./pgoutput.ts";
import { liesBefore } from "./place.ts";
import { type ShapeColumn, TableShape } from "./table_shape.ts";

/** What the server says of a table's names of types and keys, by the table's name. */
export interface TableKnowledge {
  readonly types: ReadonlyMap<number, string>;
  readonly primaryKey: readonly string[];
}
interface Reading {
  readonly member: Member;
  readonly shape: TableShape;
}

/** Types that every server has under the same number: a column of before may be of a type that no column is of now. */
const TYPES: ReadonlyMap<number, string> = new Map(
  Object.entries({
    ...{ bool: 16, bytea: 17, name: 19, int8: 20, int2: 21, int4: 23, text: 25, oid: 26, json: 114, float4: 700, float8: 701, inet: 869 },
    ...{ bpchar: 1042, varchar: 1043, date: 1082, time: 1083, timestamp: 1114, timestamptz: 1184, numeric: 1700, uuid: 2950, jsonb: 3802 },
    ...{ _bool: 1000, _int2: 1005, _int4: 1007, _text: 1009, _varchar: 1015, _int8: 1016, _float8: 1022, _numeric: 1231, _jsonb: 3807 },
  }).map(([name, oid]) => [oid, name]),
);

export class ChangeReceiver implements ChangeListener {
  /** Everything that commits before was received. */
  receivedLsn = 0;
  readonly #readings = new Map<number, readonly Reading[]>();
  #commitLsn = 0;
  #isInTransaction = false;

  /** `numbered` rows were received before: rows of all connections are numbered together. */
  constructor(
    private readonly schema: string,
    private readonly members: readonly Member[],
    private readonly tables: ReadonlyMap<string, TableKnowledge>,
    public numbered: number,
  ) {}

  /** The server says so between two messages. */
  sent(lsn: number): void {
    if (!this.#isInTransaction) this.receivedLsn = Math.max(this.receivedLsn, lsn);
  }

  begin(commitLsn: number): void {
    this.#commitLsn = commitLsn;
    this.#isInTransaction = true;
    for (const member of this.members) member.rowsInTransaction = 0;
  }

  commit(endLsn: number): void {
    this.#isInTransaction = false;
    this.receivedLsn = Math.max(this.receivedLsn, endLsn);
  }

  relation(relation: Relation): void {
    const { id, schema, table } = relation;
    const readers = schema === this.schema ? this.members.filter(({ options }) => options.shape.table === table) : [];
    const columns = readers.length > 0 ? this.#columns(relation) : [];
    this.#readings.set(id, readers.map((member) => ({ member, shape: shapeOf(member, columns) })));
  }

  insert(relation: number, row: Tuple): void {
    for (const reading of this.#of(relation)) this.#add(reading, row, "none", row, false);
  }

  update(relation: number, old: OldRow, before: Tuple, row: Tuple): void {
    for (const reading of this.#of(relation)) {
      if (reading.shape.changesKey(row, old, before)) this.#add(reading, before, "none", before, true);
      this.#add(reading, row, old, before, false);
    }
  }

  delete(relation: number, _old: OldRow, before: Tuple): void {
    for (const reading of this.#of(relation)) this.#add(reading, before, "none", before, true);
  }

  truncate(relations: readonly number[]): void {
    for (const relation of relations) {
      for (const { member } of this.#of(relation)) {
        if (member.options.truncate === "ignore" || !this.#isNew(member, member.rowsInTransaction)) continue;
        throw new MillraceError(
          "table_truncated",
          `table ${member.options.shape.table} was truncated at ${lsnText(this.#commitLsn)}, and the server does not tell which rows went`,
          {
            hint: 'say truncate = "ignore" at the source to go on as if nothing had gone, or start over with --rerun',
          },
        );
      }
    }
  }

  #columns({ table, columns }: Relation): ShapeColumn[] {
    const known = this.tables.get(table);
    return columns.map(({ name, typeOid, isKey }) => ({
      name,
      type: known?.types.get(typeOid) ?? TYPES.get(typeOid) ?? "text",
      // Where all columns name a row, those of the primary key are meant.
      isKey: known && known.primaryKey.length > 0 ? known.primaryKey.includes(name) : isKey,
    }));
  }

  #of(relation: number): readonly Reading[] {
    const readings = this.#readings.get(relation);
    if (readings) return readings;
    throw new MillraceError("changes_malformed", `the server tells of table number ${relation} before it says what that is`);
  }

  #isNew({ next, queue, isDeaf }: Member, index: number): boolean {
    return !isDeaf && next !== null && !liesBefore(this.#commitLsn, index, next) && !queue.has(this.#commitLsn, index);
  }

  #add({ member, shape }: Reading, row: Tuple, old: OldRow, before: Tuple, isDeleted: boolean): void {
    const index = member.rowsInTransaction++;
    if (!this.#isNew(member, index)) return;
    if (member.shape !== shape) requireLike(member, shape, this.#commitLsn);
    const untold = shape.write(row, old, before, member.queue.writerFor(shape));
    member.queue.add({ lsn: this.#commitLsn, index, number: this.numbered++ }, { isDeleted, untold });
  }
}

/** The shape that rows of these columns have; the one at hand where nothing changed. */
function shapeOf({ shape, options }: Member, columns: readonly ShapeColumn[]): TableShape {
  return shape && JSON.stringify(shape.columns) === JSON.stringify(columns) ? shape : new TableShape(options.shape, columns);
}

/** Columns may come and go that nobody reads; of those that are read the kind of values must not change in the midst of a run. */
function requireLike(member: Member, shape: TableShape, lsn: number): void {
  const { shape: before, options: { shape: { table, type } } } = member;
  member.shape = shape;
  if (!before) return;
  for (const { name } of type.fields) {
    const [was, is] = [before, shape].map(({ columns }) => columns.find((column) => column.name === name)?.type);
    if (was === is || was === undefined) continue;
    const now = is === undefined ? "is gone" : `became ${is}`;
    throw new MillraceError("column_changed", `column ${name} of table ${table}, ${was} before, ${now} at ${lsnText(lsn)}`, {
      hint: is === undefined
        ? "take the field out of the schema, or give the column back; rows before the change were processed"
        : "see that the field still fits the column, then start again: it goes on behind the change",
    });
  }
}
