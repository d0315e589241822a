/**
 * Real servers for tests: containers where an engine answers, else on Debian as root processes of our own from Debian's and
 * Maven's packages, downloaded once. Invariant: where neither can be had, the tests say so by name, and under CI=true fail.
 */
import { type ClickhouseServer, clickhouseServer, lackingClickhouse } from "./clickhouse_server.ts";
import { composeAnswers, composeService } from "./compose.ts";
import { denokvServer, type KvServer, lackingDenokv } from "./denokv.ts";
import { cacheFolder, instanceOf, underLock } from "./instance.ts";
import { downloadKafka, kafka, KAFKA_USER } from "./kafka_broker.ts";
import { makeTestUser, mariadb, mariadbAdmin, mariadbUrl, userStatements } from "./mariadb.ts";
import { clientWords, makeTestUser as makePostgresUser, postgres, postgresAdmin, postgresUrl } from "./postgres.ts";
import { aptInstall, cannotInstall, hasProgram } from "./run_command.ts";

export type { ClickhouseServer } from "./clickhouse_server.ts";
export { DownloadFailed } from "./run_command.ts";

export interface TestServer {
  /** An orderly stop; the data stay. Does nothing when it is stopped. */
  stop(): Promise<void>;
  /** Does nothing when it runs. Same address as before. */
  start(): Promise<void>;
}
export interface KafkaBroker extends TestServer {
  /** "host:port". */
  readonly brokers: string;
  /** The same broker where it wants TLS, a login, or both; null in a container. */
  readonly guarded: GuardedBroker | null;
}
export interface GuardedBroker {
  readonly tls: string;
  readonly login: string;
  readonly both: string;
  readonly username: string;
  readonly password: string;
  /** The certificate that the broker shows. */
  readonly caFile: string;
}
export interface MysqlServer extends TestServer {
  /** With user, password and database; the user may do anything in databases whose names begin with "millrace". */
  readonly url: string;
  /** Runs SQL as the administrator. */
  admin(sql: string): Promise<void>;
  /** Rows as the administrator's client prints them: text, NULL for null; by another client than the product's. */
  rows(sql: string): Promise<string[][]>;
}
export interface PostgresServer extends TestServer {
  /** With user, password and database; the user may make databases. */
  readonly url: string;
  /** The certificate that the server shows, where it offers TLS; it is for "localhost". */
  readonly caFile: string | null;
  /** Runs SQL as the administrator; default: in the database "postgres". */
  admin(sql: string, database?: string): Promise<void>;
  /** Rows as the administrator's client prints them: text, NULL for null; by another client than the product's. */
  rows(sql: string, database?: string): Promise<string[][]>;
}
export interface Skipped {
  readonly skipped: string;
}
export type ServerName = "kafka" | "mysql" | "postgres" | "denokv" | "clickhouse";
export interface Servers {
  readonly kafka: KafkaBroker;
  readonly mysql: MysqlServer;
  readonly postgres: PostgresServer;
}
/** With those that only a few tests need. */
export interface AllServers extends Servers {
  readonly denokv: KvServer;
  readonly clickhouse: ClickhouseServer;
}

/** A running broker, shared by the files of this test process; it ends with the process. */
export async function kafkaBroker(): Promise<KafkaBroker | Skipped> {
  const skipped = await lacking("kafka");
  if (skipped !== null) return { skipped };
  if (await composeAnswers()) {
    const { port, start, stop } = await composeService("kafka");
    return { brokers: `127.0.0.1:${port}`, guarded: null, start, stop };
  }
  await underLock(`${cacheFolder()}/services/install.lock`, async () => {
    if (!(await hasProgram("java")) || !(await hasProgram("mvn"))) await aptInstall("default-jre-headless", "maven");
    await downloadKafka();
  });
  const { folder, facts, start, stop } = await instanceOf(kafka);
  const guarded: GuardedBroker = {
    tls: `localhost:${facts.tlsPort}`,
    login: `127.0.0.1:${facts.loginPort}`,
    both: `localhost:${facts.bothPort}`,
    username: KAFKA_USER,
    password: facts.password,
    caFile: `${folder}/server.crt`,
  };
  return { brokers: `127.0.0.1:${facts.port}`, guarded, start, stop };
}

