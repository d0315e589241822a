/** Every component of the binary, for what speaks of all of them: the JSON Schema, the reference, tests. */
import { loadRegistry, type Registry } from "./registry.ts";

export const registry: Registry = await loadRegistry("all");
