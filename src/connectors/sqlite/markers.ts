/**
 * The table `millrace_epochs`: per pipeline run, sink and lane the newest epoch, who owns the lane and the digest. It is changed in
 * the rows' own transaction, and only by the lane's owner: an older one changes no row and therefore writes nothing.
 */
import { MillraceError } from "../../data/fault.ts";
import type { EpochStamp, Marker } from "../../engine/contracts.ts";
import type { Database } from "./database.ts";

const NO_EPOCH = -1;
/** Not a lane: its row says that the run's staged rows were published. */
const FINISHED_LANE = -1;

export class Markers {
  readonly #writer: string;
  constructor(private readonly database: Database, private readonly pipeline: string, run: string, private readonly sink: string) {
    this.#writer = `${pipeline}#${run}`;
    database.exec(`CREATE TABLE IF NOT EXISTS millrace_epochs (
      pipeline TEXT NOT NULL, sink TEXT NOT NULL, lane INTEGER NOT NULL,
      epoch INTEGER NOT NULL, owner INTEGER NOT NULL, digest TEXT NOT NULL,
      PRIMARY KEY (pipeline, sink, lane)) WITHOUT ROWID`);
  }

  /** Whether another run of the pipeline has put rows in through this sink. */
  otherRunWrote(): boolean {
    const { where, values } = this.#otherRuns();
    return this.database.prepare(`SELECT 1 FROM millrace_epochs WHERE ${where} AND epoch > ${NO_EPOCH} LIMIT 1`).get(...values) !==
      undefined;
  }

  /** Forgets other runs: their owners can no longer write. */
  forgetOtherRuns(): void {
    const { where, values } = this.#otherRuns();
    this.database.prepare(`DELETE FROM millrace_epochs WHERE ${where}`).run(...values);
  }

  /** Takes the lane for `owner` where no newer one has it. */
  take(lane: number, owner: number): Marker | null {
    this.database.prepare(
      `INSERT INTO millrace_epochs (pipeline, sink, lane, epoch, owner, digest) VALUES (?, ?, ?, ${NO_EPOCH}, ?, '')
       ON CONFLICT (pipeline, sink, lane) DO UPDATE SET owner = excluded.owner WHERE owner < excluded.owner`,
    ).run(this.#writer, this.sink, lane, owner);
    const row = this.#row(lane)!;
    if (Number(row.owner) > owner) throw this.#fenced(lane);
    return Number(row.epoch) === NO_EPOCH ? null : { epoch: Number(row.epoch), digest: String(row.digest) };
  }

  /** Inside the rows' transaction: "write" says go on, "done" that this very epoch is there already. */
  advance({ lane, epoch, owner, digest }: EpochStamp): "write" | "done" {
    const { changes } = this.database.prepare(
      "UPDATE millrace_epochs SET epoch = ?, digest = ? WHERE pipeline = ? AND sink = ? AND lane = ? AND epoch < ? AND owner = ?",
    ).run(epoch, digest, this.#writer, this.sink, lane, epoch, owner);
    if (Number(changes) === 1) return "write";
    const row = this.#row(lane);
    if (row && Number(row.epoch) === epoch && row.digest === digest) return "done";
    throw this.#fenced(lane);
  }

  isFinished(): boolean {
    return this.#row(FINISHED_LANE) !== undefined;
  }
  markFinished(): void {
    this.database.prepare("INSERT INTO millrace_epochs (pipeline, sink, lane, epoch, owner, digest) VALUES (?, ?, ?, 0, 0, '')")
      .run(this.#writer, this.sink, FINISHED_LANE);
  }

  #row(lane: number) {
    return this.database.prepare("SELECT epoch, owner, digest FROM millrace_epochs WHERE pipeline = ? AND sink = ? AND lane = ?")
      .get(this.#writer, this.sink, lane);
  }

  #otherRuns(): { where: string; values: string[] } {
    const prefix = `${this.pipeline}#`;
    return {
      where: "sink = ? AND substr(pipeline, 1, length(?)) = ? AND pipeline <> ?",
      values: [this.sink, prefix, prefix, this.#writer],
    };
  }

  #fenced(lane: number): MillraceError {
    return new MillraceError("fenced", `lane ${lane} of sink "${this.sink}" has a newer owner`, {
      hint: "another process took this pipeline over; this one stops",
    });
  }
}
