/**
 * ClickHouse's HTTP interface over the engine: as much of it as clients use that insert, ask and change. Every request is a session of its
 * own, with the settings and parameters of its URL.
 *
 *     deno run -A facade.ts LIBRARY FOLDER PORT PASSWORD
 *
 * Users, all with the password: "default" and "millrace" may do anything, "reader" only read, and "small"
 * gets no memory to insert with.
 */
import { Engine, type Session } from "./engine.ts";

const [library, folder, port, password] = Deno.args;
const engine = new Engine(library, `${folder}data`);
let bodies = 0;

/** Parameters of a URL that are no settings of the query. */
const NOT_SETTINGS = new Set([
  "query",
  "query_id",
  "database",
  "default_format",
  "session_id",
  "session_timeout",
  "session_check",
  "compress",
  "decompress",
  "enable_http_compression",
  "role",
  "send_progress_in_http_headers",
  "http_headers_progress_interval_ms",
  "wait_end_of_query",
  "buffer_size",
  "user",
  "password",
]);
const literal = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
const identifier = (text: string): string => `\`${text.replaceAll("\\", "\\\\").replaceAll("`", "\\`")}\``;

class Denied extends Error {}

/** Who asks: by URL, by headers of ClickHouse's own, or as HTTP has it. */
function userOf(request: Request, url: URL): string {
  const basic = /^Basic (.+)$/.exec(request.headers.get("authorization") ?? "");
  const [basicUser, ...basicKey] = basic
    ? new TextDecoder().decode(Uint8Array.from(atob(basic[1]), (c) => c.charCodeAt(0))).split(":")
    : [];
  const user = url.searchParams.get("user") ?? request.headers.get("x-clickhouse-user") ?? basicUser ?? "default";
  const key = url.searchParams.get("password") ?? request.headers.get("x-clickhouse-key") ?? basicKey.join(":");
  if (key === password && ["default", "millrace", "reader", "small"].includes(user)) return user;
  throw new Denied(
    `Code: 516. DB::Exception: ${user}: Authentication failed: password is incorrect, or there is no user with such name. (AUTHENTICATION_FAILED)`,
  );
}

async function prepare(session: Session, url: URL, user: string): Promise<void> {
  const database = url.searchParams.get("database");
  if (database !== null) await session.ask(`USE ${identifier(database)}`);
  for (const [name, value] of url.searchParams) {
    if (name.startsWith("param_") || !NOT_SETTINGS.has(name)) await session.ask(`SET ${name} = ${literal(value)}`);
  }
  if (user === "reader") await session.ask("SET readonly = 1");
  if (user === "small") await session.ask("SET max_memory_usage = 2000000");
}

async function bodyOf(request: Request): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(await request.arrayBuffer());
  if (request.headers.get("content-encoding") !== "gzip") return bytes;
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer());
}

/** The rows of INSERT ... FORMAT come behind the statement, which the engine takes from a file. */
async function insert(session: Session, into: string, format: string, rows: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const path = `${folder}body-${++bodies}`;
  await Deno.writeFile(path, rows);
  try {
    return await session.ask(`INSERT INTO ${into} FROM INFILE ${literal(path)} COMPRESSION 'none' FORMAT ${format}`);
  } finally {
    await Deno.remove(path);
  }
}

async function answer(request: Request): Promise<Response> {
  const url = new URL(request.url);
  if (url.pathname === "/ping") return new Response("Ok.\n");
  const headers: Record<string, string> = { "X-ClickHouse-Query-Id": url.searchParams.get("query_id") ?? crypto.randomUUID() };
  let session: Session | null = null;
  try {
    const user = userOf(request, url);
    const body = await bodyOf(request);
    session = engine.connect();
    await prepare(session, url, user);
    const query = url.searchParams.get("query") ?? "";
    const inserting = /^\s*INSERT\s+INTO\s+([\s\S]+?)\s+FORMAT\s+(\w+)\s*$/i.exec(query);
    if (inserting) {
      // A cut body is a broken request, not fewer rows.
      const wanted = request.headers.get("content-length");
      if (wanted !== null && request.headers.get("content-encoding") === null && Number(wanted) !== body.length) {
        throw new Error("cut short");
      }
      return new Response(await insert(session, inserting[1], inserting[2], body), { headers });
    }
    const sql = [query, new TextDecoder().decode(body)].filter((part) => part !== "").join("\n").trim().replace(/;$/, "");
    return new Response(await session.ask(sql, url.searchParams.get("default_format") ?? "TabSeparated"), { headers });
  } catch (error) {
    const message = (error as Error).message;
    const code = /Code: (\d+)/.exec(message)?.[1] ?? "1002";
    const status = error instanceof Denied ? 403 : 500;
    return new Response(message, { status, headers: { ...headers, "X-ClickHouse-Exception-Code": code } });
  } finally {
    session?.close();
  }
}

Deno.serve({ port: Number(port), hostname: "127.0.0.1", onListen: () => console.log("listening") }, answer);
// The engine has threads of its own that an orderly exit would wait for; its parts are whole on the disk at any moment.
Deno.addSignalListener("SIGTERM", () => Deno.kill(Deno.pid, "SIGKILL"));
