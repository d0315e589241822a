/** Recorded times as people read them. */
import { timestampText } from "../../../data/time_text.ts";

const RFC_3339 = timestampText();

/** RFC 3339 in UTC. */
export const formatMicros = (micros: number): string => RFC_3339.format(micros);
