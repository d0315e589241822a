/**
 * Names for generated code. Invariant: a name is a few words of ours, so nothing of the user's gets into the code through it.
 */

/** The line that makes profiles and stack traces show generated code under `generated/NAME`; it ends the source text. */
export function sourceName(name: string): string {
  return `\n//# sourceURL=generated/${name.replace(/[^\w.-]+/g, "_")}`;
}
