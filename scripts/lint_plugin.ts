/**
 * The house rules that a machine can keep: who may import whom, where the outside world may be touched, and a few forms that
 * hide faults. The table below is the one in docs/ARCHITECTURE.md; a test compares them.
 */

/** Room to the rooms it may import from; every room may import itself. `contracts` stands for a room's contract files. */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  ports: [],
  data: [],
  expr: ["data"],
  component: ["data", "ports", "expr:contracts", "engine:contracts"],
  engine: ["data", "ports"],
  transforms: ["data", "expr", "component", "engine:contracts"],
  connectors: ["data", "ports", "expr", "component", "engine:contracts"],
  observe: ["data", "ports", "engine:contracts"],
  project: ["data", "ports", "expr", "component", "engine:contracts"],
  platform: ["ports", "data"],
  sim: ["ports", "data", "engine:contracts"],
  app: ["data", "ports", "expr", "component", "engine", "transforms", "connectors", "observe", "project"],
  cli: ["app", "data", "ports", "project"],
};
/** Files of the engine and of expr that other rooms may see. */
const CONTRACTS: Readonly<Record<string, readonly string[]>> = {
  engine: ["contracts.ts", "run_contracts.ts", "rejects.ts"],
  expr: ["contracts.ts"],
};
/** The composition roots: the only files that join platform with the rest. */
const ROOTS = ["main.ts", "worker.ts"];

const sourcePath = (filename: string): string[] | null => {
  const at = filename.replaceAll("\\", "/").lastIndexOf("/src/");
  return at < 0 ? null : filename.slice(at + 5).replaceAll("\\", "/").split("/");
};

/** The room and file that a relative import leads to, or null for a package. */
function target(from: readonly string[], specifier: string): readonly string[] | null {
  if (!specifier.startsWith(".")) return null;
  const parts = from.slice(0, -1);
  for (const step of specifier.split("/")) {
    if (step === "..") parts.pop();
    else if (step !== ".") parts.push(step);
  }
  return parts;
}

/** Why the import is wrong, or "". */
export function importFault(filename: string, specifier: string): string {
  const from = sourcePath(filename);
  if (!from || (from.length === 1 && ROOTS.includes(from[0]))) return "";
  const to = target(from, specifier);
  if (!to || to.length < 2) return to?.length === 1 ? `nothing imports ${to[0]}` : "";
  const [room, other] = [from[0], to[0]];
  if (room === other) return "";
  const allowed = MAY_IMPORT[room];
  if (!allowed) return `room "${room}" is not in the table of scripts/lint_plugin.ts`;
  if (allowed.includes(other)) return "";
  if (allowed.includes(`${other}:contracts`)) {
    return CONTRACTS[other].includes(to.slice(1).join("/"))
      ? ""
      : `"${room}" may import only the contracts of "${other}", not ${to.join("/")}`;
  }
  return `"${room}" may not import "${other}"`;
}

const inRoom = (context: Deno.lint.RuleContext, ...rooms: string[]): boolean => {
  const path = sourcePath(context.filename);
  return path !== null && (rooms.includes(path[0]) || ROOTS.includes(path[0]));
};
const isSource = (context: Deno.lint.RuleContext): boolean => sourcePath(context.filename) !== null;

function ambient(names: readonly string[], rooms: readonly string[], message: string): Deno.lint.Rule {
  return {
    create(context) {
      if (!isSource(context) || inRoom(context, ...rooms)) return {};
      return {
        MemberExpression(node) {
          const text = context.sourceCode.getText(node);
          if (names.some((name) => text === name || text.startsWith(name + "."))) context.report({ node, message });
        },
        CallExpression(node) {
          const text = context.sourceCode.getText(node.callee);
          if (names.includes(text) && node.callee.type === "Identifier") context.report({ node, message });
        },
      };
    },
  };
}

const plugin: Deno.lint.Plugin = {
  name: "millrace",
  rules: {
    "import-direction": {
      create(context) {
        const look = (node: Deno.lint.Node, specifier: unknown): void => {
          const fault = typeof specifier === "string" ? importFault(context.filename, specifier) : "";
          if (fault) context.report({ node, message: fault });
        };
        return {
          ImportDeclaration: (node) => look(node, node.source.value),
          ExportAllDeclaration: (node) => look(node, node.source.value),
          ExportNamedDeclaration: (node) => look(node, node.source?.value),
          ImportExpression: (node) => look(node, node.source.type === "Literal" ? node.source.value : null),
        };
      },
    },
    "no-deno-outside-platform": ambient(["Deno"], ["platform"], "Deno.* belongs in src/platform; take a port"),
    "no-ambient-time": ambient(
      ["Date.now", "performance.now", "setTimeout", "setInterval"],
      ["platform"],
      "time comes in through the clock port",
    ),
    "no-ambient-random": ambient(
      ["Math.random", "crypto.randomUUID", "crypto.getRandomValues"],
      ["platform"],
      "randomness comes in through its port",
    ),
    "no-console": ambient(["console"], ["platform"], "text for people goes through the terminal port, events through the log port"),
    "no-default-export": {
      create(context) {
        if (!isSource(context)) return {};
        return { ExportDefaultDeclaration: (node) => context.report({ node, message: "named exports only: one name everywhere" }) };
      },
    },
    "no-enum": {
      create(context) {
        if (!isSource(context)) return {};
        return { TSEnumDeclaration: (node) => context.report({ node, message: "a union of literals instead of an enum" }) };
      },
    },
  },
};
export default plugin;
