/** What comes over a socket: a feed in pieces of any length, the frames of its journal, and what a client of the resume port says. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { encodeFrame, FRAME_HEAD_BYTES, frameAt } from "../../../src/connectors/socket/journal/frame.ts";
import { parseHandshake } from "../../../src/connectors/socket/server/handshake.ts";
import { type Cut, LineCutter } from "../../../src/connectors/socket/source/line_cutter.ts";
import type { Dice } from "../../data/json_fuzz.ts";
import type { Account, Target } from "../harness.ts";
import { bytesOf, type Material, mutated } from "../mutate.ts";

const LINE_BYTES_MAX = 200;
const FEED: Material = {
  corpus: bytesOf([
    '{"id":1}\n{"id":2}\r\n\n',
    `${"x".repeat(300)}\n{"id":3}\ntail`,
    "\n",
    "a\n".repeat(50),
    "y".repeat(LINE_BYTES_MAX) + "\nz",
  ]),
  words: bytesOf(["\n", "\r\n", "\n\n", "x".repeat(LINE_BYTES_MAX), "x".repeat(LINE_BYTES_MAX + 1), "\0"]),
};
const HELLO: Material = {
  corpus: bytesOf(["resume 0", "resume 17\r", "resume 999999999999999", "resume 12 sequence 3", "resume 5 sequence 999999999"]),
  words: bytesOf(["resume", " ", "sequence", "0", "-1", "1e3", "\r", "\n", "\0", "9999999999999999"]),
};
const FRAMES: Material = {
  corpus: (["lines", "too_long", "truncated_tail"] as const).map((kind, i) =>
    encodeFrame({ kind, first: 7 * i, records: 1, connection: 1, receivedMicros: 1_760_000_000_000_000 }, bytesOf(["a line\n"])[0])
  ),
  words: [...bytesOf(["1JRM", "MRJ1", "\n"]), Uint8Array.of(255, 255, 255, 127), Uint8Array.of(0, 0, 0, 0)],
};

/** The lines that a feed consists of, one at a time: [kind, bytes of the line, its LF left out]. */
function wished(feed: Uint8Array): string[] {
  const texts = Buffer.from(feed).toString("latin1").split("\n");
  const tail = texts.pop()!;
  const told = texts.map((line) => line.length > LINE_BYTES_MAX ? `too_long ${line.slice(0, LINE_BYTES_MAX)}` : `lines ${line}`);
  if (tail.length > LINE_BYTES_MAX) told.push(`too_long ${tail.slice(0, LINE_BYTES_MAX)}`);
  else if (tail !== "") told.push(`truncated_tail ${tail}`);
  return told;
}
function linesOf({ kind, records, body }: Cut): string[] {
  const text = Buffer.from(body).toString("latin1");
  const lines = kind === "lines" ? text.slice(0, -1).split("\n") : [text];
  assert.equal(lines.length, records);
  return lines.map((line) => `${kind} ${line}`);
}

function tryFeed(cutter: LineCutter, dice: Dice, account: Account): void {
  const feed = mutated(FEED, dice);
  const told: string[] = [];
  for (let at = 0; at < feed.length;) {
    const piece = feed.subarray(at, at + 1 + dice.below(dice.pick([3, 50, 500, 5_000])));
    assert.ok(cutter.room.length >= piece.length);
    cutter.room.set(piece);
    for (const cut of cutter.take(piece.length)) told.push(...linesOf(cut));
    at += piece.length;
  }
  const tail = cutter.tail();
  if (tail) told.push(...linesOf(tail));
  assert.deepEqual(told, wished(feed));
  for (const line of told) account(line.startsWith("lines") ? "accepted" : `rejected ${line.slice(0, line.indexOf(" "))}`);
  if (told.length === 0) account("accepted as nothing");
}

function tryHello(dice: Dice, account: Account): void {
  const hello = parseHandshake(new TextDecoder().decode(mutated(HELLO, dice)));
  if (hello === null) return account("rejected handshake");
  assert.ok(Number.isSafeInteger(hello.number) && hello.number >= 0);
  assert.ok(hello.sequence === null || Number.isSafeInteger(hello.sequence) && hello.sequence >= 0);
  account("accepted");
}

function tryFrame(dice: Dice, account: Account): void {
  const bytes = mutated(FRAMES, dice);
  const at = dice.once(4) ? dice.below(bytes.length + 1) : 0;
  const frame = frameAt(bytes, at);
  if (frame === null) return account("rejected frame");
  if ("needs" in frame) {
    assert.ok(at + frame.needs > bytes.length);
    return account("rejected torn frame");
  }
  assert.ok(frame.bodyStart === at + FRAME_HEAD_BYTES && frame.bodyStart <= frame.end && frame.end <= bytes.length);
  assert.deepEqual(encodeFrame(frame, bytes.subarray(frame.bodyStart, frame.end)), bytes.slice(at, frame.end));
  account("accepted");
}

export const socket: Target = {
  name: "socket",
  gateInputs: 25_000,
  open: () => {
    const cutter = new LineCutter(LINE_BYTES_MAX);
    return Promise.resolve({
      run: (dice: Dice, account: Account) => {
        if (dice.once(4)) tryHello(dice, account);
        else if (dice.once(3)) tryFrame(dice, account);
        else tryFeed(cutter, dice, account);
      },
    });
  },
};
