/** Who is signed in to their account in which browser. OWASP Session Management; RFC 6265bis. */
import {
  beginningsOf,
  type Collection,
  ConfigurationError,
  digest,
  type Entry,
  type Keys,
  type Runtime,
} from "@sallyport/oauth-core/accounts";
import { cookieName, type NamedCookie } from "./named-cookie.ts";
import { plainText } from "./plain-text.ts";
import type { User } from "./user-store.ts";

/** What is kept of a session. */
export interface BrowserSessionRecord {
  readonly userId: string;
  /** How often the person had been signed out everywhere when it began. */
  readonly epoch: number;
  /** Seconds since 1970. */
  readonly startedAt: number;
  /** Seconds since 1970, exact to an hour. */
  readonly seenAt: number;
  /** How they proved who they are, in the words of RFC 8176: `pwd`. */
  readonly methods: readonly string[];
  /** What the browser calls itself: a stranger's text, to be escaped. */
  readonly userAgent?: string | undefined;
  readonly address?: string | undefined;
}

/** A session that lives. Whether it still counts for its person is asked by {@link counts}. */
export interface BrowserSession extends BrowserSessionRecord {
  /** What {@link BrowserSessions.end} takes. It is no credential. */
  readonly id: string;
}

/** A session about to begin. */
export interface SessionStart {
  readonly user: Pick<User, "id" | "epoch">;
  readonly methods: readonly string[];
  readonly userAgent?: string | undefined;
  readonly address?: string | undefined;
}

export interface BrowserSessionsOptions {
  readonly collection: Collection<BrowserSessionRecord>;
  /** What hides whose a session is in its name. */
  readonly keys: Keys;
  readonly runtime: Runtime;
  /** Whether pages are served over https. */
  readonly secure: boolean;
  /** Seconds after which a session ends, however much it is used. */
  readonly sessionTtl: number;
}

/** Characters of base64url, 132 bits. */
const HALF = 22;
const SESSION_ID = new RegExp(`^[A-Za-z0-9_-]{${2 * HALF}}$`);
/** A recognisable beginning, so that scanners for leaked secrets can find one. */
const COOKIE = new RegExp(`^sp_bs_([A-Za-z0-9_-]{${HALF}})\\.([A-Za-z0-9_-]{43})$`);
/** A session is written again when it was last seen so many seconds ago, and not on every page. */
const SEEN_EVERY = 3600;
const PAGE = 100;
const MOST_LISTED = 100;
const LONGEST_USER_AGENT = 200;
/** An IPv6 address with an IPv4 one in it, and a zone. */
const LONGEST_ADDRESS = 64;

/**
 * The sessions of one server.
 *
 * The cookie is half of the session's name and a secret of 256 bits, of which the other half is a digest: whoever reads the storage can't make the
 * cookie, and whoever has the cookie needs one read. The first half is a MAC of the person, so that theirs can be listed and nobody else's be guessed.
 */
export class BrowserSessions {
  readonly #options: BrowserSessionsOptions;
  readonly #cookieName: string;

  constructor(options: BrowserSessionsOptions) {
    this.#options = options;
    this.#cookieName = cookieName("session", options.secure);
  }

