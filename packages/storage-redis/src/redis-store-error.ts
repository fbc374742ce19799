/** What can go wrong between the store and Redis: one error, with the reason in one word. */

const PROBLEMS = {
  timeout: "Redis did not answer in time. What was asked of it may have happened, or may yet happen.",
  unreachable: "There is no connection to Redis, or it was lost. What was asked of it may have happened.",
  refused: "Redis refused the command, and nothing happened",
  damaged: "The record under this key was not written by this store.",
  changed: "The servers have changed since this walk over the keys began. Begin it again.",
  closed: "The store has been closed.",
} as const;

/** Our own, stable word for what went wrong; for logs and tests. */
export type RedisStoreFailure = keyof typeof PROBLEMS;

/**
 * Redis did not do, or may not have done, what the store was asked for. It never means that a record is absent.
 *
 * Neither the message nor the cause carries a key, a value, or an argument of a command.
 */
export class RedisStoreError extends Error {
  override readonly name = "RedisStoreError";
  readonly reason: RedisStoreFailure;

  /** @param options `detail`: what Redis said; `cause`: what the client said */
  constructor(reason: RedisStoreFailure, options: ErrorOptions & { readonly detail?: string } = {}) {
    const { detail, cause } = options;
    super(detail === undefined ? PROBLEMS[reason] : `${PROBLEMS[reason]}: ${detail}`, withoutCommand(cause));
    this.reason = reason;
  }
}

/** An error that a client rejected with as one of ours. */
export function redisStoreError(error: unknown): RedisStoreError {
  if (error instanceof RedisStoreError) return error;
  const said = replyOf(error);
  return said === undefined
    ? new RedisStoreError("unreachable", { cause: error })
    : new RedisStoreError("refused", { detail: withoutArguments(said) });
}

/** What Redis itself answered, where the error is its answer: it begins with a word in capitals. */
function replyOf(error: unknown): string | undefined {
  return error instanceof Error && !("code" in error) && /^[A-Z][A-Z0-9_]+ /.test(error.message)
    ? error.message
    : undefined;
}

/** Whether Redis does not know a script yet, so that it did nothing. */
export function isUnknownScript(error: unknown): boolean {
  return replyOf(error)?.startsWith("NOSCRIPT ") === true;
}

/** Whether a server of a cluster answered that another one is to be asked, so that it did nothing. */
export function isRedirection(error: unknown): boolean {
  return /^(MOVED|ASK|TRYAGAIN|CLUSTERDOWN) /.test(replyOf(error) ?? "");
}

/**
 * ioredis attaches the command with its arguments to some errors, a password among them, and to those of a cluster what its last server
 * said; whoever logs a cause would log them.
 */
function withoutCommand(cause: unknown): ErrorOptions {
  if (cause === undefined) return {};
  if (!(cause instanceof Error)) return { cause };
  if ("lastNodeError" in cause && cause.lastNodeError instanceof Error) return withoutCommand(cause.lastNodeError);
  return { cause: "command" in cause ? new Error(withoutArguments(cause.message)) : cause };
}

/** Of a command that it does not know Redis repeats the arguments. */
function withoutArguments(said: string): string {
  return said.replace(/, with args beginning with.*$/s, "");
}
