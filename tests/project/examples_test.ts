/** Every example of a shipped component checks clean; a fragment is completed to a pipeline first. */
import assert from "node:assert/strict";
import type { ComponentSpec } from "../../src/component/component.ts";
import { registry } from "../../src/app/full_registry.ts";
import { planIntake } from "../../src/transforms/intake.ts";
import { faultsOf } from "./support.ts";

const SOURCE =
  '\n[sources.payments]\ntype = "csv"\npath = "in.csv"\n[sources.payments.fields]\nid = "int"\naccount = "string"\namount = "decimal(2)"\nstatus = "string"\n';

/** The least that a connection of each type needs. */
const CONNECTION: Readonly<Record<string, string>> = {
  kafka: 'brokers = "127.0.0.1:9092"',
  mysql: 'url = "mysql://user@127.0.0.1/shop"',
};

/** A source, a sink or a connection beside what the fragment has. */
function completed(toml: string, spec: ComponentSpec): string {
  const source = /^\[sources\.([\w-]+)/m.exec(toml)?.[1];
  const connection = /^connection\s*=\s*"([\w-]+)"/m.exec(toml)?.[1];
  const isOpen = connection !== undefined && !toml.includes(`[connections.${connection}]`) && "connection" in spec;
  const joined = isOpen
    ? `${toml}\n[connections.${connection}]\ntype = "${spec.connection}"\n${CONNECTION[spec.connection!] ?? 'path = "store"'}\n`
    : toml;
  const whole = source === undefined ? joined + SOURCE : joined;
  return /^\[sinks\./m.test(toml) ? whole : `${whole}\n[sinks.end]\ntype = "console"\ninputs = ["${source ?? "payments"}"]\n`;
}

for (const role of ["sources", "transforms", "sinks", "connections"] as const) {
  const specs: Iterable<ComponentSpec> = registry[role].values();
  for (const spec of specs) {
    for (const { title, toml } of spec.examples) {
      Deno.test(`the example of the ${spec.role} ${spec.type} checks clean: ${title}`, async () => {
        assert.equal(await faultsOf(completed(toml, spec), { options: { registry, intake: planIntake } }), "");
      });
    }
  }
}
