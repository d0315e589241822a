/**
 * Every source, sink and connection of the binary, by room. A new connector adds its folder and its room here. Rooms are loaded when
 * a project names one of their types: a pipeline that reads a file does not pay for the code of servers.
 */
import type { ConnectionSpec, SinkSpec, SourceSpec } from "../component/component.ts";

/** What a room holds. */
export interface Connectors {
  readonly sources?: readonly SourceSpec[];
  readonly sinks?: readonly SinkSpec[];
  readonly connections?: readonly ConnectionSpec[];
}
export interface ConnectorRoom {
  /** The TOML names of everything in it. */
  readonly types: readonly string[];
  load(): Promise<Connectors>;
}

/** In the order of the reference. */
export const rooms: readonly ConnectorRoom[] = [
  {
    types: ["csv", "ndjson", "files"],
    load: async () => {
      const { csvSource, ndjsonSource } = await import("./files/file_source.ts");
      const { csvSink, ndjsonSink } = await import("./files/file_sink_spec.ts");
      const { filesConnection, filesSource } = await import("./files/files_connection.ts");
      return { sources: [csvSource, ndjsonSource, filesSource], sinks: [csvSink, ndjsonSink], connections: [filesConnection] };
    },
  },
  {
    types: ["parquet"],
    load: async () => ({ sinks: [(await import("./parquet/parquet_sink.ts")).parquetSink] }),
  },
  {
    types: ["generate"],
    load: async () => ({ sources: [(await import("./generate/generate_source.ts")).generateSource] }),
  },
  {
    types: ["log"],
    load: async () => {
      const { logSource } = await import("./log/log_source.ts");
      const { logSink } = await import("./log/log_sink.ts");
      const { logConnection } = await import("./log/log_connection.ts");
      return { sources: [logSource], sinks: [logSink], connections: [logConnection] };
    },
  },
  {
    types: ["socket"],
    load: async () => ({ sources: [(await import("./socket/source/socket_source.ts")).socketSource] }),
  },
  {
    types: ["mysql"],
    load: async () => {
      const { mysqlSource } = await import("./mysql/mysql_source.ts");
      const { mysqlSink } = await import("./mysql/mysql_sink_spec.ts");
      const { mysqlConnection } = await import("./mysql/mysql_connection.ts");
      return { sources: [mysqlSource], sinks: [mysqlSink], connections: [mysqlConnection] };
    },
  },
  {
    types: ["postgres"],
    load: async () => {
      const { postgresSource } = await import("./postgres/postgres_source.ts");
      const { postgresSink } = await import("./postgres/postgres_sink_spec.ts");
      const { postgresConnection } = await import("./postgres/postgres_connection.ts");
      return { sources: [postgresSource], sinks: [postgresSink], connections: [postgresConnection] };
    },
  },
  {
    types: ["clickhouse"],
    load: async () => {
      const { clickhouseSource } = await import("./clickhouse/clickhouse_source.ts");
      const { clickhouseSink } = await import("./clickhouse/clickhouse_sink_spec.ts");
      const { clickhouseConnection } = await import("./clickhouse/clickhouse_connection.ts");
      return { sources: [clickhouseSource], sinks: [clickhouseSink], connections: [clickhouseConnection] };
    },
  },
  {
    types: ["sqlite"],
    load: async () => {
      const { sqliteSource } = await import("./sqlite/sqlite_source.ts");
      const { sqliteSink } = await import("./sqlite/sqlite_sink_spec.ts");
      const { sqliteConnection } = await import("./sqlite/sqlite_connection.ts");
      return { sources: [sqliteSource], sinks: [sqliteSink], connections: [sqliteConnection] };
    },
  },
  {
    types: ["kafka"],
    load: async () => {
      const { kafkaSource } = await import("./kafka/kafka_source.ts");
      const { kafkaSink } = await import("./kafka/kafka_sink.ts");
      const { kafkaConnection } = await import("./kafka/kafka_connection.ts");
      return { sources: [kafkaSource], sinks: [kafkaSink], connections: [kafkaConnection] };
    },
  },
  {
    types: ["s3"],
    load: async () => ({ connections: [(await import("./s3/s3_settings.ts")).s3Connection] }),
  },
  {
    types: ["socket_server"],
    load: async () => ({ sinks: [(await import("./socket/server/socket_server_sink.ts")).socketServerSink] }),
  },
  {
    types: ["console"],
    load: async () => ({ sinks: [(await import("./console/console_sink.ts")).consoleSink] }),
  },
];
