/** The sessions of the MCP transports of 2025, each of which belongs to whoever began it. MCP security best practices, "Session Hijacking". */
import { type SdkAuthInfo, sessionOf } from "./auth-session.ts";

/** How many sessions are held, for how long, and what happens to those that end. */
export interface OwnedSessionsOptions<T> {
  /** Lets go of what a session held, a transport for example. Called once for each session that ends here. May be asynchronous. */
  readonly end?: ((value: T) => unknown) | undefined;
  /** Seconds without a request after which a session ends. Default: 86 400, a day. */
  readonly idleTtl?: number | undefined;
  /** Sessions of one person in one client; with one more, their oldest ends. Default: 100. */
  readonly limitPerOwner?: number | undefined;
  /** Sessions of everybody; with one more, the one that has been idle for longest ends. Default: 10 000. */
  readonly limit?: number | undefined;
  /** Told what `end` threw. Default: prints the error's name to stderr. */
  readonly onError?: ((error: unknown) => unknown) | undefined;
  /** The time in whole seconds. Default: the clock. */
  readonly now?: (() => number) | undefined;
}

interface Session<T> {
  readonly owner: string;
  readonly value: T;
  usedAt: number;
}

/**
 * Keeps what belongs to a session, and gives it to nobody but the session's owner: the same person, in the same client.
 *
 * A session id is no credential. Ask on **every** request, GET and DELETE included, with the verified token of that very request, and answer 404 where
 * there is nothing: whether the id is unknown, over, or another's is not for a stranger to learn.
 *
 * @example
 * ```ts
 * const transport = sessions.find(req.headers["mcp-session-id"], req.auth);
 * if (transport === undefined) return res.writeHead(404).end();
 * ```
 */
export class OwnedSessions<T> {
  /** In the order of their last use, so that the first are the first to go. */
  readonly #sessions = new Map<string, Session<T>>();
  /** The ids of each owner, the oldest first. */
  readonly #byOwner = new Map<string, Set<string>>();
  readonly #end: ((value: T) => unknown) | undefined;
  readonly #idleTtl: number;
  readonly #limitPerOwner: number;
  readonly #limit: number;
  readonly #onError: (error: unknown) => unknown;
  readonly #now: () => number;

  constructor(options: OwnedSessionsOptions<T> = {}) {
    this.#end = options.end;
    this.#idleTtl = options.idleTtl ?? 86_400;
    this.#limitPerOwner = options.limitPerOwner ?? 100;
    this.#limit = options.limit ?? 10_000;
    this.#onError = options.onError ?? printName;
    this.#now = options.now ?? (() => Math.floor(Date.now() / 1000));
  }

  /** How many sessions there are. */
  get size(): number {
    return this.#sessions.size;
  }

  /** Begins a session of whoever this verified token speaks for. @throws {Error} where that is nobody, or the id is taken */
  add(id: string, authInfo: SdkAuthInfo | undefined, value: T): void {
    const owner = ownerOf(authInfo);
    if (owner === undefined) throw new Error("Only somebody who is signed in can begin a session.");
    if (this.#sessions.has(id)) throw new Error("The session id is taken.");
    this.#endIdle();
    const own = this.#byOwner.get(owner) ?? new Set();
    // Somebody who begins many sessions ends their own, and not those of others.
    if (own.size >= this.#limitPerOwner) this.#close(first(own));
    if (this.#sessions.size >= this.#limit) this.#close(first(this.#sessions.keys()));
    this.#byOwner.set(owner, own.add(id));
    this.#sessions.set(id, { owner, value, usedAt: this.#now() });
  }

  /** What the session holds, if it is one of whoever this verified token speaks for. */
  find(id: string | readonly string[] | null | undefined, authInfo: SdkAuthInfo | undefined): T | undefined {
    this.#endIdle();
    const session = typeof id === "string" ? this.#sessions.get(id) : undefined;
    // MCP transports, "Session Management": the id says which session, and only the token says whose request this is.
    if (typeof id !== "string" || session === undefined || session.owner !== ownerOf(authInfo)) return undefined;
    session.usedAt = this.#now();
    this.#sessions.delete(id);
    this.#sessions.set(id, session);
    return session.value;
  }

  /** Forgets a session that ended elsewhere: its transport was closed, by a DELETE for example. */
  delete(id: string): void {
    this.#forget(id);
  }

  /** Ends every session. */
  close(): void {
    for (const id of [...this.#sessions.keys()]) this.#close(id);
  }

  #endIdle(): void {
    const before = this.#now() - this.#idleTtl;
    for (const [id, { usedAt }] of this.#sessions) {
      if (usedAt > before) return;
      this.#close(id);
    }
  }

  #close(id: string | undefined): void {
    const session = id === undefined ? undefined : this.#forget(id);
    if (session === undefined) return;
    Promise.resolve()
      .then(() => this.#end?.(session.value))
      .catch(this.#onError);
  }

  #forget(id: string): Session<T> | undefined {
    const session = this.#sessions.get(id);
    if (session === undefined) return undefined;
    this.#sessions.delete(id);
    const own = this.#byOwner.get(session.owner);
    own?.delete(id);
    if (own?.size === 0) this.#byOwner.delete(session.owner);
    return session;
  }
}

/** One person in one client. Another client of the same person is another principal: its rights are others. */
function ownerOf(authInfo: SdkAuthInfo | undefined): string | undefined {
  const session = sessionOf(authInfo);
  return session === undefined ? undefined : JSON.stringify([session.subject, session.clientId]);
}

function first(values: Iterable<string>): string | undefined {
  for (const value of values) return value;
  return undefined;
}

function printName(error: unknown): void {
  const name = error instanceof Error ? error.name : typeof error;
  console.error(`@sallyport/mcp: a session could not be ended (${name})`);
}
