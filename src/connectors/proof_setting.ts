/** The setting `test` of connections to servers, and the name that something has there in a proof. */
import type { PlanContext, ProofPlace } from "../component/component.ts";
import type { BoolSetting } from "../component/settings.ts";

/** Of every connection at which a proof can have a place of its own. */
export const TEST_SETTING: BoolSetting = {
  kind: "bool",
  default: false,
  operational: true,
  doc: "Whether it is there for tests: then `millrace prove` may make and remove places of its own here.",
};

/** As configured; in a proof, one that nobody else has, of at most `lengthMax` characters. */
export const proofName = ({ proof = "" }: PlanContext, name: string, lengthMax: number): string =>
  proof === "" ? name : (proof + name).slice(0, lengthMax);

/** What every such place says of its connection. */
export function ofConnection({ connection, connectionName }: PlanContext): Pick<ProofPlace, "connection" | "isTest"> {
  return { connection: connectionName ?? "", isTest: connection?.bool("test") ?? false };
}
