/** One Kafka broker in KRaft mode from the jars of Maven Central: own folder and ports, 127.0.0.1 only. */
import { cacheFolder, freePort, isListening, readText, type ServerProgram } from "./instance.ts";
import { download, mustRun } from "./run_command.ts";

const file = (name: string) => decodeURIComponent(new URL(`kafka/${name}`, import.meta.url).pathname);
/** Who may log in where a listener wants it. */
export const KAFKA_USER = "millrace";
const SMALL_JVM = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];

/** Downloads the broker's jars once. Parallel processes must hold a lock around it. */
export async function downloadKafka(): Promise<void> {
  const wanted = await Deno.readTextFile(file("pom.xml"));
  const folder = `${cacheFolder()}/kafka-broker`;
  if (await readText(`${folder}/pom.xml`) === wanted) return;
  await Deno.remove(folder, { recursive: true }).catch(() => {});
  await Deno.mkdir(folder, { recursive: true });
  const goal = ["dependency:copy-dependencies", `-DoutputDirectory=${folder}/libs`];
  await download("Kafka's jars from Maven Central", "mvn", ["-q", "-B", "-f", file("pom.xml"), ...goal]);
  // Last, so that a download cut short is done again.
  await Deno.writeTextFile(`${folder}/pom.xml`, wanted);
}

/** The server program for `instanceOf`. */
export const kafka: ServerProgram = {
  name: "kafka",
  async prepare(folder) {
    const ports: Ports = { plain: freePort(), controller: freePort(), tls: freePort(), login: freePort(), both: freePort() };
    const password = crypto.randomUUID().replaceAll("-", "");
    await makeCertificate(folder);
    await Deno.writeTextFile(`${folder}/server.properties`, properties(folder, ports) + guards(folder, password));
    const tool = java([...SMALL_JVM, `-Dlog4j2.configurationFile=${file("log4j2.properties")}`], "kafka.tools.StorageTool");
    const cluster = "bWlsbHJhY2UtdGVzdHMtMQ";
    const users = [256, 512].flatMap((bits) => ["--add-scram", `SCRAM-SHA-${bits}=[name=${KAFKA_USER},password=${password}]`]);
    await mustRun(tool[0], [...tool.slice(1), "format", "-t", cluster, "-c", `${folder}/server.properties`, ...users]);
    const { plain, tls, login, both } = ports;
    return { port: String(plain), tlsPort: String(tls), loginPort: String(login), bothPort: String(both), password };
  },
  command(folder) {
    const options = [...SMALL_JVM, "-Xms256m", "-Xmx512m", `-Dlog4j2.configurationFile=${file("log4j2.properties")}`];
    return Promise.resolve([...java(options, "kafka.Kafka"), `${folder}/server.properties`]);
  },
  async ready(folder, { port }) {
    // The port opens before requests are answered.
    return (await readText(`${folder}/server.log`) ?? "").includes("Kafka Server started") && await isListening(Number(port));
  },
};

function java(options: readonly string[], main: string): string[] {
  return ["java", ...options, "-cp", `${cacheFolder()}/kafka-broker/libs/*`, main];
}

interface Ports {
  readonly plain: number;
  readonly controller: number;
  /** Listeners that want TLS, a login, and both. */
  readonly tls: number;
  readonly login: number;
  readonly both: number;
}

/** A certificate of its own authority, with its key, for "localhost" and 127.0.0.1. */
async function makeCertificate(folder: string): Promise<void> {
  const files = ["-keyout", `${folder}/server.key`, "-out", `${folder}/server.crt`];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  await mustRun("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", ...files, ...subject]);
  const parts = await Promise.all(["server.key", "server.crt"].map((name) => Deno.readTextFile(`${folder}/${name}`)));
  await Deno.writeTextFile(`${folder}/server.pem`, parts.join(""));
}

function guards(folder: string, password: string): string {
  const module = (name: string, more = "") => `org.apache.kafka.common.security.${name}LoginModule required${more};`;
  const logins = ["login", "both"].map((listener) =>
    `listener.name.${listener}.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.${listener}.plain.sasl.jaas.config=${module("plain.Plain", ` user_${KAFKA_USER}="${password}"`)}
listener.name.${listener}.scram-sha-256.sasl.jaas.config=${module("scram.Scram")}
listener.name.${listener}.scram-sha-512.sasl.jaas.config=${module("scram.Scram")}
`
  );
  const encrypted = ["tls", "both"].map((listener) =>
    `listener.name.${listener}.ssl.keystore.type=PEM
listener.name.${listener}.ssl.keystore.location=${folder}/server.pem
`
  );
  return [...logins, ...encrypted].join("");
}

function properties(folder: string, { plain, controller, tls, login, both }: Ports): string {
  const open = `PLAINTEXT://127.0.0.1:${plain},TLS://localhost:${tls},LOGIN://127.0.0.1:${login},BOTH://localhost:${both}`;
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controller}
listeners=${open},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=${open}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,TLS:SSL,LOGIN:SASL_PLAINTEXT,BOTH:SASL_SSL
inter.broker.listener.name=PLAINTEXT
log.dirs=${folder}/data
auto.create.topics.enable=false
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=2
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=2
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
log.retention.ms=-1
log.segment.delete.delay.ms=1000
log.cleaner.dedupe.buffer.size=2097152
num.network.threads=2
num.io.threads=2
`;
}
