/**
 * Builds the binary. A script, so that `--target` and `--output` reach the compiler and not the program:
 *   deno task compile [--target x86_64-unknown-linux-gnu] [--output dist/millrace]
 * `DENORT_BIN` names a base binary where the official one cannot be downloaded.
 */
const TARGETS = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
];

function usage(text: string): never {
  console.error(`${text}\nusage: deno task compile [--target T] [--output FILE]\ntargets: ${TARGETS.join(", ")}`);
  Deno.exit(2);
}

let target = "";
let output = "dist/millrace";
for (let i = 0; i < Deno.args.length; i++) {
  const [name, inline] = Deno.args[i].split("=", 2);
  const value = inline ?? Deno.args[i + 1];
  if (name !== "--target" && name !== "--output") usage(`unknown option ${Deno.args[i]}`);
  if (!value) usage(`${name} needs a value`);
  if (inline === undefined) i++;
  if (name === "--target") target = value;
  else output = value;
}
if (target && !TARGETS.includes(target)) usage(`unknown target ${target}`);

/** Packages that only tests import stay out; compilers before 2.8 do not know the flag and take everything along. */
const [major, minor] = Deno.version.deno.split(".").map(Number);
const isNew = major > 2 || minor >= 8;
const smaller = isNew ? ["--exclude-unused-npm"] : [];
/** The page's files are imported as text, which earlier compilers do when they are told so. */
const texts = isNew ? [] : ["--unstable-raw-imports"];

const { success } = await new Deno.Command(Deno.execPath(), {
  args: [
    "compile",
    "--allow-all",
    "--unstable-kv",
    "--no-check",
    ...smaller,
    ...texts,
    ...(target ? ["--target", target] : []),
    // Started by its name, so the compiler does not find it by itself.
    "--include",
    "src/worker.ts",
    "--output",
    output,
    "src/main.ts",
  ],
  stdin: "null",
}).spawn().status;
if (!success) Deno.exit(1);
console.log(output);
