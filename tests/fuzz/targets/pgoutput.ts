/** Messages of a PostgreSQL server, damaged. What stands before and behind a message changes nothing, and slices lie within it. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type ChangeListener, PgOutput, type Tuple, VALUE } from "../../../src/connectors/postgres/changes/pgoutput.ts";
import { MillraceError } from "../../../src/data/fault.ts";
import messages from "../../connectors/pgoutput/support/messages.json" with { type: "json" };
import type { Dice } from "../../data/json_fuzz.ts";
import type { Account, Target } from "../harness.ts";
import { bytesOf, type Material, mutated } from "../mutate.ts";

const MATERIAL: Material = {
  corpus: messages.map((hex) => new Uint8Array(Buffer.from(hex, "hex"))),
  words: [
    ...bytesOf([..."BCRIUDTOYMNKOnut", "\0", "N\0\x01t\0\0\0\x01", "K\0\x01n", "u\0"]),
    Uint8Array.of(255, 255, 255, 255),
    Uint8Array.of(127, 255),
  ],
};
const MARGIN = 64;

/** Remembers what it is told, and that values lie in the message. */
class Checked implements ChangeListener {
  told = "";
  #from = 0;
  #to = 0;
  within(from: number, to: number): void {
    this.told = "";
    this.#from = from;
    this.#to = to;
  }
  begin(lsn: number): void {
    this.#tell(`begin ${lsn}`);
  }
  commit(lsn: number): void {
    this.#tell(`commit ${lsn}`);
  }
  relation(relation: Parameters<ChangeListener["relation"]>[0]): void {
    this.#tell(JSON.stringify(relation));
  }
  insert(relation: number, row: Tuple): void {
    this.#tell(`insert ${relation} ${this.#text(row)}`);
  }
  update(relation: number, old: string, before: Tuple, row: Tuple): void {
    this.#tell(`update ${relation} ${old} ${old === "none" ? "" : this.#text(before)} ${this.#text(row)}`);
  }
  delete(relation: number, old: string, before: Tuple): void {
    this.#tell(`delete ${relation} ${old} ${this.#text(before)}`);
  }
  truncate(relations: readonly number[]): void {
    this.#tell(`truncate ${relations.join()}`);
  }
  #tell(what: string): void {
    assert.equal(this.told, "", "a message tells one thing");
    this.told = what;
  }
  #text({ count, kind, start, end, bytes }: Tuple): string {
    return Array.from({ length: count }, (_, i) => {
      if (kind[i] !== VALUE.text) return kind[i];
      assert.ok(start[i] >= this.#from && start[i] <= end[i] && end[i] <= this.#to, `value ${i}: bytes ${start[i]} to ${end[i]}`);
      return Buffer.from(bytes.buffer, bytes.byteOffset + start[i], end[i] - start[i]).toString("latin1");
    }).join("|");
  }
}

export const pgoutput: Target = {
  name: "pgoutput",
  gateInputs: 25_000,
  open: () => {
    const listener = new Checked();
    const reader = new PgOutput(listener);
    const read = (message: Uint8Array, filler: number): string => {
      const bytes = new Uint8Array(message.length + 2 * MARGIN).fill(filler);
      bytes.set(message, MARGIN);
      listener.within(MARGIN, MARGIN + message.length);
      try {
        reader.read(bytes, MARGIN, MARGIN + message.length);
        return listener.told;
      } catch (error) {
        if (!(error instanceof MillraceError) || error.code !== "changes_malformed") throw error;
        assert.equal(listener.told, "", "what is refused has told nothing");
        return `refused ${error.code}`;
      }
    };
    return Promise.resolve({
      run: (dice: Dice, account: Account) => {
        const message = mutated(MATERIAL, dice);
        const told = read(message, 0);
        assert.equal(read(message, 0x74), told, "what stands around a message is not read");
        account(told === "" ? "accepted as nothing" : told.startsWith("refused") ? told : "accepted");
      },
    });
  },
};
