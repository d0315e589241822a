/** The transforms of the binary, in the order of the reference. */
import type { TransformSpec } from "../component/component.ts";
import { aggregate } from "./aggregate.ts";
import { decide } from "./decide.ts";
import { dedupe } from "./dedupe.ts";
import { filter } from "./filter.ts";
import { join } from "./join.ts";
import { lookup } from "./lookup.ts";
import { map } from "./map.ts";
import { repartition } from "./repartition.ts";

export { planIntake } from "./intake.ts";

export const transforms: readonly TransformSpec[] = [map, filter, lookup, decide, aggregate, join, dedupe, repartition];
