/**
 * Builds the binary. A script, so that `--target` and `--output` reach the compiler and not the program:
 *   deno task compile [--target x86_64-unknown-linux-gnu] [--output dist/millrace]
 * `DENORT_BIN` names a base binary where the official one cannot be downloaded.
 * What is compiled is the bundle: the same program starts in three quarters of the time (docs/performance.md).
 */
import { bundle, LICENCES, RUN_OPTIONS } from "./bundle.ts";

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
const smaller = major > 2 || minor >= 8 ? ["--exclude-unused-npm"] : [];

async function compile(folder: string): Promise<boolean> {
  const args = [
    "compile",
    ...RUN_OPTIONS,
    // Says which versions the packages have that the bundle still imports, wherever it lies.
    "--config",
    "deno.json",
    ...smaller,
    ...(target ? ["--target", target] : []),
    // Started by its name, so the compiler does not find it by itself.
    "--include",
    `${folder}/worker.js`,
    "--include",
    `${folder}/${LICENCES}`,
    "--output",
    output,
    `${folder}/main.js`,
  ];
  return (await new Deno.Command(Deno.execPath(), { args, stdin: "null" }).spawn().status).success;
}

const folder = `${output}.bundle`;
const built = await bundle(folder, "compile") && await compile(folder);
await Deno.remove(folder, { recursive: true }).catch(() => {});
if (!built) Deno.exit(1);
console.log(output);
