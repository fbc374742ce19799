/** What both middlewares take beside the server and the requirement. */

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
}
