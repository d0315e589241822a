/** MariaDB from Debian as an instance of our own: own folder, port and socket, 127.0.0.1 only, nothing of the system's. */
import { freePort, type Instance, isListening, type ServerProgram } from "./instance.ts";
import { mustRun, runCommand } from "./run_command.ts";

const USER = "millrace";
const DATABASE = "millrace";

/** The server program for `instanceOf`. */
export const mariadb: ServerProgram = {
  name: "mariadb",
  async prepare(folder) {
    const user = await operatingUser();
    await mustRun("mariadb-install-db", [
      "--no-defaults",
      `--user=${user}`,
      `--datadir=${folder}/data`,
      `--auth-root-socket-user=${user}`,
      "--skip-test-db",
    ]);
    // The kernel refuses longer socket paths.
    const isShort = folder.length < 100;
    const socket = isShort ? `${folder}/s` : `${await Deno.makeTempDir({ prefix: "millrace-mariadb-" })}/s`;
    return { port: String(freePort()), socket, password: crypto.randomUUID().replaceAll("-", "") };
  },
  async command(folder, { port, socket }) {
    return [
      "mariadbd",
      "--no-defaults",
      `--user=${await operatingUser()}`,
      `--datadir=${folder}/data`,
      `--port=${port}`,
      `--socket=${socket}`,
      "--bind-address=127.0.0.1",
      "--skip-name-resolve",
      "--local-infile=1",
      "--character-set-server=utf8mb4",
      "--innodb-log-file-size=64M",
      "--innodb-buffer-pool-size=256M",
      "--max-allowed-packet=64M",
      "--performance-schema=0",
    ];
  },
  async ready(_folder, { port, socket }) {
    return await isListening(Number(port)) && (await runCommand("mariadb", client(socket, "SELECT 1"))).ok;
  },
};

/** Makes the user and database of the tests; may be called again. */
export async function makeTestUser({ facts: { socket, password } }: Instance): Promise<void> {
  await mustRun("mariadb", client(socket, userStatements(password)));
}
/** SQL as root: rows as tab-separated lines without a header. */
export function mariadbAdmin({ facts: { socket } }: Instance, sql: string): Promise<string> {
  return mustRun("mariadb", client(socket, sql));
}
/** The URL that the product is given. */
export function mariadbUrl({ facts: { port, password } }: Instance): string {
  return `mysql://${USER}:${password}@127.0.0.1:${port}/${DATABASE}`;
}
/** A user that may do anything in databases called millrace..., and nothing elsewhere. */
export function userStatements(password: string): string {
  return `CREATE DATABASE IF NOT EXISTS ${DATABASE};
    CREATE USER IF NOT EXISTS '${USER}'@'%' IDENTIFIED BY '${password}';
    GRANT ALL ON \`${DATABASE}%\`.* TO '${USER}'@'%';`;
}

function client(socket: string, sql: string): string[] {
  return ["--no-defaults", `--socket=${socket}`, "--batch", "--skip-column-names", `--user=root`, "-e", sql];
}

async function operatingUser(): Promise<string> {
  return (await mustRun("id", ["-un"])).trim();
}
