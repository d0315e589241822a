/** All that is tried. */
import type { Target } from "../harness.ts";
import { project, toml } from "./configuration.ts";
import { kafka } from "./kafka.ts";
import { pgoutput } from "./pgoutput.ts";
import { changes, csv, json } from "./records.ts";
import { requests } from "./requests.ts";
import { socket } from "./socket.ts";

export const TARGETS: readonly Target[] = [json, csv, changes, toml, project, kafka, socket, pgoutput, requests];
