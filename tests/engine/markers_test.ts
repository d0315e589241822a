/** Which markers a lane may go on from. */
import assert from "node:assert/strict";
import { MillraceError } from "../../src/data/fault.ts";
import { firstHead, type Head } from "../../src/engine/head.ts";
import { judgeMarker } from "../../src/engine/markers.ts";

/** At epoch 9; the sink got its newest rows in epoch 6. */
const HEAD: Head = { ...firstHead("p"), epoch: 9, digest: "nine", sinks: [{ sink: "s", epoch: 6, digest: "six" }] };
const refuses = (epoch: number, digest: string, head: Head, open: string | null, words: RegExp) =>
  assert.throws(() => judgeMarker("s", { epoch, digest }, head, open), (error: unknown) => {
    assert.ok(error instanceof MillraceError && error.code === "marker_mismatch" && error.hint);
    assert.match(error.message, words);
    return true;
  });

Deno.test("a sink stands where head says, with or without markers of epochs that gave it nothing", () => {
  assert.equal(judgeMarker("s", { epoch: 9, digest: "nine" }, HEAD, null), "behind");
  assert.equal(judgeMarker("s", { epoch: 6, digest: "six" }, HEAD, "ten"), "behind");
  assert.equal(judgeMarker("s", { epoch: 7, digest: "?" }, HEAD, null), "behind");
});

Deno.test("a sink may be ahead by the open epoch and by nothing else", () => {
  assert.equal(judgeMarker("s", { epoch: 10, digest: "ten" }, HEAD, "ten"), "ahead");
  refuses(10, "another", HEAD, "ten", /lost or restored/);
  refuses(10, "ten", HEAD, null, /lost or restored/);
  refuses(11, "ten", HEAD, "ten", /lost or restored/);
});

Deno.test("a sink that lacks rows head knows of is refused", () => {
  refuses(5, "five", HEAD, null, /emptied or restored/);
  assert.throws(
    () => judgeMarker("s", null, HEAD, null),
    (error: unknown) => error instanceof MillraceError && /holds epoch 0, but/.test(error.message),
  );
});

Deno.test("another history of the same length is refused", () => {
  refuses(9, "neun", HEAD, null, /different histories/);
  refuses(6, "sechs", HEAD, null, /different histories/);
});

Deno.test("a sink that never got a row needs no marker", () => {
  assert.equal(judgeMarker("new", null, HEAD, null), "behind");
  assert.equal(judgeMarker("s", null, firstHead("p"), null), "behind");
  assert.equal(judgeMarker("s", null, firstHead("p"), "one"), "behind");
  assert.equal(judgeMarker("s", { epoch: 1, digest: "one" }, firstHead("p"), "one"), "ahead");
});
