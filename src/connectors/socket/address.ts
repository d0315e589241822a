/** HOST:PORT as text. */
import type { NetAddress } from "../../ports/mod.ts";

export const ADDRESS_FORM = "write HOST:PORT, for example 127.0.0.1:9999 or [::1]:9999";

/** null where the text is no address. Port 0 asks for any free one. */
export function parseAddress(text: string): NetAddress | null {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]]+)):(\d{1,5})$/.exec(text);
  if (!match) return null;
  const port = Number(match[3]);
  return port <= 65_535 ? { host: match[1] ?? match[2], port } : null;
}

export function formatAddress({ host, port }: NetAddress): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
