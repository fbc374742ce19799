/** Browsers in which somebody has signed in to an account before. OWASP, "Slow Down Online Guessing Attacks with Device Cookies". */
import { type Keys, type Runtime, sign, verify } from "@sallyport/oauth-core/accounts";
import { cookieName, type NamedCookie } from "./named-cookie.ts";
import type { User } from "./user-store.ts";

export interface KnownBrowsersOptions {
  readonly keys: Keys;
  readonly runtime: Runtime;
  /** Whether pages are served over https. */
  readonly secure: boolean;
}

/** `<nonce>.<issued, in base 36>.<MAC over the account, the nonce and the time>`: whose an entry is, only the server can tell. */
const ENTRY = /^([A-Za-z0-9_-]{22})\.([0-9a-z]{1,8})\.([A-Za-z0-9_-]{43})$/;
/** Accounts for which one browser is known. */
const MOST_ENTRIES = 10;
/** Ten entries are half of this. */
const LONGEST_COOKIE = 1536;
/** 400 days in seconds. RFC 6265bis §5.5: no browser keeps a cookie for longer. */
const KNOWN_TTL = 34_560_000;

/**
 * Remembers browsers by a cookie of theirs, and nothing on the server.
 *
 * Being known lets nobody in. It only means that guesses from this browser are counted on their own, so that a stranger who guesses at an account slows
 * down other strangers, and not the person whose account it is.
 *
 * An entry counts for as long as the person has not been signed out everywhere. Otherwise somebody who once had the password could have collected entries,
 * each with guesses of its own, and go on with them after it was changed.
 */
export class KnownBrowsers {
  readonly #options: KnownBrowsersOptions;
  readonly #cookieName: string;

  constructor(options: KnownBrowsersOptions) {
    this.#options = options;
    this.#cookieName = cookieName("known", options.secure);
  }

  /**
   * The name under which guesses from this browser at this account are counted; `undefined` where it is not known. Pass `undefined` where there is no such
   * account: the work is the same.
   */
  find(cookies: ReadonlyMap<string, string>, user: Pick<User, "id" | "epoch"> | undefined): string | undefined {
    const mine = this.#entries(cookies).filter((entry) => this.#isFor(entry, user));
    return mine.at(-1)?.split(".")[0];
  }

  /**
   * The cookie that makes this browser known, with those accounts for which it was known before. To be set whenever somebody has proven who they are: by
   * signing in, by a mail, or by staying when they sign out everywhere else.
   *
   * The name is a new one each time, so that guesses counted before are forgotten.
   */
  remember(cookies: ReadonlyMap<string, string>, user: Pick<User, "id" | "epoch">): NamedCookie {
    const { keys, runtime } = this.#options;
    const others = this.#entries(cookies).filter((entry) => !this.#isFor(entry, user));
    const nonce = Buffer.from(runtime.randomBytes(16)).toString("base64url");
    const issued = runtime.now().toString(36);
    const entry = `${nonce}.${issued}.${sign(keys, ...parts(user, nonce, issued))}`;
    const value = [...others, entry].slice(-MOST_ENTRIES).join("~");
    return { name: this.#cookieName, value, maxAge: KNOWN_TTL };
  }

  /** What looks like entries and is not too old, the newest last. */
  #entries(cookies: ReadonlyMap<string, string>): readonly string[] {
    const value = cookies.get(this.#cookieName) ?? "";
    if (value.length > LONGEST_COOKIE) return [];
    const oldest = this.#options.runtime.now() - KNOWN_TTL;
    return value.split("~").filter((entry) => {
      const [, , issued] = ENTRY.exec(entry) ?? [];
      return issued !== undefined && Number.parseInt(issued, 36) > oldest;
    });
  }

  #isFor(entry: string, user: Pick<User, "id" | "epoch"> | undefined): boolean {
    const [nonce = "", issued = "", proof = ""] = entry.split(".");
    return verify(this.#options.keys, proof, ...parts(user, nonce, issued));
  }
}

/** No account has the empty id, so nothing is ever signed for who is not there. */
function parts(
  { id, epoch }: Pick<User, "id" | "epoch"> = { id: "", epoch: 0 },
  nonce: string,
  issued: string,
): readonly string[] {
  return ["known-browser", id, String(epoch), nonce, issued];
}
