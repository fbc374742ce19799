/** What the store needs of a connection, whichever client it is made of. */

/** A command: its name in lower case, and its arguments. */
export type Command = readonly [name: string, ...args: string[]];

/** Sends a command that only reads to one certain server. A client may send it after `signal` was aborted. */
export type SendToServer = (command: Command, signal: AbortSignal) => Promise<unknown>;

/** A user's client as the store uses it. */
export interface RedisConnection {
  /** What the client puts before every key by itself. */
  readonly keyPrefix: string;
  /** Whether the keys are shared out among several masters. */
  readonly cluster: boolean;
  /** Sends a command to the server that has `key`, unless `signal` is aborted before it leaves. */
  send(key: string, command: Command, signal: AbortSignal): Promise<unknown>;
  /** Every server that the client knows to be a master, as soon as it is connected. */
  masters(signal: AbortSignal): Promise<readonly SendToServer[]>;
  /** Stops listening to the client, and leaves it as it was. */
  close(): void;
}
