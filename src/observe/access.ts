/**
 * Who may read. On this machine's own addresses anybody who is on it; elsewhere whoever has the token. A browser is only answered under
 * a name that belongs to the listener, so that no page of another site can read through it (DNS rebinding).
 */
import { createHash, timingSafeEqual } from "node:crypto";

export interface Access {
  /** null: none is asked for. */
  readonly token: string | null;
  /** Hosts under which the listener answers browsers; null: any, since a token is asked for. */
  readonly hosts: ReadonlySet<string> | null;
}

/** Shorter tokens can be guessed. */
export const TOKEN_LENGTH_MIN = 16;

/** Addresses that only this machine reaches. */
export const isLoopback = (host: string): boolean => host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/.test(host);

/** What a listener on `host` asks for. */
export function accessOf(host: string, token: string | null): Access {
  return { token, hosts: isLoopback(host) ? new Set(["localhost", "127.0.0.1", "[::1]", host]) : null };
}

/** null when the request may be answered; else how it is refused. */
export function refusal({ token, hosts }: Access, request: Request): Response | null {
  const host = request.headers.get("host") ?? "";
  const name = host.replace(/:\d+$/, "").toLowerCase();
  if (hosts !== null && !hosts.has(name)) return text(403, "this name is not one of the listener's\n");
  const origin = request.headers.get("origin");
  if (origin !== null && originHost(origin) !== host.toLowerCase()) return text(403, "another site may not read this\n");
  if (token === null || isEqual(tokenOf(request), token)) return null;
  return new Response("a token is asked for\n", { status: 401, headers: { "www-authenticate": 'Bearer realm="millrace"' } });
}

/** The cookie that a browser gets for its token. */
export const TOKEN_COOKIE = "millrace_token";

/** From the Authorization header, or from the page's cookie: an event stream cannot send headers. */
export function tokenOf(request: Request): string {
  const bearer = /^Bearer (\S+)$/i.exec(request.headers.get("authorization") ?? "");
  if (bearer) return bearer[1];
  const cookies = (request.headers.get("cookie") ?? "").split(/;\s*/);
  const found = cookies.find((cookie) => cookie.startsWith(`${TOKEN_COOKIE}=`));
  if (!found) return "";
  try {
    return decodeURIComponent(found.slice(TOKEN_COOKIE.length + 1));
  } catch {
    return "";
  }
}

/** In a time that tells nothing of where they differ, nor of their lengths. */
export function isEqual(given: string, wished: string): boolean {
  const digest = (value: string): Uint8Array => createHash("sha256").update(value).digest();
  return timingSafeEqual(digest(given), digest(wished));
}

/** null: none that could be a listener's, as of a file. */
function originHost(origin: string): string | null {
  return URL.parse(origin)?.host || null;
}

const text = (status: number, body: string): Response => new Response(body, { status, headers: { "content-type": "text/plain" } });
