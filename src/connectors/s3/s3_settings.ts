/** The connection `s3` and the paths `s3://BUCKET/PREFIX` as values. */
import type { ConnectionSpec, PlanContext } from "../../component/component.ts";
import type { SettingGroup } from "../../component/settings.ts";
import { TEST_SETTING } from "../proof_setting.ts";
import { ownPrefix } from "./proof.ts";

export interface S3Connection {
  /** Without a slash at the end; null for Amazon's own of the region. */
  readonly endpoint: string | null;
  readonly region: string;
  readonly accessKeyId: string;
  /** Exactly one of the two is given. */
  readonly secretAccessKey: string | null;
  readonly secretAccessKeyFile: string | null;
  readonly sessionToken: string | null;
  readonly pathStyle: boolean;
  readonly requestTimeoutMs: number;
}
export interface S3Target {
  readonly bucket: string;
  /** "" or ending in a slash. */
  readonly prefix: string;
  /** Null: what the variables of the environment say. */
  readonly connection: S3Connection | null;
}

export const s3Connection: ConnectionSpec = {
  role: "connection",
  type: "s3",
  summary: "An object store that speaks S3, for file sinks whose path begins with `s3://`.",
  notes: `The bucket must exist. Needed are the rights to put, get, list and delete objects and to abort multipart uploads. Requests are
signed (AWS Signature Version 4) with a checksum of what is sent, tried again with growing pauses, and given up after \`request_timeout\`
each. Keys and tokens never appear in messages.`,
  settings: {
    kind: "group",
    doc: "An object store.",
    fields: {
      endpoint: { kind: "text", optional: true, doc: 'For example "http://127.0.0.1:9000". Default: Amazon\'s of the region.' },
      region: { kind: "text", default: "us-east-1", doc: "The region that requests are signed for." },
      access_key_id: { kind: "text", doc: "The name of the access key." },
      secret_access_key: { kind: "text", optional: true, secret: true, doc: "The secret access key." },
      secret_access_key_file: { kind: "text", optional: true, doc: "A file that holds the secret access key, instead." },
      session_token: { kind: "text", optional: true, secret: true, doc: "For temporary keys." },
      path_style: {
        kind: "bool",
        default: true,
        doc: "Whether the bucket stands in the path (`endpoint/bucket/key`) or in front of the host's name.",
      },
      request_timeout: { kind: "duration", default: "60s", doc: "How long one request may take." },
      test: TEST_SETTING,
    },
  },
  examples: [{
    title: "A store on this machine",
    toml:
      `[connections.store]\ntype              = "s3"\nendpoint          = "http://127.0.0.1:9000"\naccess_key_id     = "lake"\nsecret_access_key = "\${S3_SECRET:-only-for-trying}"\n`,
  }],
};

/** Null when faults were reported. */
export function s3Target(context: PlanContext, path: string): S3Target | null {
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(path);
  if (!match) {
    context.fault(
      context.settings.at("path"),
      `"${path}" names no bucket`,
      'write "s3://BUCKET/PREFIX"; buckets have small letters, digits and -',
    );
    return null;
  }
  const prefix = ownPrefix(context, (match[2] ?? "").replace(/^\/+|\/+$/g, "")).replace(/\/+$/, "");
  const { connection: group } = context;
  const connection = group ? readConnection(group, context) : null;
  if (group && !connection) return null;
  return { bucket: match[1], prefix: prefix === "" ? "" : `${prefix}/`, connection };
}

function readConnection(group: SettingGroup, context: PlanContext): S3Connection | null {
  const endpoint = group.has("endpoint") ? group.text("endpoint").replace(/\/+$/, "") : null;
  if (endpoint !== null && !isEndpoint(endpoint)) {
    context.fault(group.at("endpoint"), "an endpoint is a URL of a host, with no path", 'for example "https://s3.example.com"');
    return null;
  }
  if (group.has("secret_access_key") === group.has("secret_access_key_file")) {
    const hint = 'for example secret_access_key = "${S3_SECRET}"';
    context.fault(group.span, "s3 needs a secret_access_key or a secret_access_key_file, one of them", hint);
    return null;
  }
  return {
    endpoint,
    region: group.text("region"),
    accessKeyId: group.text("access_key_id"),
    secretAccessKey: group.has("secret_access_key") ? group.text("secret_access_key") : null,
    secretAccessKeyFile: group.has("secret_access_key_file") ? group.text("secret_access_key_file") : null,
    sessionToken: group.has("session_token") ? group.text("session_token") : null,
    pathStyle: group.bool("path_style"),
    requestTimeoutMs: group.number("request_timeout"),
  };
}

const isEndpoint = (text: string): boolean => /^https?:\/\/[^/?#@\s]+$/.test(text) && URL.canParse(text);
