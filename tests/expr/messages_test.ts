/** What people read when an expression is wrong: place, code, message and hint, as they are shown. */
import assert from "node:assert/strict";
import { MESSAGE_SCOPE } from "./messages_scope.ts";
import { faultsOf } from "./support.ts";

/** Text, faults, and the wished type where there is one. */
const MESSAGES: readonly (readonly [string, string, string?])[] = [
  ["amount = 1.00", '1:8 expression-syntax: unexpected "=" [write == to compare]'],
  ["done and count > 1", '1:6 expression-syntax: unexpected "and" [write && for and]'],
  ["not done", '1:5 expression-syntax: unexpected "done" [write ! for not: !(x > 1)]'],
  [
    "name = 'a",
    "1:8 expression-syntax: the string that starts here is not closed [close it with the same quote; a quote inside is written \\' or \\\"]",
  ],
  ["count > 1;", '1:10 expression-syntax: unexpected ";" [one expression stands alone, without a semicolon]'],
  ["count >", '1:7 expression-syntax: unexpected ">" [an operator needs a value on both sides]'],
  ["(count + 1", '1:11 expression-syntax: unexpected the end ["(" is not closed: ")" is missing]'],
  ["count + 1)", '1:10 expression-syntax: unexpected ")" [")" closes nothing]'],
  ["", "1:1 expression-syntax: the expression is empty"],
  ["amount > 1.00 &&\n  cuont > 2", '2:3 expression-name: there is no name "cuont" here [did you mean count?]'],
  ["package == 1", '1:1 expression-syntax: "package" is a reserved word [write this.package to read the field of that name]'],
  ["`a`", '1:1 expression-syntax: unexpected "`" [write strings in single or double quotes]'],
  ["${params.x} > 1", '1:1 expression-syntax: unexpected "$" [${...} is not filled in inside expressions: read params.NAME instead]'],
  ["a ? b", '1:3 expression-syntax: unexpected "?" [a choice has two branches: condition ? value : otherwise]'],
  ["count === 1", '1:7 expression-syntax: unexpected "=" [write == for equal]'],
  ["count <> 1", '1:7 expression-syntax: unexpected "<" [write != for not equal]'],
  ["count => 1", '1:7 expression-syntax: unexpected "=" [write >= for at least]'],
  ["note ?? 'x'", '1:6 expression-syntax: unexpected "?" [write coalesce(x, default)]'],
  ["customer?.address", '1:9 expression-syntax: unexpected "?" [write a plain dot: it passes null on by itself]'],
  ["1u", "1:1 expression-syntax: there are no unsigned integers here [leave out the `u`]"],
  ["b'x'", '1:1 expression-syntax: there are no byte strings here [leave out the `b`: "..." is a string]'],
  [
    "99999999999999999",
    "1:1 expression-syntax: 99999999999999999 is outside the range of int [an int lies within ±9007199254740991; longer numbers are strings]",
  ],
  [
    "1.0000000000000001",
    "1:1 expression-syntax: 1.0000000000000001 has more than 15 digits [write at most 15 digits, or an exponent (1e-20) for a double]",
  ],
  ["T{a: 1}", "1:1 expression-syntax: there are no message types such as T [a map is written {'key': value}]"],
  ["name is null", '1:6 expression-syntax: unexpected "is" [write == null, or != null]'],
  ["count between 1 and 2", '1:7 expression-syntax: unexpected "between" [write x >= low && x <= high]'],
  ["amuont + 1", '1:1 expression-name: there is no name "amuont" here [did you mean amount?]'],
  ["customer.adress", '1:1 expression-name: there is no field "adress" [did you mean address?]'],
  ["name.lenght()", '1:6 expression-name: there is no function "lenght" [write size(x)]'],
  ["size(name, 1)", "1:1 expression-type: size does not take 2 arguments [usage: size(x)]"],
  ["now()", '1:1 expression-name: there is no function "now" [expressions read no clock: meta.epoch_time is the time of the epoch]'],
  ["lower(name)", '1:1 expression-name: there is no function "lower" [write lowerAscii(x)]'],
  ["sum(1, 2, 3)", "1:1 expression-type: sum does not take 3 arguments [usage: sum(list)]"],
  [
    "count()",
    '1:1 expression-name: there is no function "count" [count is an aggregate: it stands only under `aggregate` and `value`; a list has size()]',
  ],
  [
    "note.size() > 1",
    "1:1 expression-null: note may be null (string?), and size needs a value [test it first: note != null && ...; or give a default: coalesce(note, ...)]",
  ],
  [
    "customer.address.size() > 1",
    "1:1 expression-null: customer.address may be null (string?), and size needs a value [test it first: customer != null && ...; or give a default: coalesce(customer.address, ...)]",
  ],
  [
    "customer.phone.size() > 1",
    "1:1 expression-null: customer.phone may be null (string?), and size needs a value [test it first: customer.phone != null && ...; or give a default: coalesce(customer.phone, ...)]",
  ],
  [
    "notes.sum()",
    "1:1 expression-null: the list may hold nulls, and sum needs values [leave them out: list.filter(x, x != null), or list.map(x, x.f != null, x.f)]",
  ],
  [
    "notes.sort()",
    "1:1 expression-null: the list may hold nulls, and sort needs values [leave them out: list.filter(x, x != null), or list.map(x, x.f != null, x.f)]",
  ],
  ["null + 1", "1:1 expression-null: null cannot be an operand of + [only == and != accept null]"],
  [
    "note && done",
    "1:1 expression-null: note may be null (string?), and && needs a value [test it first: note != null && ...; or give a default: coalesce(note, ...)]",
  ],
  ["score > 1", "1:7 expression-type: > cannot compare double with int [write the number as a double: 1.0]"],
  [
    "score > amount",
    "1:7 expression-type: > cannot compare double with decimal(2) [double never mixes with int or decimal: convert with double(x), or back with decimal(x, scale, mode)]",
  ],
  [
    "amount + score",
    "1:8 expression-type: + does not take decimal(2) and double [double never mixes with int or decimal: convert with double(x), or back with decimal(x, scale, mode)]",
  ],
  [
    "amount / 3",
    "1:8 expression-number: a quotient of decimals has no last digit [say how to round it: round(a / b, 2, 'half_even'); or compare it directly: a / b > 0.5]",
  ],
  [
    "count + name",
    "1:7 expression-type: + does not take int and string [string(x) gives the text of a value; int(x) and decimal(x, scale) read the number in a text]",
  ],
  [
    "name > 1",
    "1:6 expression-type: > cannot compare string with int [string(x) gives the text of a value; int(x) and decimal(x, scale) read the number in a text]",
  ],
  ["name && done", "1:1 expression-type: && needs a bool, this is string [compare it: x == 'text']"],
  ["count ? 1 : 2", "1:1 expression-type: the condition of ?: needs a bool, this is int [compare it: x > 0]"],
  [
    "done ? 1 : 'a'",
    "1:1 expression-type: the branches of ?: have different types: int and string [string(x) gives the text of a value; int(x) and decimal(x, scale) read the number in a text]",
  ],
  ["!count", "1:1 expression-type: ! does not take int [! is for bool: !(x > 0)]"],
  ["amount % 2", "1:8 expression-type: % does not take decimal(2) and int [% is for int only]"],
  ["round(amount, 2)", "1:1 expression-type: round does not take 2 arguments [usage: round(x, places, mode)]"],
  [
    "round(amount, 2, 'bankers')",
    "1:18 expression-number: there is no rounding mode 'bankers' [one of 'half_even', 'half_up', 'down', 'up', 'floor', 'ceil']",
  ],
  ["round(score, 2, 'up')", "1:1 expression-type: round does not take (double) [from a double: decimal(x, 2, 'up')]"],
  [
    "round(count / 3, 2, 'up')",
    "1:13 expression-number: int / int drops the fraction before round sees it [make one of them a decimal: round(decimal(a, 0) / b, 2, 'half_even')]",
  ],
  [
    "rate * rate * rate * rate",
    "1:20 expression-number: the product has 16 decimals, at most 15 fit [round an operand first: round(x, 2, 'half_even')]",
  ],
  ["decimal(rate, 2)", "1:1 expression-number: this may lose digits beyond 2 decimals [name the rounding: decimal(x, 2, 'half_even')]"],
  ["int(amount)", "1:1 expression-type: int does not take (decimal(2)) [round it knowingly: int(round(x, 0, 'half_even'))]"],
  ["[1, 'a']", "1:1 expression-type: the elements of a list need one type, these are int, string"],
  ["name in items", "1:6 expression-type: in looks for string among int"],
  ["items.map(x, x.foo)", "1:14 expression-type: .foo reads a field of a struct, this is int"],
  ["items.filter(1, 2)", "1:7 expression-type: filter takes a name and a condition [write list.filter(x, x > 0)]"],
  [
    "items.all(x, items.all(y, items.all(z, z > 0)))",
    "1:33 expression-cost: comprehensions nest at most 2 deep [the work of a record would no longer be bounded: give an inner part a name under `let`]",
  ],
  [
    "name.matches('(a')",
    "1:14 expression-pattern: the pattern is wrong: missing closing ): `(a` [patterns are written as for RE2, in a raw string: r'\\d+']",
  ],
  [
    "name.matches(r'(?=a)')",
    "1:14 expression-pattern: the pattern is wrong: invalid or unsupported Perl syntax: `(?=` [RE2 has no look-around and no back-references: they cannot run in linear time]",
  ],
  ["extract(name, r'a', 1)", "1:21 expression-pattern: there is no group 1 [the pattern has 0 groups; 0 is the whole match]"],
  [
    "at.getHours('Mars/Olympus')",
    "1:13 expression-type: there is no time zone 'Mars/Olympus' [an IANA name such as 'Europe/Berlin', 'UTC', or an offset such as '+02:00']",
  ],
  [
    "at > day",
    "1:4 expression-type: > cannot compare timestamp with date [date(x) gives the day of a timestamp, timestamp(x) the first instant of a date]",
  ],
  [
    "body.x",
    "1:1 expression-type: .x reads a field of a struct, this is json [give the json field its `fields` in the schema to read inside it]",
  ],
  ["customer == customer", "1:10 expression-type: structs are not compared as a whole [compare their fields, or the struct with null]"],
  ["items[name]", "1:6 expression-type: [...] does not take list<int> and string [a list is read by an int, a map by its key]"],
  [
    "items.avg()",
    "1:7 expression-type: avg does not take (list<int>) [an average of exact numbers names its places and its rounding: list.avg(2, 'half_even')]",
  ],
  [
    "coalesce(note, 1)",
    "1:1 expression-type: coalesce needs values of one type, these are string, int [string(x) gives the text of a value; int(x) and decimal(x, scale) read the number in a text]",
  ],
  ["name.map(x, x)", "1:1 expression-type: map runs over a list or a map, this is string"],
  ["rate", "1:1 expression-type: this is decimal(4), decimal(2) is wished [round it knowingly: round(x, 2, 'half_even')]", "decimal(2)"],
  ["note", "1:1 expression-type: this may be null (string?), string is wished [give it a default: coalesce(x, default)]", "string"],
  ["amount", "1:1 expression-type: this is decimal(2), double is wished [convert it knowingly: double(x)]", "double"],
  ["score", "1:1 expression-type: this is double, decimal(2) is wished [convert it knowingly: decimal(x, 2, 'half_even')]", "decimal(2)"],
  ["count", "1:1 expression-type: this is int, string is wished [string(x) gives its text]", "string"],
  ["count", "1:1 expression-type: this is int, bool is wished [a condition is wished: compare the int]", "bool"],
];

for (const [text, wished, expected] of MESSAGES) {
  Deno.test(`message: ${text.replaceAll("\n", " ")}${expected === undefined ? "" : ` as ${expected}`}`, () => {
    assert.equal(faultsOf(text, MESSAGE_SCOPE, expected), wished);
  });
}

Deno.test("all faults of an expression are reported at once", () => {
  const faults = faultsOf("amuont > 1.00 && note.size() > 1 || cuont == 2", MESSAGE_SCOPE).split("\n");
  assert.equal(faults.length, 3);
});
