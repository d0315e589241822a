/** What may go wrong with a request to another machine (KV, SQL), in times per thousand, and how often in all. */
export interface Hazards {
  /** Applied, but the caller gets an error. */
  readonly lostAcknowledgement: number;
  /** Not applied, and the caller gets an error. */
  readonly lostRequest: number;
  /** The caller gets an error; it is applied up to `lateMicrosMax` later. */
  readonly lateRequest: number;
  /** Applied and answered, and applied once more up to `lateMicrosMax` later: a copy that something in between has made. */
  readonly duplicated: number;
  /** On its way for up to `slowMicrosMax`. */
  readonly slow: number;
  readonly slowMicrosMax: number;
  /** A read that fails. */
  readonly failedRead: number;
  /** Of the requests of a process that died, how many per thousand are still applied, up to `lateMicrosMax` later. */
  readonly orphanApplied: number;
  readonly lateMicrosMax: number;
  /** After so many errors the rest goes well, so that every run ends. */
  readonly errorsMax: number;
}

/** Everything goes well. */
export const NO_HAZARDS: Hazards = {
  lostAcknowledgement: 0,
  lostRequest: 0,
  lateRequest: 0,
  duplicated: 0,
  slow: 0,
  slowMicrosMax: 0,
  failedRead: 0,
  orphanApplied: 0,
  lateMicrosMax: 0,
  errorsMax: 0,
};
