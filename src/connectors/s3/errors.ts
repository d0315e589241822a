/** What an object store answers, in our words. Invariant: nothing of a request, keys and signatures least, is in a message. */
import { MillraceError } from "../../data/fault.ts";
import { MESSAGE_LENGTH_MAX } from "./limits.ts";

/** A refusal as the store gave it. */
export interface Refusal {
  readonly status: number;
  /** S3's own code; "" where the answer had none. */
  readonly code: string;
  readonly message: string;
}

/** Reads the XML of an error. */
export function refusalOf(status: number, body: string): Refusal {
  return { status, code: textOf(body, "Code") ?? "", message: (textOf(body, "Message") ?? "").slice(0, MESSAGE_LENGTH_MAX) };
}

/** The text of the first element of that name. */
export function textOf(xml: string, name: string): string | null {
  const match = new RegExp(`<${name}(?: [^>]*)?>([^<]*)</${name}>`).exec(xml);
  return match && unescapeXml(match[1]);
}
/** The texts of all elements of that name, in their order. */
export function textsOf(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}(?: [^>]*)?>([^<]*)</${name}>`, "g"))].map((match) => unescapeXml(match[1]));
}

/** Whether the same request may succeed later: the store is busy, restarting or behind a gateway that is. */
export const isPassing = ({ status, code }: Refusal): boolean =>
  status >= 500 && status !== 501 || status === 429 || status === 408 || code === "RequestTimeout" || code === "SlowDown";

export function unreachable(endpoint: string, cause: unknown): MillraceError {
  return new MillraceError("s3_unreachable", `the object store at ${endpoint} does not answer`, {
    hint: "check `endpoint`, and that the store runs",
    retry: "wait",
    cause,
  });
}

export function refused(action: string, endpoint: string, refusal: Refusal): MillraceError {
  const { status, code, message } = refusal;
  const said = [code, message].filter((text) => text !== "").join(": ");
  const text = `${action} was refused by the object store at ${endpoint}: ${status}${said && ` ${said}`}`;
  return new MillraceError("s3_refused", text, { hint: hintOf(refusal), retry: isPassing(refusal) ? "wait" : "never" });
}

function hintOf({ status, code }: Refusal): string {
  switch (code) {
    case "NoSuchBucket":
      return "make the bucket first, or correct `path`";
    case "InvalidAccessKeyId":
    case "SignatureDoesNotMatch":
      return "check access_key_id, the secret and `region`";
    case "AccessDenied":
      return "the key needs the rights to put, get, list and delete objects and to abort multipart uploads";
    case "RequestTimeTooSkewed":
      return "this machine's clock and the store's differ by more than 15 minutes";
    case "PermanentRedirect":
    case "AuthorizationHeaderMalformed":
      return "the bucket is in another region: correct `region` or `endpoint`";
  }
  return status >= 500 ? "the store has a fault of its own" : "see the store's own log for why";
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function unescapeXml(text: string): string {
  return text.replaceAll(/&(#x?[0-9a-fA-F]+|\w+);/g, (whole, name: string) => {
    if (name.startsWith("#x")) return String.fromCodePoint(parseInt(name.slice(2), 16));
    if (name.startsWith("#")) return String.fromCodePoint(Number(name.slice(1)));
    return ENTITIES[name] ?? whole;
  });
}