/** A running MySQL or MariaDB, shared by the files of this test process; it ends with the process. */
export async function mysqlServer(): Promise<MysqlServer | Skipped> {
  const skipped = await lacking("mysql");
  if (skipped !== null) return { skipped };
  if (await composeAnswers()) {
    const { port, password, start, stop, exec } = await composeService("mysql");
    const sql = (text: string) => exec("mysql", "--batch", "--skip-column-names", "--user=root", "-e", text);
    await sql(userStatements(password));
    return { url: `mysql://millrace:${password}@127.0.0.1:${port}/millrace`, start, stop, ...clientOf(sql) };
  }
  await underLock(`${cacheFolder()}/services/install.lock`, async () => {
    if (!(await hasProgram("mariadbd"))) await aptInstall("mariadb-server");
  });
  const instance = await instanceOf(mariadb);
  await makeTestUser(instance);
  return { url: mariadbUrl(instance), start: instance.start, stop: instance.stop, ...clientOf((sql) => mariadbAdmin(instance, sql)) };
}

/** A running PostgreSQL, shared by the files of this test process; it ends with the process. */
export async function postgresServer(): Promise<PostgresServer | Skipped> {
  const skipped = await lacking("postgres");
  if (skipped !== null) return { skipped };
  if (await composeAnswers()) {
    const { port, password, start, stop, exec } = await composeService("postgres");
    const run = (sql: string, database = "finflow") => exec("psql", "-U", "finflow", ...clientWords(database, sql));
    return { url: `postgres://finflow:${password}@127.0.0.1:${port}/finflow`, caFile: null, start, stop, ...databaseClientOf(run) };
  }
  await underLock(`${cacheFolder()}/services/install.lock`, async () => {
    if (!(await hasPostgres())) await aptInstall("postgresql");
  });
  const instance = await instanceOf(postgres);
  await makePostgresUser(instance);
  const { facts, start, stop } = instance;
  const run = (sql: string, database?: string) => postgresAdmin(facts, sql, database);
  return { url: postgresUrl(instance), caFile: `${facts.home}/server.crt`, start, stop, ...databaseClientOf(run) };
}

const hasPostgres = (): Promise<boolean> => Deno.stat("/usr/lib/postgresql").then(() => true, () => false);

function databaseClientOf(run: (sql: string, database?: string) => Promise<string>): Pick<PostgresServer, "admin" | "rows"> {
  return { admin: async (sql, database) => void await run(sql, database), rows: async (sql, database) => rowsOf(await run(sql, database)) };
}
const rowsOf = (printed: string): string[][] => printed.split("\n").filter((line) => line !== "").map((line) => line.split("\t"));

function clientOf(run: (sql: string) => Promise<string>): Pick<MysqlServer, "admin" | "rows"> {
  return {
    admin: async (sql) => void await run(sql),
    rows: async (sql) => rowsOf(await run(sql)),
  };
}

const PROGRAMS: Readonly<Record<Exclude<ServerName, "denokv" | "clickhouse">, readonly string[]>> = {
  kafka: ["java", "mvn"],
  mysql: ["mariadbd", "mariadb-install-db", "mariadb"],
  postgres: ["psql", "openssl", "setpriv"],
};

/** Why a server cannot be had here, without starting it; null when it can. Under CI=true that is an error. */
export async function lacking(server: ServerName): Promise<string | null> {
  if (server === "denokv") return await lackingDenokv();
  if (server === "clickhouse") return lackingClickhouse();
  if (await composeAnswers()) return null;
  const there = await Promise.all([...PROGRAMS[server].map(hasProgram), ...(server === "postgres" ? [hasPostgres()] : [])]);
  const reason = Deno.build.os === "linux" && there.every(Boolean) ? null : await cannotInstall();
  if (reason === null) return null;
  const skipped = `no ${server}: no container engine answers, and ${reason}`;
  if (Deno.env.get("CI") === "true") throw new Error(skipped);
  return skipped;
}

const START: { readonly [name in ServerName]: () => Promise<AllServers[name] | Skipped> } = {
  kafka: kafkaBroker,
  mysql: mysqlServer,
  postgres: postgresServer,
  denokv: denokvServer,
  clickhouse: clickhouseServer,
};

/**
 * A test that needs servers. Where they cannot be had, a test that says so by name stands in its place; it never passes
 * silently under CI, where `lacking` throws.
 */
export async function withServers<const S extends ServerName>(
  name: string,
  wanted: readonly S[],
  body: (servers: Pick<AllServers, S>, test: Deno.TestContext) => Promise<void>,
): Promise<void> {
  const reasons = (await Promise.all(wanted.map(lacking))).filter((reason) => reason !== null);
  if (reasons.length > 0) return Deno.test(`SKIPPED (${reasons.join("; ")}): ${name}`, () => {});
  Deno.test(name, async (test) => {
    const servers: Partial<Record<ServerName, AllServers[ServerName]>> = {};
    for (const server of wanted) {
      const started = await START[server]();
      if ("skipped" in started) throw new Error(started.skipped);
      servers[server] = started;
    }
    await body(servers as Pick<AllServers, S>, test);
  });
}
