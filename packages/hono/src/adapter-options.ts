/** What both middlewares take beside the server and the requirement. */
import type { Context } from "hono";

/** The options of `oauth` and of `protect`. */
export interface AdapterOptions {
  /**
   * Is told what the authorization server threw, and may be asynchronous; the client only ever sees a bare 500.
   *
   * Default: writes the error's name and stack frames to stderr, and not its message, which may carry what a stranger sent.
   */
  readonly onError?: ((error: unknown) => unknown) | undefined;
  /**
   * What a reverse proxy in front cuts off the path, such as `/auth`, where the issuer has that path. It is put back in front of every path
   * but those of well-known documents, which the proxy passes on as they are. Default: nothing.
   */
  readonly strippedPrefix?: string | undefined;
  /**
   * The address that a client comes from, by which guessing is slowed down; `undefined` where that can't be told. For runtimes other than
   * Node.js, and for a server behind a proxy that you trust: read the header that this proxy sets, and of a list the entry that it has added
   * itself, which is the last. A header that a client can write makes it somebody else with every guess.
   *
   * Default: the address of the socket on `@hono/node-server`, and unknown elsewhere.
   */
  readonly clientAddress?: ((c: Context) => string | undefined) | undefined;
}