  /**
   * A new session under a new secret, and the cookie that holds it. OWASP Session Management, session fixation: nothing that a browser brought along ever
   * becomes a session. The one that it had before goes on; see {@link leave}.
   */
  async start({ user, methods, userAgent, address }: SessionStart): Promise<{
    readonly session: BrowserSession;
    readonly cookie: NamedCookie;
  }> {
    const { collection, keys, runtime, sessionTtl } = this.#options;
    const secret = Buffer.from(runtime.randomBytes(32)).toString("base64url");
    const [whose = ""] = beginningsOf(keys, user.id);
    const now = runtime.now();
    const record: BrowserSessionRecord = {
      userId: user.id,
      epoch: user.epoch,
      startedAt: now,
      seenAt: now,
      methods,
      userAgent: shown(userAgent, LONGEST_USER_AGENT),
      address: shown(address, LONGEST_ADDRESS),
    };
    const id = sessionId(whose, secret);
    await collection.save(id, record, sessionTtl);
    const cookie = { name: this.#cookieName, value: `sp_bs_${whose}.${secret}`, maxAge: sessionTtl };
    return { session: { ...record, id }, cookie };
  }

  /** The session that a browser proves to be in; `undefined` where there is none. **It counts only where {@link counts} says so of its person.** */
  async find(cookies: ReadonlyMap<string, string>): Promise<BrowserSession | undefined> {
    const id = this.#proven(cookies);
    if (id === undefined) return undefined;
    const entry = await this.#options.collection.get(id);
    if (entry === undefined || !this.#lives(entry.value)) return undefined;
    return { ...(await this.#seen(id, entry)), id };
  }

  /** Ends the session that a browser is in, and takes its cookie away. Where it is in none, that is no error. */
  async leave(cookies: ReadonlyMap<string, string>): Promise<NamedCookie> {
    const id = this.#proven(cookies);
    if (id !== undefined) await this.#options.collection.delete(id);
    return { name: this.#cookieName, value: "", maxAge: 0 };
  }

  /**
   * The sessions of a person that count, the last seen first; of more than a hundred, some hundred. `undefined` where the storage can't list: then nobody can
   * be shown their sessions, and still be signed out everywhere by raising their epoch.
   */
  async list(user: Pick<User, "id" | "epoch">): Promise<readonly BrowserSession[] | undefined> {
    return whereListed(async () => {
      const sessions: BrowserSession[] = [];
      for await (const session of this.#all(user.id)) {
        if (session.epoch === user.epoch) sessions.push(session);
        if (sessions.length === MOST_LISTED) break;
      }
      return sessions.sort((one, other) => other.seenAt - one.seenAt);
    });
  }

  /** Ends one, and says whether it lived until then and was that person's. Anybody else's goes on. */
  async end(id: string, userId: string): Promise<boolean> {
    if (!SESSION_ID.test(id)) return false;
    const record = (await this.#options.collection.get(id))?.value;
    // The id comes from a form: whoever names another one's session ends nothing, and learns nothing of it.
    if (record === undefined || record.userId !== userId || !this.#lives(record)) return false;
    await this.#options.collection.delete(id);
    return true;
  }

  /** Ends all of a person but `kept`, and says how many that were; `undefined` where the storage can't list, and none were ended. */
  async endOthers(userId: string, kept?: string): Promise<number | undefined> {
    return whereListed(async () => {
      let ended = 0;
      for await (const { id } of this.#all(userId)) {
        if (id === kept) continue;
        await this.#options.collection.delete(id);
        ended += 1;
      }
      return ended;
    });
  }

  /** The name of the session whose cookie a browser has. Nobody can know a name's cookie, so that the name says which session it is, if there is one. */
  #proven(cookies: ReadonlyMap<string, string>): string | undefined {
    const [, whose, secret] = COOKIE.exec(cookies.get(this.#cookieName) ?? "") ?? [];
    return whose === undefined || secret === undefined ? undefined : sessionId(whose, secret);
  }

  /** Notes that a session was seen, where that was long ago or its seal is of a key that will be taken away. Never brings one back that was ended meanwhile. */
  async #seen(id: string, entry: Entry<BrowserSessionRecord>): Promise<BrowserSessionRecord> {
    const { collection, runtime, sessionTtl } = this.#options;
    const now = runtime.now();
    if (now - entry.value.seenAt < SEEN_EVERY && entry.outdated !== true) return entry.value;
    const record = { ...entry.value, seenAt: Math.max(now, entry.value.seenAt) };
    await collection.replace(id, entry, record, record.startedAt + sessionTtl - now);
    return record;
  }

  /** A storage that forgets to let go of it must not make it live on. */
  #lives({ startedAt }: BrowserSessionRecord): boolean {
    return this.#options.runtime.now() < startedAt + this.#options.sessionTtl;
  }

  /** A session keeps its name while secrets are rotated: there are as many beginnings as keys. */
  async *#all(userId: string): AsyncGenerator<BrowserSession> {
    const { collection, keys } = this.#options;
    for (const beginning of beginningsOf(keys, userId)) {
      let cursor: string | undefined;
      do {
        const page = await collection.list(beginning, { cursor, limit: PAGE });
        const read = await Promise.all(page.ids.map(async (id) => ({ id, record: (await collection.get(id))?.value })));
        for (const { id, record } of read)
          if (record !== undefined && record.userId === userId && this.#lives(record)) yield { ...record, id };
        cursor = page.cursor;
      } while (cursor !== undefined);
    }
  }
}

/** Whether a session still is its person's: they were not disabled, and not signed out everywhere since it began. */
export function counts(session: BrowserSession, user: Pick<User, "id" | "epoch" | "disabled"> | undefined): boolean {
  return user !== undefined && user.id === session.userId && user.epoch === session.epoch && !user.disabled;
}

/** What can be shown of it; absent where that is nothing. */
function shown(text: string | undefined, most: number): string | undefined {
  return plainText(text ?? "", most) || undefined;
}

function sessionId(whose: string, secret: string): string {
  return whose + digest(`session\0${secret}`).slice(0, HALF);
}

/** What was looked for, or `undefined` where the storage can't look for anything. */
async function whereListed<T>(look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof ConfigurationError) return undefined;
    throw error;
  }
}
