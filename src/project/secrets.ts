/** Values that must not be shown. Invariant: once added, a value is masked in everything that passes `mask`. */

/** What stands for a secret. */
export const MASK = "***";

const SECRET_NAME = /PASSWORD|SECRET|TOKEN/i;
const USERINFO = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#@"']*(?:@[^\s/?#@"']*)*@/gi;

/** Whether a variable's name says that its value is secret. */
export const isSecretName = (name: string): boolean => SECRET_NAME.test(name);

/** The text with the user information of URLs replaced. */
export const maskUserinfo = (text: string): string => text.replace(USERINFO, (_whole, scheme: string) => `${scheme}${MASK}@`);

const SEARCHED_LENGTH_MIN = 4;

export class Secrets {
  readonly #values = new Set<string>();

  /** Very short texts are not looked for: masking every "a" would garble all that is said. */
  add(value: string): void {
    if (value.length >= SEARCHED_LENGTH_MIN) this.#values.add(value);
  }

  /** The text with all secrets and all user information of URLs replaced. */
  mask(text: string): string {
    let masked = text;
    // The longest first: a secret may contain another.
    for (const value of [...this.#values].sort((a, b) => b.length - a.length)) masked = masked.replaceAll(value, MASK);
    return maskUserinfo(masked);
  }
}
