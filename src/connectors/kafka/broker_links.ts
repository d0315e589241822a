/** Connections that are kept open, one for each broker: requests that must not overtake each other share one. */
import type { Broker } from "./connection_settings.ts";

/** What is kept: a connection of either kind. */
interface Kept {
  readonly isOpen: boolean;
  close(): void;
}

export class BrokerLinks<C extends Kept> {
  readonly #connections = new Map<string, C>();
  constructor(private readonly connect: (broker: Broker) => Promise<C>) {}

  /** An open connection: the same one as before while it lasts. */
  async to(broker: Broker): Promise<C> {
    const key = brokerKey(broker);
    const open = this.#connections.get(key);
    if (open?.isOpen) return open;
    const connection = await this.connect(broker);
    this.#connections.set(key, connection);
    return connection;
  }

  close(): void {
    for (const connection of this.#connections.values()) connection.close();
    this.#connections.clear();
  }
}

export const brokerKey = ({ host, port }: Broker): string => `${host}:${port}`;
