/** One Kafka broker in KRaft mode from the jars of Maven Central: own folder and ports, 127.0.0.1 only. */
import { cacheFolder, freePort, isListening, readText, type ServerProgram } from "./instance.ts";
import { download, mustRun } from "./run_command.ts";

const file = (name: string) => decodeURIComponent(new URL(`kafka/${name}`, import.meta.url).pathname);
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
    const [port, controllerPort] = [freePort(), freePort()];
    await Deno.writeTextFile(`${folder}/server.properties`, properties(folder, port, controllerPort));
    const tool = java([...SMALL_JVM, `-Dlog4j2.configurationFile=${file("log4j2.properties")}`], "kafka.tools.StorageTool");
    const cluster = "bWlsbHJhY2UtdGVzdHMtMQ";
    await mustRun(tool[0], [...tool.slice(1), "format", "-t", cluster, "-c", `${folder}/server.properties`]);
    return { port: String(port) };
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

function properties(folder: string, port: number, controllerPort: number): string {
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controllerPort}
listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}
advertised.listeners=PLAINTEXT://127.0.0.1:${port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
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
