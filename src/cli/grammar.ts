/** The words of the command line. One definition gives parsing, `--help`, "did you mean" and shell completion. */
import { merge, object, or } from "@optique/core/constructs";
import { message, text } from "@optique/core/message";
import { multiple, optional, withDefault } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { argument, command, constant, option } from "@optique/core/primitives";
import { choice, integer, string } from "@optique/core/valueparser";

const settings = object("Settings", {
  set: multiple(option("--set", string({ metavar: "NAME=VALUE" }), {
    description: message`Overrides a setting, for example params.output=/tmp/x or epoch.records_max=10. May be repeated.`,
  })),
  envFile: optional(option("--env-file", string({ metavar: "FILE" }), {
    description: message`Reads further environment variables from a file; the environment wins.`,
  })),
  json: option("--json", { description: message`Prints results as JSON on standard output.` }),
});
const running = object("Running", {
  rerun: option("--rerun", { description: message`Starts a new run even when the last one is done.` }),
  quiet: option("-q", "--quiet", { description: message`Prints no progress.` }),
});
const stopping = object("Stopping", {
  for: optional(option("--for", string({ metavar: "DURATION" }), {
    description: message`Stops after that long, for example 30s; what was received until then is processed.`,
  })),
  count: optional(option("--count", integer({ min: 1, metavar: "N" }), {
    description: message`Stops after so many records; what was received until then is processed.`,
  })),
});
const leaving = object("Leaving", {
  stopWithin: optional(option("--stop-within", string({ metavar: "DURATION" }), {
    description:
      message`How long the open epoch may take to complete after SIGTERM or Ctrl+C; then it leaves with 1, and the next start completes it. Default: stop_within of the project, else 25s. A second signal leaves at once.`,
  })),
});
const watching = object("Watching", {
  dashboard: optional(option("--dashboard", string({ metavar: "[HOST:PORT]" }), {
    description:
      message`Shows the run on a page, with metrics beside it. Alone: on 127.0.0.1:8089; any other machine's address asks for a token.`,
  })),
  dashboardTokenFile: optional(option("--dashboard-token-file", string({ metavar: "FILE" }), {
    description: message`Holds the token that readers of the page must have; else MILLRACE_DASHBOARD_TOKEN does.`,
  })),
  stay: option("--stay", { description: message`Leaves the page there when the run has ended, until Ctrl+C.` }),
  log: optional(option("--log", choice(["text", "json"], { metavar: "FORMAT" }), {
    description: message`How log events are written on standard error. Default: as in MILLRACE_LOG, else text.`,
  })),
  logLevel: optional(option("--log-level", choice(["debug", "info", "warning", "error"], { metavar: "LEVEL" }), {
    description: message`The least that is logged. Default: as in MILLRACE_LOG, else warning.`,
  })),
});
const project = withDefault(
  option("-c", "--config", string({ metavar: "PROJECT" }), {
    description: message`The project folder or one TOML file. Default: the current folder.`,
  }),
  ".",
);
const path = argument(string({ metavar: "PATH" }), { description: message`A project folder or one TOML file.` });
const pipelines = multiple(argument(string({ metavar: "PIPELINE" }), { description: message`Only these pipelines; default: all.` }));

const run = command("run", merge(object({ command: constant("run"), path, pipelines }), running, stopping, leaving, watching, settings), {
  brief: message`Runs the pipelines of a project.`,
  description:
    message`Runs bounded pipelines in the order of their "after", unbounded ones together, until their input ends or SIGTERM comes. A bounded run that is done is not done again unless --rerun is given.`,
});
/** The commands by layer: the same engine, choosing pipelines by their kind and name. */
const layer = <K extends "load" | "produce" | "stream" | "batch">(kind: K, what: string, names: string) =>
  command(
    kind,
    merge(
      object({
        command: constant("layer"),
        kind: constant(kind),
        names: multiple(argument(string({ metavar: "NAME" }), { description: message`${text(names)}` })),
        path: project,
      }),
      running,
      stopping,
      leaving,
      watching,
      settings,
    ),
    { brief: message`${text(what)}`, description: message`${text(what)} These are the project's pipelines of kind "${kind}".` },
  );
const load = layer("load", "Loads data into the serving tables.", "Which loads: NAME or load-NAME, for example initial. Default: all.");
const produce = layer("produce", "Produces records into topics.", "Which producers. Default: all.");
const stream = layer("stream", "Processes streams as they arrive.", "Which streams. Default: all.");
const batch = layer("batch", "Runs batch jobs.", "Which jobs. Default: all.");

