/** This process's memory and processor time. */
import process from "node:process";
import type { Process } from "../ports/process.ts";

export const denoProcess: Process = {
  id: Deno.pid,
  figures() {
    const { rss, heapUsed, heapTotal, external } = Deno.memoryUsage();
    const { user, system } = process.cpuUsage();
    return { residentBytes: rss, heapUsedBytes: heapUsed, heapTotalBytes: heapTotal, externalBytes: external, cpuMicros: user + system };
  },
};
