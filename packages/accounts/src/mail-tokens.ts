/** What a mail carries to prove that it was read: a token for one purpose, for a while, and for one use. OWASP Forgot Password; NIST SP 800-63B §4.2.2. */
import { type Collection, digest, type Entry, type Runtime } from "@sallyport/oauth-core/accounts";
import { cookieName, type NamedCookie } from "./named-cookie.ts";
import type { User } from "./user-store.ts";

/** What a token is good for, and for nothing else. */
export type MailPurpose = "reset_password" | "sign_up";

/** A new password may be set for the account, as it was when the mail was sent. */
export interface PasswordReset {
  readonly purpose: "reset_password";
  readonly userId: string;
  /** Where the mail went. */
  readonly email: string;
  readonly epoch: number;
  /** Of the password's hash at the time; not the hash. */
  readonly passwordPrint: string;
  /** The sealed sign-in to go on with. */
  readonly request?: string | undefined;
}

/** An account may be made for the address. */
export interface SignUp {
  readonly purpose: "sign_up";
  /** In normal form. */
  readonly email: string;
  /** The sealed sign-in to go on with. */
  readonly request?: string | undefined;
}

/** What a token stands for. */
export type MailOrder = PasswordReset | SignUp;

/** What is kept under a token's digest: what it stands for, or that it was used. */
export type MailTokenRecord = (MailOrder & { readonly expiresAt: number }) | { readonly purpose: "spent" };

/** What is asked for: the account as it is now, or an address. */
export type MailRequest =
  | {
      readonly purpose: "reset_password";
      readonly user: Pick<User, "id" | "epoch" | "passwordHash"> & { readonly email: string };
      readonly request?: string | undefined;
    }
  | SignUp;

export interface MailTokensOptions {
  readonly collection: Collection<MailTokenRecord>;
  readonly runtime: Runtime;
  /** Whether pages are served over https. */
  readonly secure: boolean;
  /** Seconds for which a token of each purpose can be used. */
  readonly ttl: Readonly<Record<MailPurpose, number>>;
}

/** With a recognisable beginning, so that scanners for leaked secrets can find one. */
const TOKEN = /^sp_mt_[A-Za-z0-9_-]{43}$/;

/** The tokens of one server's mails. */
export class MailTokens {
  readonly #options: MailTokensOptions;

  constructor(options: MailTokensOptions) {
    this.#options = options;
  }

  /** A new token of 256 random bits. Only its digest is kept: whoever reads the storage has nothing that opens a door. */
  async issue(asked: MailRequest): Promise<string> {
    const { collection, runtime, ttl } = this.#options;
    const token = `sp_mt_${Buffer.from(runtime.randomBytes(32)).toString("base64url")}`;
    const lifetime = ttl[asked.purpose];
    await collection.save(digest(token), { ...orderOf(asked), expiresAt: runtime.now() + lifetime }, lifetime);
    return token;
  }

  /** What a token stands for; `undefined` for one that is unknown, used, expired, or for another purpose. Reading spends nothing. */
  async find<P extends MailPurpose>(token: string, purpose: P): Promise<(MailOrder & { purpose: P }) | undefined> {
    return (await this.#unspent(token, purpose))?.order;
  }

  /**
   * Spends a token: of any number of simultaneous callers exactly one is told what it stands for, and everybody from then on `undefined`.
   *
   * To be called last, when nothing is left that the person could have to correct; and of a {@link PasswordReset} only where {@link isCurrent} says so.
   * The token itself is marked, by compare-and-swap, and so no mark can expire before it.
   */
  async spend<P extends MailPurpose>(token: string, purpose: P): Promise<(MailOrder & { purpose: P }) | undefined> {
    const unspent = await this.#unspent(token, purpose);
    if (unspent === undefined) return undefined;
    const left = Math.max(1, unspent.expiresAt - this.#options.runtime.now());
    const won = await this.#options.collection.replace(digest(token), unspent.entry, { purpose: "spent" }, left);
    return won ? unspent.order : undefined;
  }

  /**
   * The cookie in which a browser keeps a token, so that it need not stay in the address, in the history and in what is sent on as a referrer; emptied for
   * anything that is no token.
   */
  cookie(token: string | undefined, purpose: MailPurpose): NamedCookie {
    const isToken = token !== undefined && TOKEN.test(token);
    return {
      name: this.#cookieName(purpose),
      value: isToken ? token : "",
      maxAge: isToken ? this.#options.ttl[purpose] : 0,
    };
  }

  /** The token that a browser keeps. */
  carried(cookies: ReadonlyMap<string, string>, purpose: MailPurpose): string | undefined {
    const token = cookies.get(this.#cookieName(purpose)) ?? "";
    return TOKEN.test(token) ? token : undefined;
  }

  async #unspent<P extends MailPurpose>(token: string, purpose: P): Promise<Unspent<P> | undefined> {
    if (!TOKEN.test(token)) return undefined;
    const entry = await this.#options.collection.get(digest(token));
    if (entry === undefined || entry.value.purpose === "spent") return undefined;
    const { expiresAt, ...order } = entry.value;
    // The storage lets it expire; a storage that forgets to must not make it live on.
    if (!isFor(order, purpose) || expiresAt <= this.#options.runtime.now()) return undefined;
    return { order, expiresAt, entry };
  }

  #cookieName(purpose: MailPurpose): string {
    return cookieName(purpose === "sign_up" ? "sign-up" : "reset-password", this.#options.secure);
  }
}

/**
 * Whether a reset is still for the account as it is: not disabled, signed out everywhere, given another address or another password since the mail was sent.
 * So every reset also ends all others that are under way, and an old mail in a mailbox that was lost is worth nothing.
 */
export function isCurrent<U extends Pick<User, "id" | "email" | "epoch" | "passwordHash" | "disabled">>(
  reset: PasswordReset,
  user: U | undefined,
): user is U {
  return (
    user !== undefined &&
    user.id === reset.userId &&
    user.email === reset.email &&
    user.epoch === reset.epoch &&
    passwordPrint(user) === reset.passwordPrint &&
    !user.disabled
  );
}

interface Unspent<P extends MailPurpose> {
  readonly order: MailOrder & { purpose: P };
  readonly expiresAt: number;
  readonly entry: Entry<MailTokenRecord>;
}

function isFor<P extends MailPurpose>(order: MailOrder, purpose: P): order is MailOrder & { purpose: P } {
  return order.purpose === purpose;
}

function orderOf(asked: MailRequest): MailOrder {
  if (asked.purpose === "sign_up") return { purpose: asked.purpose, email: asked.email, request: asked.request };
  const { purpose, user, request } = asked;
  const { id: userId, email, epoch } = user;
  return { purpose, userId, email, epoch, passwordPrint: passwordPrint(user), request };
}

/** Tells one hash from another. The hash has a random salt of its own, so that its print says nothing of the password. */
function passwordPrint({ passwordHash = "" }: Pick<User, "passwordHash">): string {
  return digest(`password\0${passwordHash}`);
}
