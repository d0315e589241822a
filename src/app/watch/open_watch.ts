/**
 * The watch of one command: listens where it is told to, and at a control socket beside the checkpoints, which `top` finds by itself.
 */
import { MillraceError } from "../../data/fault.ts";
import { accessOf, isLoopback, TOKEN_LENGTH_MIN } from "../../observe/access.ts";
import { CONTROL_SOCKET_AFTER_MS } from "../../observe/limits.ts";
import { readWhole } from "../../ports/durable.ts";
import type { HttpPlace, HttpServer, NetAddress, World } from "../../ports/mod.ts";
import type { PipelineBlueprint } from "../../project/contracts.ts";
import { parseAddress } from "../../connectors/socket/address.ts";
import { Watch } from "./watch.ts";

export { parseAddress } from "../../connectors/socket/address.ts";

/** Holds the token where no file does. */
export const TOKEN_VARIABLE = "MILLRACE_DASHBOARD_TOKEN";

export interface WatchWishes {
  /** HOST:PORT of the page; absent: there is none. */
  readonly dashboard?: string;
  readonly tokenFile?: string;
}
export interface OpenedWatch {
  readonly watch: Watch;
  /** The world whose log is watched. */
  readonly world: World;
  /** Where the page is; null: nowhere. */
  readonly address: NetAddress | null;
  close(): Promise<void>;
}

/** Throws a MillraceError where the page cannot be where it is wished. */
export async function openWatch(
  chosen: readonly PipelineBlueprint[],
  wishes: WatchWishes,
  options: {
    readonly world: World;
    readonly version: string;
    readonly stopping: AbortSignal;
    readonly mask: (text: string) => string;
  },
): Promise<OpenedWatch> {
  const { world } = options;
  const place = wishes.dashboard === undefined ? null : addressOf(wishes.dashboard);
  const token = await tokenFor(place, wishes, world);
  const watch = new Watch({ ...options, show: place ? "rows" : "counts" });
  watch.expect(chosen);
  const servers: HttpServer[] = [];
  const { http } = world;
  if (place && http) servers.push(await http.serve(place, watch.dashboard.handler(accessOf(place.host, token))));
  const address = servers.length > 0 ? servers[0].place as NetAddress : null;
  const closing = new AbortController();
  const control = openControl(chosen, watch, world, closing.signal);
  watch.start();
  return {
    watch,
    world: { ...world, log: watch.log },
    address,
    async close() {
      closing.abort();
      const server = await control;
      await watch.close();
      await Promise.all([...servers, ...(server ? [server] : [])].map((one) => one.close()));
    },
  };
}

function addressOf(text: string): NetAddress {
  const address = parseAddress(text);
  if (address) return address;
  throw new MillraceError("usage", `--dashboard ${text}: not an address`, { hint: `write HOST:PORT, for example 127.0.0.1:8089` });
}

/** Everybody on this machine may look at its own addresses; who listens elsewhere says who may. */
async function tokenFor(place: NetAddress | null, { tokenFile }: WatchWishes, { environment, files }: World): Promise<string | null> {
  const stored = tokenFile === undefined ? null : await readWhole(files, tokenFile);
  if (tokenFile !== undefined && stored === null) {
    throw new MillraceError("usage", `--dashboard-token-file ${tokenFile}: there is no such file`, { hint: "write a token into it first" });
  }
  const token = stored ? new TextDecoder().decode(stored).trim() : environment.get(TOKEN_VARIABLE)?.trim() ?? "";
  if (token !== "" && token.length < TOKEN_LENGTH_MIN) {
    throw new MillraceError("usage", `the dashboard's token is shorter than ${TOKEN_LENGTH_MIN} characters`, {
      hint: "make one with: openssl rand -hex 24",
    });
  }
  if (token !== "") return token;
  if (place === null || isLoopback(place.host)) return null;
  throw new MillraceError("usage", `--dashboard ${place.host}:${place.port} is reachable from other machines and needs a token`, {
    hint: `set ${TOKEN_VARIABLE}, or give --dashboard-token-file FILE; on 127.0.0.1 none is needed`,
  });
}

/** Short runs need none, and are not held up for it. Where there can be none, `top` finds nothing, and nothing else is lost. */
async function openControl(
  [first]: readonly PipelineBlueprint[],
  watch: Watch,
  { http, clock, files, random }: World,
  signal: AbortSignal,
): Promise<HttpServer | null> {
  await clock.sleep(CONTROL_SOCKET_AFTER_MS, signal);
  if (signal.aborted || !http || !first) return null;
  const folder = first.stateFolder;
  const socket = `${folder}/${CONTROL_PREFIX}${random.uint32().toString(16).padStart(8, "0")}.sock`;
  try {
    await files.makeFolder(folder);
    await removeDeserted(folder, { http, files });
    return await http.serve({ socket }, watch.dashboard.handler({ token: null, hosts: null }));
  } catch (error) {
    watch.log.event("debug", "control_unavailable", { reason: (error as Error).message });
    return null;
  }
}

const CONTROL_PREFIX = "control-";

/** The control sockets in a state folder, whoever may have left them. */
export async function controlSockets(folder: string, { files }: Pick<World, "files">): Promise<HttpPlace[]> {
  const names = (await files.list(folder)).filter((name) => name.startsWith(CONTROL_PREFIX) && name.endsWith(".sock"));
  return names.map((name) => ({ socket: `${folder}/${name}` }));
}

const ANSWER_TIMEOUT_MS = 500;

/** A process that was killed leaves its socket behind. */
async function removeDeserted(
  folder: string,
  { http, files }: Pick<World, "files"> & { readonly http: NonNullable<World["http"]> },
): Promise<void> {
  for (const place of await controlSockets(folder, { files })) {
    if (!("socket" in place)) continue;
    try {
      await http.get(place, "/live", {}, ANSWER_TIMEOUT_MS);
    } catch {
      await files.remove(place.socket); // Nobody is there.
    }
  }
}