const serve = command(
  "serve",
  merge(
    object({
      command: constant("serve"),
      kind: constant("serve"),
      names: multiple(argument(string({ metavar: "NAME" }), { description: message`Which servers. Default: all.` })),
      path: project,
      listen: optional(option("--listen", string({ metavar: "HOST:PORT" }), {
        description: message`Where to listen instead; port 0 takes any free one and prints it.`,
      })),
      rate: optional(option("--rate", string({ metavar: "N" }), {
        description: message`Records per second and client instead: 100, 0.1, 30/m, or max.`,
      })),
      for: optional(option("--for", string({ metavar: "DURATION" }), { description: message`Stops after that long, for example 30s.` })),
    }),
    running,
    leaving,
    watching,
    settings,
  ),
  {
    brief: message`Serves streams to whoever connects.`,
    description: message`Serves streams over TCP until Ctrl+C. These are the project's pipelines of kind "serve".`,
  },
);

const client = command(
  "client",
  merge(
    object({
      command: constant("client"),
      address: argument(string({ metavar: "HOST:PORT" }), { description: message`The feed.` }),
      path: optional(option("-c", "--config", string({ metavar: "PROJECT" }), {
        description: message`Checks records by this project's schema. Default: only that each line is a JSON object.`,
      })),
      schema: optional(
        option("--schema", string({ metavar: "NAME" }), { description: message`Which schema, where the project has several.` }),
      ),
      count: optional(option("--count", integer({ min: 1, metavar: "N" }), { description: message`Stops after so many records.` })),
      seconds: optional(option("--seconds", integer({ min: 1, metavar: "S" }), { description: message`Stops after so many seconds.` })),
      check: option("--check", { description: message`For health checks: prints no records and stops after one, or as told.` }),
    }),
    settings,
  ),
  {
    brief: message`Looks at a TCP feed.`,
    description:
      message`Prints a feed's records as they come, checks each, and says how fast they came and what was wrong. Exits with 1 when a record was wrong, the stream broke off, or nothing came.`,
  },
);

const top = command(
  "top",
  merge(
    object({
      command: constant("top"),
      target: withDefault(
        argument(string({ metavar: "PROJECT|HOST:PORT" }), {
          description: message`A project that runs on this machine, or where a --dashboard is. Default: the current folder.`,
        }),
        ".",
      ),
      tokenFile: optional(option("--token-file", string({ metavar: "FILE" }), {
        description: message`Holds the token of a dashboard that asks for one; else MILLRACE_DASHBOARD_TOKEN does.`,
      })),
    }),
    settings,
  ),
  {
    brief: message`Shows running pipelines in the terminal.`,
    description:
      message`Shows what running pipelines do, once per second: q quits, left and right choose the pipeline. With --json, or without a terminal, prints it once.`,
  },
);

