/** HTTP, as far as watching needs it: a small server, and asking one. Requests and answers are those of the Fetch standard. */
import type { NetAddress } from "./net.ts";

/** A TCP address, or a Unix socket's path. */
export type HttpPlace = NetAddress | { readonly socket: string };

export interface HttpServer {
  /** The port is the chosen one where 0 was asked for. */
  readonly place: HttpPlace;
  /** Takes nothing new; streams under way are ended. */
  close(): Promise<void>;
}
/** What an answer was; bodies are UTF-8 text. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}
export interface Http {
  /** Throws a MillraceError "address_taken" or "address_unusable". A handler that throws is answered with 500. */
  serve(place: HttpPlace, handler: (request: Request) => Response | Promise<Response>): Promise<HttpServer>;
  /** One GET. Throws a MillraceError "unreachable" when nobody answers within `timeoutMs`. */
  get(place: HttpPlace, path: string, headers: Readonly<Record<string, string>>, timeoutMs: number): Promise<HttpAnswer>;
}
