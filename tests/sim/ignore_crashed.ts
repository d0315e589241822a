/** A dead process leaves promises behind that nobody awaits any more; that they fail is no fault. */
import { Crashed } from "../../src/sim/crashed.ts";

/** From now on an unhandled rejection with Crashed is dropped. Gives a function that ends this. */
export function ignoreCrashed(): () => void {
  const listener = (event: PromiseRejectionEvent): void => {
    if (event.reason instanceof Crashed) event.preventDefault();
  };
  globalThis.addEventListener("unhandledrejection", listener);
  return () => globalThis.removeEventListener("unhandledrejection", listener);
}
