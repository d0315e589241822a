/** What the simulated disk promises, and that it promises no more. */
import assert from "node:assert/strict";
import { SimDisk } from "../../src/sim/disk.ts";
import { SeededRandom } from "../../src/sim/seeded_random.ts";

const FATES = 400;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (content: Uint8Array | undefined): string | null => content === undefined ? null : new TextDecoder().decode(content);

/** The set of contents of `path` over many power failures after `act`. */
function fatesOf(path: string, act: (disk: SimDisk) => void): Set<string | null> {
  const fates = new Set<string | null>();
  for (let seed = 0; seed < FATES; seed++) {
    const disk = new SimDisk();
    act(disk);
    disk.losePower(new SeededRandom(seed));
    fates.add(text(disk.snapshot().get(path)));
  }
  return fates;
}

function put(disk: SimDisk, path: string, content: string): void {
  disk.open(path, "write").write(bytes(content), 0);
}

Deno.test("synced bytes under a synced name survive every power failure", () => {
  const fates = fatesOf("a", (disk) => {
    put(disk, "a", "durable");
    disk.open("a", "append").sync();
    disk.syncFolder("");
  });
  assert.deepEqual([...fates], ["durable"]);
});

Deno.test("unsynced bytes are kept, lost, cut at any byte, or zeroed, behind an intact synced prefix", () => {
  const fates = fatesOf("a", (disk) => {
    put(disk, "a", "12");
    disk.open("a", "append").sync();
    disk.syncFolder("");
    disk.open("a", "append").write(bytes("345"), 2);
  });
  for (const wished of ["12", "123", "1234", "12345", "12\0\0\0"]) assert.ok(fates.has(wished), JSON.stringify(wished));
  for (const fate of fates) assert.match(fate!, /^12/);
});

Deno.test("a name that no syncFolder covered may be there or not", () => {
  const fates = fatesOf("a", (disk) => {
    put(disk, "a", "x");
    disk.open("a", "read").sync();
  });
  assert.deepEqual(fates, new Set([null, "x"]));
});

Deno.test("a rename of an unsynced file may leave an empty file under the new name", () => {
  const fates = fatesOf("b", (disk) => {
    put(disk, "a", "content");
    disk.rename("a", "b");
    disk.syncFolder("");
  });
  assert.ok(fates.has("") && fates.has("content"));
  assert.ok(!fates.has(null), "the name itself was synced");
});

Deno.test("an unsynced rename leaves the old or the new content under the target, never nothing", () => {
  const act = (disk: SimDisk): void => {
    put(disk, "old", "new content");
    put(disk, "target", "old content");
    for (const name of ["old", "target"]) disk.open(name, "append").sync();
    disk.syncFolder("");
    disk.rename("old", "target");
  };
  assert.deepEqual(fatesOf("target", act), new Set(["old content", "new content"]));
  const both = new Set<string>();
  for (let seed = 0; seed < FATES; seed++) {
    const disk = new SimDisk();
    act(disk);
    disk.losePower(new SeededRandom(seed));
    both.add([...disk.snapshot()].map(([name, content]) => `${name}=${text(content)}`).join(" "));
  }
  assert.deepEqual(both, new Set(["old=new content target=old content", "target=new content"]), "a rename is atomic");
});

Deno.test("truncating a durable file and writing it anew can give the old content, the new one, or a part of the new one", () => {
  const fates = fatesOf("a", (disk) => {
    put(disk, "a", "old!");
    disk.open("a", "append").sync();
    disk.syncFolder("");
    put(disk, "a", "new");
  });
  for (const wished of ["old!", "new", "", "n"]) assert.ok(fates.has(wished), wished);
});

Deno.test("a file in a synced folder is lost with the folder when the parent was not synced", () => {
  const fates = fatesOf("f/a", (disk) => {
    disk.makeFolder("f");
    put(disk, "f/a", "x");
    disk.open("f/a", "append").sync();
    disk.syncFolder("f");
  });
  assert.deepEqual(fates, new Set([null, "x"]));
});

Deno.test("a rename between folders is durable with the target folder, old name included", () => {
  const act = (disk: SimDisk): void => {
    disk.makeFolder("from");
    disk.makeFolder("to");
    disk.syncFolder("");
    put(disk, "from/a", "x");
    disk.open("from/a", "append").sync();
    disk.rename("from/a", "to/a");
    disk.syncFolder("to");
  };
  assert.deepEqual(fatesOf("to/a", act), new Set(["x"]));
  assert.deepEqual(fatesOf("from/a", act), new Set([null]));
});

Deno.test("removing a folder removes all it holds, and missing things are no error", () => {
  const disk = new SimDisk();
  disk.makeFolder("f/g");
  put(disk, "f/g/a", "x");
  disk.remove("f");
  disk.remove("f");
  assert.equal(disk.stat("f"), null);
  assert.deepEqual(disk.list("f"), []);
  assert.throws(() => disk.open("f/a", "write"), { code: "ENOENT" });
  assert.throws(() => disk.open("nowhere", "read"), { code: "ENOENT" });
});
