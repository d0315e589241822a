/**
 * Names the protocol steps as the engine passes them. Does nothing in production; the kill tests end the process at a named
 * step, the simulator decides there whether to crash.
 */
export type ProtocolStep =
  | "take_over"
  | "fenced"
  | "loaded"
  | "batch_processed"
  | "epoch_closed"
  | "intent_written"
  | "sink_delivered"
  | "state_written"
  | "refused_written"
  | "head_flipped"
  | "finishing"
  | "published"
  | "run_done";
export interface Probe {
  step(step: ProtocolStep, detail: string): void;
}
