/**
 * The errors of the simulated world. `Crashed` is what a dead process meets when it calls a synchronous port; its asynchronous
 * calls never settle, as nothing of a dead process runs on.
 */
export class Crashed extends Error {
  constructor(processName: string) {
    super(`the simulated process ${processName} is dead`);
    this.name = "Crashed";
  }
}

/** A request whose outcome the caller cannot know: it was applied, or never will be, or will be later. */
export class OutcomeUnknown extends Error {
  constructor(what: string) {
    super(`${what}: the connection was lost before an answer came`);
    this.name = "OutcomeUnknown";
  }
}

/** Nothing is left to happen, yet somebody waits: code under test waits for something outside of the simulated world. */
export class Deadlock extends Error {
  constructor(message: string) {
    super(message);
    this.name = "Deadlock";
  }
}
