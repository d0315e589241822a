/**
 * The real ClickHouse engine in this process: chdb's library, called through its C interface. Invariant: a connection is one session;
 * what one sets, another does not see. Memory that the engine gave is copied before it is given back.
 */
const SYMBOLS = {
  chdb_connect: { parameters: ["i32", "buffer"], result: "pointer" },
  chdb_close_conn: { parameters: ["pointer"], result: "void" },
  chdb_query_n: { parameters: ["pointer", "buffer", "usize", "buffer", "usize"], result: "pointer", nonblocking: true },
  chdb_destroy_query_result: { parameters: ["pointer"], result: "void" },
  chdb_result_buffer: { parameters: ["pointer"], result: "pointer" },
  chdb_result_length: { parameters: ["pointer"], result: "usize" },
  chdb_result_error: { parameters: ["pointer"], result: "pointer" },
} as const;

const encoder = new TextEncoder();

export class Engine {
  readonly #library;
  readonly #arguments: readonly Uint8Array<ArrayBuffer>[];
  /** `path` is the library, `folder` holds the data. The first connection opens them, and is kept. */
  constructor(path: string, folder: string) {
    this.#library = Deno.dlopen(path, SYMBOLS);
    this.#arguments = ["clickhouse", `--path=${folder}`].map((text) => encoder.encode(`${text}\0`));
    this.connect();
  }

  connect(): Session {
    const pointers = new BigUint64Array(this.#arguments.map((text) => Deno.UnsafePointer.value(Deno.UnsafePointer.of(text))));
    const handle = this.#library.symbols.chdb_connect(pointers.length, new Uint8Array(pointers.buffer));
    if (!handle) throw new Error("the engine could not be opened: does another process have its folder?");
    return new Session(this.#library.symbols, handle);
  }
}

export class Session {
  readonly #connection: Deno.PointerValue;
  constructor(
    private readonly symbols: Deno.StaticForeignLibraryInterface<typeof SYMBOLS>,
    private readonly handle: NonNullable<Deno.PointerValue>,
  ) {
    this.#connection = new Deno.UnsafePointerView(handle).getPointer();
  }

  /** The answer's bytes; `format` where the statement says none. Throws an Error with the engine's own message. */
  async ask(sql: string, format = "TabSeparated"): Promise<Uint8Array<ArrayBuffer>> {
    const [text, form] = [encoder.encode(sql), encoder.encode(format)];
    const { symbols } = this;
    const result = await symbols.chdb_query_n(this.#connection, text, BigInt(text.length), form, BigInt(form.length));
    try {
      const fault = symbols.chdb_result_error(result);
      if (fault) throw new Error(Deno.UnsafePointerView.getCString(fault));
      const [bytes, length] = [symbols.chdb_result_buffer(result), Number(symbols.chdb_result_length(result))];
      if (!bytes || length === 0) return new Uint8Array(0);
      return new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(bytes, length).slice(0));
    } finally {
      symbols.chdb_destroy_query_result(result);
    }
  }

  close(): void {
    this.symbols.chdb_close_conn(this.handle);
  }
}
