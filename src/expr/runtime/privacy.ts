/** Texts that stand for others, behind generated code: for personal data that must not leave in clear. */
import { createHash } from "node:crypto";

/** All but the last `keep` characters as asterisks; all of them where there are no more than `keep`, or none is to be kept. */
export function mask(text: string, keep: number): string {
  const characters = [...text];
  const kept = keep > 0 && characters.length > keep ? characters.slice(-keep) : [];
  return "*".repeat(characters.length - kept.length) + kept.join("");
}

/** The SHA-256 digest of the text's UTF-8, as 64 hexadecimal digits. */
export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
