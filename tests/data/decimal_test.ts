import assert from "node:assert/strict";
import fc from "fast-check";
import { createWriter, putDouble, writeDecimal, writeInteger, writeText, written } from "../../src/data/bytes.ts";
import {
  addBigToWide,
  addToWide,
  compareProducts,
  divideRounded,
  failureCode,
  formatDecimal,
  multiplyExact,
  multiplyRounded,
  NOT_THE_TYPE,
  OUT_OF_RANGE,
  parseDecimal,
  parseDoubleBytes,
  rescale,
  ROUNDING_MODES,
  type RoundingMode,
  roundQuotient,
  roundScaled,
  TOO_MANY_DECIMALS,
  wideToBig,
  wideToNumber,
} from "../../src/data/decimal.ts";
import { SEED } from "./support.ts";

const run = { seed: SEED, numRuns: 4000 };
const MAX = BigInt(Number.MAX_SAFE_INTEGER);
const safe = fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -2000, max: 2000 }), fc.constantFrom(0, 2 ** 53 - 1, 1 - 2 ** 53));
const scale = fc.integer({ min: 0, max: 15 });
const abs = (value: bigint) => value < 0n ? -value : value;

/** The obvious parser: digits as one big integer. */
function obvious(text: string, scale: number, exponents: boolean): number {
  const pattern = exponents ? /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/ : /^(-?)(\d+)(?:\.(\d+))?()$/;
  const match = pattern.exec(text);
  if (match === null) return NOT_THE_TYPE;
  const [, sign, whole, fraction = "", exponent] = match;
  const power = Number(exponent || "0") - fraction.length + scale;
  const digits = BigInt(whole + fraction);
  const value = power >= 0 ? digits * 10n ** BigInt(power) : digits / 10n ** BigInt(-power);
  if (power < 0 && digits % 10n ** BigInt(-power) !== 0n) return TOO_MANY_DECIMALS;
  if (value > MAX) return OUT_OF_RANGE;
  return sign === "-" ? Number(-value) : Number(value);
}

Deno.test("decimal text is read exactly, or says why not", () => {
  const digits = fc.string({ unit: fc.constantFrom(..."00123456789"), maxLength: 18 });
  const text = fc.oneof(
    fc.tuple(fc.constantFrom("", "-"), digits, fc.constantFrom("", "."), digits, fc.constantFrom("", "", "e1", "E-3", "e+12", "e-20", "e"))
      .map((p) => p.join("")),
    fc.string({ unit: fc.constantFrom(..."0159.-+eE xN,"), maxLength: 8 }),
  );
  fc.assert(
    fc.property(text, scale, (text, scale) => {
      assert.ok(Object.is(parseDecimal(text, scale), obvious(text, scale, false)), `${text} as text at ${scale}`);
      assert.ok(Object.is(parseDecimal(text, scale, "json"), obvious(text, scale, true)), `${text} as JSON at ${scale}`);
    }),
    { ...run, numRuns: 20000 },
  );
});

Deno.test("failures have the names of reject codes", () => {
  assert.equal(failureCode(parseDecimal("1.005", 2)), "scale");
  assert.equal(failureCode(parseDecimal("NaN", 2)), "type");
  assert.equal(failureCode(parseDecimal("é", 2)), "type");
  assert.equal(failureCode(parseDecimal("9".repeat(400), 2)), "range");
  assert.equal(failureCode(parseDecimal("1e" + "9".repeat(400), 2, "json")), "range");
  assert.equal(parseDecimal("0e" + "9".repeat(400), 2, "json"), 0);
  assert.equal(parseDecimal("1.500", 2), 150);
  assert.equal(parseDecimal("1." + "0".repeat(5000), 2), 100);
});

Deno.test("what is formatted reads back, with exactly its decimals", () => {
  fc.assert(
    fc.property(safe, scale, (value, scale) => {
      const text = formatDecimal(value, scale);
      assert.match(text, scale === 0 ? /^-?\d+$/ : new RegExp(`^-?\\d+\\.\\d{${scale}}$`));
      assert.equal(parseDecimal(text, scale), Object.is(value, -0) ? 0 : value);
      const writer = createWriter(1);
      writeDecimal(writer, value, scale);
      assert.equal(new TextDecoder().decode(written(writer)), text);
      writer.length = 0;
      writeInteger(writer, value);
      assert.equal(new TextDecoder().decode(written(writer)), formatDecimal(value, 0));
    }),
    { ...run, numRuns: 20000 },
  );
  assert.equal(formatDecimal(-0, 2), "0.00");
  assert.equal(formatDecimal(-5, 2), "-0.05");
});

Deno.test("doubles read back as written, and only doubles", () => {
  const read = (text: string) => parseDoubleBytes(new TextEncoder().encode(text), 0, text.length, "text");
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const bytes = new Uint8Array(32);
      const end = putDouble(bytes, 0, value);
      assert.equal(parseDoubleBytes(bytes, 0, end, "json"), value === 0 ? 0 : value);
    }),
    run,
  );
  for (const text of ["", "-", ".5", "5.", "1e", "+1", "NaN", "Infinity", "0x1", "1 "]) assert.ok(Number.isNaN(read(text)), text);
  assert.equal(read("1e309"), OUT_OF_RANGE);
});

