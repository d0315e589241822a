/** The shipped ClickHouse lane (its rows, its inserts, its tokens and its markers) over a simulated server instead of HTTP. */
import { parseColumnType } from "../../../src/connectors/clickhouse/column_type.ts";
import type { Session } from "../../../src/connectors/clickhouse/driver.ts";
import { EpochRows, rowTail } from "../../../src/connectors/clickhouse/epoch_rows.ts";
import { runText } from "../../../src/connectors/clickhouse/markers.ts";
import { compileRowBinary } from "../../../src/connectors/clickhouse/row_binary.ts";
import { ClickhouseLane } from "../../../src/connectors/clickhouse/sink_lane.ts";
import { type MarkerWriter, markerWriter } from "../../../src/connectors/sql/epoch_marker.ts";
import { SqlServer } from "../../../src/connectors/sql/server.ts";
import { MillraceError } from "../../../src/data/fault.ts";
import type { Guarantee, Marker, Sink } from "../../../src/engine/contracts.ts";
import { OutcomeUnknown } from "../../../src/sim/crashed.ts";
import type { SimProcess } from "../../../src/sim/process.ts";
import type { Booted } from "../../../src/sim/world.ts";
import { LEDGER_TYPE } from "../operators.ts";
import type { ClickhouseServer, ColumnForm } from "./server.ts";

type Mode = "append" | "token";
const COLUMN_TYPES: Readonly<Record<string, readonly [declared: string, form: ColumnForm]>> = {
  int: ["Int64", "int64"],
  decimal: ["Decimal(18, 2)", "cents"],
  string: ["String", "text"],
  timestamp: ["DateTime64(6)", "int64"],
};
const COLUMNS = LEDGER_TYPE.fields.map((field, index) => {
  const [declared, form] = COLUMN_TYPES[field.type.kind]!;
  return { bound: { index, field, column: parseColumnType(declared) }, form };
});
export const COLUMN_FORMS: readonly ColumnForm[] = COLUMNS.map(({ form }) => form);

const REQUEST_MICROS_MAX = 6_000;
const ADDRESS = {
  scheme: "http",
  host: "clickhouse",
  port: 8123,
  user: "default",
  database: "default",
  password: "",
  passwordFile: "",
  tls: "off",
  caFile: "",
  connectTimeoutMs: 1_000,
} as const;

/** The marker's key as the statements give its parts. */
const markerKey = (run: string, sink: string, lane: number): string => `${run}/${sink}/${lane}`;
export function markerOf(server: ClickhouseServer, pipeline: string, run: string, sink: string, lane: number): Marker | null {
  return server.marker(markerKey(markerWriter(pipeline, run, sink).name, sink, lane));
}

/** The sink as one process sees it. */
export function clickhouseSink({ process, world }: Booted, name: string, mode: Mode, behind: ClickhouseServer): Sink {
  const guarantee: Guarantee = mode === "token" ? "at-least-once" : "exactly-once";
  const session = new SimSession(process, mode, behind) as unknown as Session;
  const server = new SqlServer<Session>(ADDRESS, world, () => Promise.resolve(session));
  let writer: MarkerWriter;
  return {
    guarantee,
    open: ({ pipeline, run }) => {
      writer = markerWriter(pipeline, run, name);
      return Promise.resolve();
    },
    lane: (lane) => {
      const encode = compileRowBinary(COLUMNS.map(({ bound }) => bound), rowTail(mode, runText(writer), lane));
      return new ClickhouseLane({
        server,
        writer,
        mode,
        insertSql: "INSERT",
        lane,
        rows: new EpochRows(mode, encode),
        released: () => {},
      });
    },
    finish: () => Promise.resolve(),
    close: () => Promise.resolve(server.close()),
  };
}

/** What the lane asks of the driver. */
class SimSession implements Pick<Session, "select" | "run" | "insert" | "close" | "destroy"> {
  constructor(private readonly process: SimProcess, private readonly mode: Mode, private readonly server: ClickhouseServer) {}

  select(sql: string, [run, sink, lane]: readonly (string | number)[] = []): Promise<unknown[][]> {
    if (!sql.startsWith("SELECT epoch, digest FROM millrace_epochs")) throw new Error(`the simulated server does not answer ${sql}`);
    return this.#send("read", "marker", () => {
      const marker = this.server.marker(markerKey(String(run), String(sink), Number(lane)));
      return marker ? [[String(marker.epoch), marker.digest]] : [];
    });
  }

  run(sql: string, [run, sink, lane, epoch, digest]: readonly (string | number)[] = []): Promise<{ readonly rows: number }> {
    if (!sql.startsWith("INSERT INTO millrace_epochs")) throw new Error(`the simulated server does not carry out ${sql}`);
    return this.#send("write", `epoch ${epoch}`, () => {
      this.server.putMarker(markerKey(String(run), String(sink), Number(lane)), { epoch: Number(epoch), digest: String(digest) });
      return { rows: 0 };
    });
  }

  insert(_sql: string, rows: Uint8Array, token = ""): Promise<void> {
    const bytes = rows.slice();
    return this.#send("write", `${bytes.length} ${token}`, () => {
      if (this.mode === "token") this.server.insertOnce(bytes, token);
      else this.server.insertReplacing(bytes);
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
  destroy(): void {}

  async #send<T>(kind: "read" | "write", detail: string, effect: () => T): Promise<T> {
    try {
      return await this.process.remote({ what: `clickhouse_${kind}`, detail, kind, microsMax: REQUEST_MICROS_MAX, effect });
    } catch (error) {
      if (!(error instanceof OutcomeUnknown)) throw error;
      throw new MillraceError("clickhouse_unreachable", "the simulated server did not answer", { retry: "wait", cause: error });
    }
  }
}
