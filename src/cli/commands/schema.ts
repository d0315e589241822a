/** `schema`: the JSON Schema that editors complete from. */
import { registry } from "../../app/full_registry.ts";
import { jsonSchema } from "../../project/mod.ts";
import { type CommandContext, EXIT } from "../context.ts";

export function schema({ terminal }: CommandContext): number {
  terminal.out(JSON.stringify(jsonSchema(registry), null, 2) + "\n");
  return EXIT.done;
}
