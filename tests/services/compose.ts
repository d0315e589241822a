/**
 * The servers of deploy/compose, where a container engine answers. Same handles as for processes of our own: shared
 * by the files of this test process, removed with their data by the keeper.
 */
import { freePort, keepUntilWeEnd, processFolder, readText, underLock } from "./instance.ts";
import { download, mustRun, runCommand } from "./run_command.ts";

const file = (name: string) => decodeURIComponent(new URL(`../../deploy/compose/${name}`, import.meta.url).pathname);
const FILES = { kafka: file("cards.yaml"), mysql: file("cards.yaml"), postgres: file("banking.yaml") } as const;

export interface ComposeService {
  readonly port: string;
  readonly password: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Runs a program inside the container; gives its standard output. */
  exec(...words: readonly string[]): Promise<string>;
}

let answers: Promise<boolean> | null = null;

/** Whether containers can be run here; asked once. */
export function composeAnswers(): Promise<boolean> {
  return answers ??= (async () => (await runCommand("docker", ["info"])).ok && (await runCommand("docker", ["compose", "version"])).ok)();
}

/** A started service of the compose file. */
export async function composeService(service: keyof typeof FILES): Promise<ComposeService> {
  const kind = service === "postgres" ? "banking" : "cards";
  const project = `millrace-${kind}-${Deno.pid}`;
  const folder = await processFolder(`compose${kind}`);
  const lock = `${folder}.lock`;
  const facts = await underLock(lock, async () => {
    const known = await readText(`${folder}/facts.json`);
    if (known !== null) return JSON.parse(known) as Record<string, string>;
    await Deno.mkdir(folder, { recursive: true });
    const made = {
      KAFKA_PORT: String(freePort()),
      MYSQL_PORT: String(freePort()),
      POSTGRES_PORT: String(freePort()),
      MYSQL_PASSWORD: crypto.randomUUID().replaceAll("-", ""),
      POSTGRES_PASSWORD: crypto.randomUUID().replaceAll("-", ""),
      MYSQL_ROOT_PASSWORD: crypto.randomUUID().replaceAll("-", ""),
    };
    const env = Object.entries(made).map(([name, value]) => `${name}=${value}`);
    await keepUntilWeEnd(folder, ["env", ...env, "docker", "compose", "-p", project, "-f", FILES[service], "down", "-v"]);
    await Deno.writeTextFile(`${folder}/facts.json`, JSON.stringify(made));
    return made;
  });
  const compose = (...words: readonly string[]) =>
    mustRun("docker", ["compose", "-p", project, "-f", FILES[service], ...words], { env: facts });
  const start = async () => void await underLock(lock, () => compose("up", "-d", "--wait", service));
  await download(
    `the container image of ${service}`,
    "docker",
    ["compose", "-p", project, "-f", FILES[service], "pull", "-q", service],
    facts,
  );
  await start();
  return {
    port: { kafka: facts.KAFKA_PORT, mysql: facts.MYSQL_PORT, postgres: facts.POSTGRES_PORT }[service],
    password: service === "postgres" ? facts.POSTGRES_PASSWORD : facts.MYSQL_PASSWORD,
    start,
    stop: async () => void await underLock(lock, () => compose("stop", service)),
    exec: (...words) => compose("exec", "-T", "-e", `MYSQL_PWD=${facts.MYSQL_ROOT_PASSWORD}`, service, ...words),
  };
}
