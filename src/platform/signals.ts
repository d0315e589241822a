/** SIGTERM and SIGINT: the first one asks for a planned stop, the second one ends the process at once. */

const INTERRUPTED = 130;

/** Aborted by the first signal, whose name is the reason. Listens until the process ends. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const names: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
  for (const name of names) {
    Deno.addSignalListener(name, () => {
      if (controller.signal.aborted) Deno.exit(INTERRUPTED);
      controller.abort(name);
    });
  }
  return controller.signal;
}
