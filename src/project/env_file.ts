/**
 * The file of --env-file: NAME=value lines, # comments, "..." or '...' around a value. Values are taken as they stand: nothing
 * is filled in. The process environment wins over the file.
 */
import type { Environment } from "../ports/mod.ts";
import type { Faults } from "./faults.ts";

/** The environment with the file's variables behind it. */
export function withEnvFile(environment: Environment, file: string, text: string, faults: Faults): Environment {
  const values = new Map<string, string>();
  text.split(/\r?\n/).forEach((line, index) => {
    const trimmed = line.trim();
    if (trimmed === "" || trimmed.startsWith("#")) return;
    const parts = /^(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)$/.exec(trimmed);
    if (parts) values.set(parts[1], unquote(parts[2]));
    else {
      const span = { file, line: index + 1, column: 1, endLine: index + 1, endColumn: line.length + 1 };
      faults.add("env_file", span, "this line is not NAME=value", "comments begin with #");
    }
  });
  return { get: (name) => environment.get(name) ?? values.get(name) };
}

function unquote(value: string): string {
  const quote = value[0];
  if ((quote === '"' || quote === "'") && value.length >= 2 && value.endsWith(quote)) return value.slice(1, -1);
  return value.replace(/\s+#.*$/, "");
}
