/** A share of the random streams; `deno run -A tests/windows/streams.ts 100000` tries all of them. */
import { compileSettings, tryStream } from "./streams.ts";

const STREAMS = 800;

Deno.test(`windows of ${STREAMS} random streams equal the slow reference, straight and killed, in one lane and in several`, async () => {
  const compiled = await compileSettings();
  for (let seed = 0; seed < STREAMS; seed++) tryStream(seed, compiled);
});

Deno.test("a session that begins earlier than it did, at the very start of one that has just closed", async () => {
  tryStream(302_768, await compileSettings());
});
