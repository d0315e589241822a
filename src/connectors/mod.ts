/** Every source, sink and connection of the binary. A new one adds its folder and its line here. */
import type { ConnectionSpec, SinkSpec, SourceSpec } from "../component/component.ts";
import { consoleSink } from "./console/console_sink.ts";
import { csvSink, ndjsonSink } from "./files/file_sink_spec.ts";
import { csvSource, ndjsonSource } from "./files/file_source.ts";
import { filesConnection, filesSource } from "./files/files_connection.ts";
import { generateSource } from "./generate/generate_source.ts";
import { kafkaConnection } from "./kafka/kafka_connection.ts";
import { kafkaSink } from "./kafka/kafka_sink.ts";
import { kafkaSource } from "./kafka/kafka_source.ts";
import { logConnection } from "./log/log_connection.ts";
import { logSink } from "./log/log_sink.ts";
import { logSource } from "./log/log_source.ts";
import { mysqlConnection } from "./mysql/mysql_connection.ts";
import { mysqlSink } from "./mysql/mysql_sink_spec.ts";
import { mysqlSource } from "./mysql/mysql_source.ts";
import { parquetSink } from "./parquet/parquet_sink.ts";
import { postgresConnection } from "./postgres/postgres_connection.ts";
import { postgresSink } from "./postgres/postgres_sink_spec.ts";
import { postgresSource } from "./postgres/postgres_source.ts";
import { s3Connection } from "./s3/s3_settings.ts";
import { socketServerSink } from "./socket/server/socket_server_sink.ts";
import { socketSource } from "./socket/source/socket_source.ts";
import { sqliteConnection } from "./sqlite/sqlite_connection.ts";
import { sqliteSink } from "./sqlite/sqlite_sink_spec.ts";
import { sqliteSource } from "./sqlite/sqlite_source.ts";

export const sources: readonly SourceSpec[] = [
  csvSource,
  ndjsonSource,
  filesSource,
  generateSource,
  logSource,
  socketSource,
  mysqlSource,
  postgresSource,
  sqliteSource,
  kafkaSource,
];
export const sinks: readonly SinkSpec[] = [
  csvSink,
  ndjsonSink,
  parquetSink,
  logSink,
  mysqlSink,
  postgresSink,
  sqliteSink,
  kafkaSink,
  socketServerSink,
  consoleSink,
];
export const connections: readonly ConnectionSpec[] = [
  filesConnection,
  logConnection,
  mysqlConnection,
  postgresConnection,
  sqliteConnection,
  kafkaConnection,
  s3Connection,
];
