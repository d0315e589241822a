/** TCP, as far as feeds need it. Whatever goes wrong on a connection ends that connection only. */
export interface NetAddress {
  readonly host: string;
  readonly port: number;
}

export interface Connection {
  readonly remote: NetAddress;
  /** Reads up to `into.length` bytes; 0 when the other side has ended. Fails once the connection is broken or closed. */
  read(into: Uint8Array): Promise<number>;
  /** Waits until the kernel takes some of `bytes`; returns how many. Fails once the connection is broken or closed. */
  write(bytes: Uint8Array): Promise<number>;
  /** Says that nothing more will be written; what was written still arrives. */
  endWrites(): Promise<void>;
  /** Ends reads and writes under way with an error. May be called again. */
  close(): void;
}

export interface Listener {
  /** The port is the chosen one where 0 was asked for. */
  readonly address: NetAddress;
  /** The next connection; null once the listener is closed. */
  accept(): Promise<Connection | null>;
  close(): void;
}

export interface Net {
  /** Throws a MillraceError "address_taken" when another process listens there. */
  listen(address: NetAddress): Promise<Listener>;
  /** Throws a MillraceError "unreachable" when nobody answers within `timeoutMs`. */
  connect(address: NetAddress, timeoutMs: number): Promise<Connection>;
}
