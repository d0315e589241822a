/**
 * Generated code for numbers in their everyday form, shared by the compiled decoders. Invariant: it takes only text that
 * decimal.ts reads to the same value, and leaves everything else to the slow path by jumping to `fail`.
 */
import { DIGITS_EXACT } from "./exact.ts";
import type { NumberForm } from "./decimal.ts";
import { INTEGER_MAX } from "./limits.ts";
import type { Type } from "./types.ts";

/**
 * Statements that read an int, decimal or double at `p` of the bytes `b` into `v` and leave `p` behind its last digit. They
 * use the locals x, d and q and the constant POWERS; what must follow the number is for the caller to check.
 */
export function numberCode(type: Type, form: NumberForm, fail: string): string {
  const scale = type.kind === "decimal" ? type.scale : 0;
  const point = type.kind !== "int" && (type.kind === "double" || scale > 0);
  const zero = form === "json" ? ` || (q > 1 && b[p - q] === 48)` : "";
  const lines = [
    // The sign without branches: V8 drops its best code at the first visit of a branch that no record took before.
    "const sign = b[p] === 45 ? -1 : 1; p += sign < 0 ? 1 : 0;",
    "q = p; v = 0;",
    "while ((d = b[p] - 48) >= 0 && d <= 9) { v = v * 10 + d; p++; }",
    `q = p - q; if (q === 0 || q > ${DIGITS_EXACT}${zero}) ${fail}`,
  ];
  if (point) {
    const most = type.kind === "double" ? "" : ` || x > ${scale}`;
    const unit = type.kind === "double" ? "v /= POWERS[x];" : `v *= POWERS[${scale} - x]; if (v > ${INTEGER_MAX}) ${fail}`;
    lines.push(
      "x = 0;",
      `if (b[p] === 46) { const f = ++p; while ((d = b[p] - 48) >= 0 && d <= 9) { v = v * 10 + d; p++; } x = p - f; ` +
        `if (x === 0 || q + x > ${DIGITS_EXACT}${most}) ${fail} }`,
      unit,
    );
  }
  lines.push("v = v * sign + 0;"); // -0 + 0 is 0.
  return `{ ${lines.join(" ")} }`;
}