const connect = option("--connect", {
  description:
    message`Also asks the servers, changing nothing: their versions, and whether tables and topics are as the project wants them.`,
});
const check = command("check", merge(object({ command: constant("check"), path, connect }), settings), {
  brief: message`Checks a project without running it.`,
  description:
    message`Reports every fault of the configuration at once, with file, line and column, and says for each path from source to sink what it guarantees, its weakest link and what would strengthen it.`,
});
const plan = command("plan", merge(object({ command: constant("plan"), path, pipelines }), settings), {
  brief: message`Says what the next start keeps of what was run before.`,
  description:
    message`Compares the configuration with what the checkpoints are of: what has changed, which state is kept, and whether the next start goes on, starts over or would be refused, and why. Changes nothing; exits with 1 where a start would be refused.`,
});
const stateActions = argument(choice(["ls", "check", "show", "export", "reset"], { metavar: "ls|check|show|export|reset" }), {
  description:
    message`ls: lanes with epoch, positions, watermarks and tables. check: reads all of it and says whether it is whole. show: what is kept for one key. export: all that is kept, a JSON object a line. reset: forgets the run and its state.`,
});
const stateOptions = object("State", {
  node: optional(option("--node", string({ metavar: "NODE" }), { description: message`show, export: only this node's state.` })),
  key: multiple(option("--key", string({ metavar: "KEY" }), {
    description: message`show: the key; of several parts one after the other.`,
  })),
  yes: option("--yes", { description: message`reset: does it. Without it, says what it would mean.` }),
});
const state = command(
  "state",
  merge(object({ command: constant("state"), action: stateActions, path, pipelines }), stateOptions, settings),
  {
    brief: message`Looks into the checkpoints of a project, or resets them.`,
    description:
      message`Says what the checkpoints of pipelines hold that are not running, and whether they are whole; check exits with 1 where something is wrong. Only reset with --yes changes anything: outputs stay, and the next start begins another run, as with --rerun.`,
  },
);
const rejectsActions = argument(choice(["ls", "show"], { metavar: "ls|show" }), {
  description: message`ls: how many records were refused, by reason and source. show: each with its place, reason and bytes.`,
});
const rejectsOptions = object("Rejects", {
  reason: optional(option("--reason", string({ metavar: "REASON" }), { description: message`Only this reason, for example type:amount.` })),
  source: optional(option("--source", string({ metavar: "SOURCE" }), { description: message`Only records of this source.` })),
  last: optional(option("--last", integer({ min: 1, metavar: "N" }), { description: message`show: only the last N of each pipeline.` })),
});
const rejects = command(
  "rejects",
  merge(object({ command: constant("rejects"), action: rejectsActions, path, pipelines }), rejectsOptions, settings),
  {
    brief: message`Looks at the records that were refused.`,
    description:
      message`Reads the rejects where the project's sinks keep them: in the state folder, in files, in the embedded log and in SQLite. Fields with a tag, and what could be an account's number, are hidden. Changes nothing.`,
  },
);
const redrive = command(
  "redrive",
  merge(
    object({
      command: constant("redrive"),
      path,
      pipeline: argument(string({ metavar: "PIPELINE" }), { description: message`Whose rejects.` }),
      reason: optional(option("--reason", string({ metavar: "REASON" }), { description: message`Only those of this reason.` })),
    }),
    settings,
  ),
  {
    brief: message`Sends refused records through again.`,
    description:
      message`After a fix: puts the rejects of a pipeline that follows an endless source in front of what its next start reads. Each goes through once for each time that it was refused, and may be refused again. Exits with 1 where some cannot go through again, and says why.`,
  },
);
const test = command("test", merge(object({ command: constant("test"), path, pipelines }), settings), {
  brief: message`Runs the [[tests]] of a project.`,
});
const prove = command(
  "prove",
  merge(
    object({
      command: constant("prove"),
      path,
      kills: withDefault(option("--kills", integer({ min: 1, metavar: "N" }), { description: message`How many kills. Default: 20.` }), 20),
      minutes: optional(option("--minutes", integer({ min: 1, metavar: "M" }), { description: message`How long instead.` })),
      seed: withDefault(
        option("--seed", integer({ min: 0, metavar: "S" }), {
          description: message`The same seed gives the same input and the same kills. Default: 1.`,
        }),
        1,
      ),
      records: withDefault(
        option("--records", integer({ min: 1, metavar: "N" }), {
          description: message`Of each input file: so many are taken, or made where there is none. Default: 400.`,
        }),
        400,
      ),
      quiet: option("-q", "--quiet", { description: message`Prints no progress.` }),
    }),
    settings,
  ),
  {
    brief: message`Proves that a project is exactly-once.`,
    description:
      message`Runs the project in a folder of its own, kills it at the steps of its protocol again and again, and compares every sink with undisturbed runs. Nothing of the project is touched. Exits with 1 when a row was lost, doubled or out of order.`,
  },
);
const generate = command(
  "generate",
  object({
    command: constant("generate"),
    what: argument(string({ metavar: "WHAT" }), { description: message`What to generate; an unknown word lists what there is.` }),
    output: optional(option("-o", "--output", string({ metavar: "FOLDER" }), { description: message`Where to. Default: datasets/WHAT.` })),
    customers: optional(
      option("--customers", integer({ min: 1, metavar: "N" }), { description: message`How many customers. Default: as in datasets/WHAT.` }),
    ),
    transactions: optional(option("--transactions", integer({ min: 1, metavar: "M" }), { description: message`How many transactions.` })),
    seed: optional(option("--seed", integer({ min: 0, metavar: "S" }), { description: message`The same seed gives the same bytes.` })),
    json: option("--json", { description: message`Prints what was written as JSON.` }),
  }),
  { brief: message`Makes data sets from a seed.` },
);
const schema = command("schema", object({ command: constant("schema") }), {
  brief: message`Prints the JSON Schema of configuration files, for editors.`,
});

/** Those that run pipelines; `or` takes fifteen at most. */
const runs = or(run, load, produce, stream, batch, serve, client, top);
const looks = or(check, plan, state, rejects, redrive, test, prove, generate, schema);
export const grammar = or(runs, looks);
export type Command = InferValue<typeof grammar>;
export type RunCommand = Extract<Command, { command: "run" }>;
export type LayerCommand = Extract<Command, { command: "layer" }>;
export type ServeCommand = Extract<Command, { command: "serve" }>;
export type ClientCommand = Extract<Command, { command: "client" }>;
export type TopCommand = Extract<Command, { command: "top" }>;
export type CheckCommand = Extract<Command, { command: "check" }>;
export type PlanCommand = Extract<Command, { command: "plan" }>;
export type StateCommand = Extract<Command, { command: "state" }>;
export type RejectsCommand = Extract<Command, { command: "rejects" }>;
export type RedriveCommand = Extract<Command, { command: "redrive" }>;
export type TestCommand = Extract<Command, { command: "test" }>;
export type ProveCommand = Extract<Command, { command: "prove" }>;
export type GenerateCommand = Extract<Command, { command: "generate" }>;
