/**
 * PostgreSQL from Debian as an instance of our own: own folder, port and socket, 127.0.0.1 only, nothing of the system's. The server
 * refuses to be root, so for root it runs as the package's user, in a folder under /tmp that this user may enter.
 */
import { freePort, type Instance, isListening, type ServerProgram } from "./instance.ts";
import { mustRun, runCommand } from "./run_command.ts";

const USER = "millrace";
const DATABASE = "millrace";
const ADMIN = "postgres";

/** The server program for `instanceOf`. */
export const postgres: ServerProgram = {
  name: "postgres",
  // SIGTERM would wait until the last client has gone.
  stopSignal: "SIGINT",
  async prepare(folder) {
    const home = await Deno.makeTempDir({ prefix: "millrace-postgres-" });
    await Deno.writeTextFile(`${folder}/elsewhere`, home);
    const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
    const files = ["-keyout", `${home}/server.key`, "-out", `${home}/server.crt`];
    await mustRun("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", ...files, ...subject]);
    if (isRoot()) await mustRun("chown", ["-R", `${ADMIN}:${ADMIN}`, home]);
    const auth = ["--auth-local=trust", "--auth-host=scram-sha-256"];
    await runAsOwner(`${await programFolder()}/initdb`, [
      `--pgdata=${home}/data`,
      `--username=${ADMIN}`,
      ...auth,
      "-E",
      "UTF8",
      "--locale=C.UTF-8",
    ]);
    return { port: String(freePort()), home, password: crypto.randomUUID().replaceAll("-", "") };
  },
  async command(folder, { port, home }) {
    const settings = {
      port,
      listen_addresses: "127.0.0.1",
      unix_socket_directories: home,
      ssl: "on",
      ssl_cert_file: `${home}/server.crt`,
      ssl_key_file: `${home}/server.key`,
      max_wal_size: "512MB",
      // For changes out of its log.
      wal_level: "logical",
      shared_buffers: "128MB",
      // Only a name, by which the keeper knows whose server it is.
      "millrace.folder": `${folder}/`,
    };
    const program = [`${await programFolder()}/postgres`, "-D", `${home}/data`];
    return [...asOwner(), ...program, ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])];
  },
  async ready(_folder, facts) {
    return await isListening(Number(facts.port)) && (await runCommand("psql", client(facts, ADMIN, "SELECT 1"))).ok;
  },
};

/** The newest version's. */
async function programFolder(): Promise<string> {
  const versions = [];
  for await (const { name } of Deno.readDir("/usr/lib/postgresql")) versions.push(Number(name));
  return `/usr/lib/postgresql/${Math.max(...versions)}/bin`;
}

/** Makes the user and database of the tests; may be called again. */
export async function makeTestUser({ facts }: Instance): Promise<void> {
  if (await postgresAdmin(facts, `SELECT 1 FROM pg_roles WHERE rolname = '${USER}'`) === "") {
    await postgresAdmin(facts, `CREATE ROLE ${USER} LOGIN CREATEDB REPLICATION PASSWORD '${facts.password}'`);
    await postgresAdmin(facts, `CREATE DATABASE ${DATABASE} OWNER ${USER}`);
  }
}
/** SQL as the administrator: rows as tab-separated lines without a header. */
export function postgresAdmin(facts: Readonly<Record<string, string>>, sql: string, database = ADMIN): Promise<string> {
  return mustRun("psql", client(facts, database, sql));
}
/** The URL that the product is given. */
export function postgresUrl({ facts: { port, password } }: Instance): string {
  return `postgres://${USER}:${password}@127.0.0.1:${port}/${DATABASE}`;
}

/** psql's words for SQL whose rows are to be read by tests. */
export function clientWords(database: string, sql: string): string[] {
  const plain = ["-X", "-q", "-A", "-t", "-F", "\t", "-P", "null=NULL", "-v", "ON_ERROR_STOP=1"];
  return [...plain, "-d", database, "-c", sql];
}
const client = ({ home, port }: Readonly<Record<string, string>>, database: string, sql: string): string[] => [
  ...["-h", home, "-p", port, "-U", ADMIN],
  ...clientWords(database, sql),
];

const isRoot = (): boolean => Deno.uid() === 0;
const asOwner = (): string[] => isRoot() ? ["setpriv", `--reuid=${ADMIN}`, `--regid=${ADMIN}`, "--clear-groups", "--reset-env"] : [];
async function runAsOwner(program: string, args: readonly string[]): Promise<void> {
  const [first, ...rest] = [...asOwner(), program, ...args];
  await mustRun(first, rest);
}
