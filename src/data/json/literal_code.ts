/** Generated code that compares text with what stands at `p` of the bytes `b` and their view. Invariant: `p` is left as it is. */
const encoder = new TextEncoder();

/** Compares `text` with what stands at `p`; where its length is no multiple of four, the last two words overlap. */
export function testCode(text: string, relation: "===" | "!==", join: "&&" | "||"): string {
  const bytes = encoder.encode(text);
  const view = new DataView(bytes.buffer);
  const word = (at: number): string => `view.getInt32(p + ${at}, true) ${relation} ${view.getInt32(at, true)}`;
  const tests: string[] = [];
  let at = 0;
  for (; at + 4 <= bytes.length; at += 4) tests.push(word(at));
  if (at < bytes.length && at > 0) tests.push(word(bytes.length - 4));
  else for (; at < bytes.length; at++) tests.push(`b[p + ${at}] ${relation} ${bytes[at]}`);
  return tests.join(` ${join} `);
}
