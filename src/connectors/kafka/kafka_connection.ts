/** The connection `kafka`: a cluster, how to reach it and how to log in. */
import { planKafkaExchange } from "./kafka_exchange.ts";
import { TEST_SETTING } from "../proof_setting.ts";
import type { ConnectionSpec } from "../../component/component.ts";

export const kafkaConnection: ConnectionSpec = {
  role: "connection",
  type: "kafka",
  summary: "A Kafka cluster.",
  notes: `Apache Kafka 3.5 and later, and what speaks its protocol. Where the brokers do not answer, sources and sinks wait for
them and say so (\`server_unreachable\` in the log) until they do, or the run is stopped.
Passwords appear in no message, log or file; a \`password_file\` is read when the pipeline starts.`,
  exchange: planKafkaExchange,
  settings: {
    kind: "group",
    doc: "A Kafka cluster.",
    fields: {
      brokers: {
        kind: "either",
        doc: 'Where to begin: "host:port", several separated by commas, or a list. The others are learned from them.',
        of: [{ kind: "text", doc: "Separated by commas." }, { kind: "text_list", doc: "One broker an entry." }],
      },
      client_id: { kind: "text", default: "millrace", doc: "The name under which the brokers' logs and quotas know this program." },
      tls: {
        kind: "choice",
        default: "off",
        doc: "Encryption.",
        choices: {
          off: "none",
          require: "encrypted, whoever answers",
          verify: "encrypted, and the broker's certificate must be valid for its name",
        },
      },
      ca_file: { kind: "text", optional: true, doc: "Certificates (PEM) that are trusted instead of the system's own." },
      sasl: {
        kind: "group",
        optional: true,
        doc: "How to log in.",
        fields: {
          mechanism: {
            kind: "choice",
            default: "SCRAM-SHA-512",
            doc: "The method.",
            choices: {
              PLAIN: "the password as it is: only together with tls",
              "SCRAM-SHA-256": "a proof of the password",
              "SCRAM-SHA-512": "a proof of the password",
            },
          },
          username: { kind: "text", doc: "The user." },
          password: { kind: "text", secret: true, optional: true, doc: "The password." },
          password_file: { kind: "text", optional: true, doc: "A file that holds the password alone." },
        },
      },
      connect_timeout: { kind: "duration", default: "5s", doc: "How long one attempt to connect and log in may take." },
      request_timeout: { kind: "duration", default: "30s", doc: "How long a broker may take to answer." },
      test: TEST_SETTING,
    },
  },
  examples: [{
    title: "A cluster that wants a password",
    toml: `[connections.bus]
type    = "kafka"
brokers = "\${KAFKA_BROKERS:-127.0.0.1:9092}"
tls     = "verify"
sasl    = { mechanism = "SCRAM-SHA-512", username = "app", password = "\${KAFKA_PASSWORD:-changeit}" }
`,
  }],
};