/** Rounding by the definition of each mode, on a quotient of big integers with a positive divisor. */
function obviousRound(numerator: bigint, denominator: bigint, mode: RoundingMode): bigint {
  let floor = numerator / denominator;
  if (numerator % denominator < 0n) floor -= 1n;
  const rest = numerator - floor * denominator;
  if (rest === 0n) return floor;
  const negative = numerator < 0n;
  switch (mode) {
    case "floor":
      return floor;
    case "ceil":
      return floor + 1n;
    case "down":
      return negative ? floor + 1n : floor;
    case "up":
      return negative ? floor : floor + 1n;
    case "half_up":
      return 2n * rest > denominator || (2n * rest === denominator && !negative) ? floor + 1n : floor;
    case "half_even":
      return 2n * rest > denominator || (2n * rest === denominator && floor % 2n !== 0n) ? floor + 1n : floor;
  }
}
function inRange(value: bigint): number {
  return abs(value) > MAX ? OUT_OF_RANGE : Number(value);
}
function obviousScaled(numerator: bigint, denominator: bigint, places: number, mode: RoundingMode): number {
  const sign = denominator < 0n ? -1n : 1n;
  const shift = 10n ** BigInt(Math.abs(places));
  return places >= 0
    ? inRange(obviousRound(sign * numerator * shift, sign * denominator, mode))
    : inRange(obviousRound(sign * numerator, sign * denominator * shift, mode) * shift);
}
const mode = fc.constantFrom(...ROUNDING_MODES);
const places = fc.integer({ min: -18, max: 15 });

Deno.test("rounding agrees with big integers in every mode", () => {
  fc.assert(
    fc.property(safe, scale, places, mode, (value, scale, places, mode) => {
      assert.ok(Object.is(roundScaled(value, scale, places, mode), obviousScaled(BigInt(value), 10n ** BigInt(scale), places, mode)));
    }),
    { ...run, numRuns: 20000 },
  );
  const hundreds = (cents: number) => roundScaled(cents, 2, -2, "half_even");
  assert.deepEqual([285000, 665000, 475000, 95000, 123456, 4999, 5000, -15000].map(hundreds), [2800, 6600, 4800, 1000, 1200, 0, 0, -200]);
});

Deno.test("products and quotients are rounded once, beyond 2^53 too", () => {
  fc.assert(
    fc.property(safe, safe, scale, scale, places, mode, (a, b, scaleA, scaleB, places, mode) => {
      const product = obviousScaled(BigInt(a) * BigInt(b), 10n ** BigInt(scaleA + scaleB), places, mode);
      assert.ok(Object.is(multiplyRounded(a, b, scaleA + scaleB, places, mode), product), "product");
      if (b === 0) return assert.ok(Number.isNaN(divideRounded(a, scaleA, b, scaleB, places, mode)));
      const quotient = obviousScaled(BigInt(a) * 10n ** BigInt(scaleB), BigInt(b) * 10n ** BigInt(scaleA), places, mode);
      assert.ok(Object.is(divideRounded(a, scaleA, b, scaleB, places, mode), quotient), "quotient");
      const sign = b < 0 ? -1n : 1n;
      assert.equal(roundQuotient(BigInt(a), BigInt(b), mode), obviousRound(sign * BigInt(a), abs(BigInt(b)), mode));
    }),
    { ...run, numRuns: 20000 },
  );
});

Deno.test("exact products, comparisons and changes of scale", () => {
  fc.assert(
    fc.property(safe, safe, safe, safe, scale, scale, (a, b, c, d, from, to) => {
      assert.ok(Object.is(multiplyExact(a, b), inRange(BigInt(a) * BigInt(b))));
      const difference = BigInt(a) * BigInt(b) - BigInt(c) * BigInt(d);
      assert.equal(compareProducts(a, b, c, d), difference < 0n ? -1 : difference > 0n ? 1 : 0);
      assert.equal(compareProducts(a, b, b, a), 0);
      const unit = 10n ** BigInt(Math.abs(to - from));
      const lossy = to < from && BigInt(a) % unit !== 0n;
      const exact = lossy ? TOO_MANY_DECIMALS : inRange(to >= from ? BigInt(a) * unit : BigInt(a) / unit);
      assert.ok(Object.is(rescale(a, from, to), exact));
    }),
    run,
  );
});

Deno.test("wide sums are exact and do not depend on the order", () => {
  fc.assert(
    fc.property(fc.array(safe, { maxLength: 50 }), fc.bigInt({ min: -(1n << 80n), max: 1n << 80n }), (values, more) => {
      const sums = { hi: new Float64Array(3), lo: new Float64Array(3) };
      for (const value of values) addToWide(sums, 0, value);
      for (const value of values.toReversed()) addToWide(sums, 1, value);
      const total = values.reduce((sum, value) => sum + BigInt(value), 0n);
      assert.equal(wideToBig(sums.hi[0], sums.lo[0]), total);
      assert.deepEqual([sums.hi[0], sums.lo[0]], [sums.hi[1], sums.lo[1]]);
      assert.equal(wideToNumber(sums.hi[0], sums.lo[0]), abs(total) > MAX ? null : Number(total));
      addBigToWide(sums, 0, more);
      assert.equal(wideToBig(sums.hi[0], sums.lo[0]), total + more);
      addBigToWide(sums, 2, total);
      assert.deepEqual([sums.hi[2], sums.lo[2]], [sums.hi[1], sums.lo[1]]);
    }),
    run,
  );
});

Deno.test("a writer grows and keeps what it has", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "grapheme", maxLength: 50 })), (texts) => {
      const writer = createWriter(1);
      for (const text of texts) writeText(writer, text);
      assert.equal(new TextDecoder("utf-8", { ignoreBOM: true }).decode(written(writer)), texts.join(""));
    }),
    { ...run, numRuns: 500 },
  );
});
