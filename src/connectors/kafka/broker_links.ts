/** Connections that are kept open, one for each broker: requests that must not overtake each other share one. */
import type { Cluster } from "./cluster.ts";
import type { Broker } from "./connection_settings.ts";
import type { BrokerConnection } from "./driver.ts";

export class BrokerLinks {
  readonly #connections = new Map<string, BrokerConnection>();
  constructor(private readonly cluster: Cluster) {}

  /** An open connection: the same one as before while it lasts. */
  async to(broker: Broker): Promise<BrokerConnection> {
    const key = brokerKey(broker);
    const open = this.#connections.get(key);
    if (open?.isOpen) return open;
    const connection = await this.cluster.connect(broker);
    this.#connections.set(key, connection);
    return connection;
  }

  close(): void {
    for (const connection of this.#connections.values()) connection.close();
    this.#connections.clear();
  }
}

export const brokerKey = ({ host, port }: Broker): string => `${host}:${port}`;
