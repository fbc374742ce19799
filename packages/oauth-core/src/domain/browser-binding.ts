/** Binds forms and callbacks to the one browser that they belong to, by signed cookies. RFC 9700 §4.7; MCP security best practices, consent cookies. */
import type { Runtime } from "../runtime.ts";
import { digest } from "../state/digest.ts";
import { equal, type Keys, sign, verify } from "./keys.ts";

/** A cookie without its attributes, which are always the same. */
export interface BindingCookie {
  readonly name: string;
  readonly value: string;
  /** Seconds. */
  readonly maxAge: number;
}

/** What a person approved once and need not be asked again. */
export interface Approval {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly scope: readonly string[];
  readonly resources: readonly string[];
  /** Where they went to sign in. */
  readonly provider: string;
  /** They only chose where to sign in, and were asked for nothing. */
  readonly unasked?: true | undefined;
}

export interface BrowserBindingOptions {
  readonly keys: Keys;
  readonly runtime: Runtime;
  /** Whether pages are served over https; otherwise (loopback only) the cookies can be neither `Secure` nor `__Host-`. */
  readonly secure: boolean;
  readonly transactionTtl: number;
  /** Seconds for which an approval is remembered; 0 = never. */
  readonly rememberConsent: number;
}

/** Pages open at once in one browser. Older ones lose their cookie, or else the Cookie header would outgrow what servers accept. */
const MOST_OPEN_PAGES = 20;
const MOST_REMEMBERED = 25;

/** Makes and checks the cookies. Every one is bound to what it is for, so that none can be moved to another place. */
export class BrowserBinding {
  readonly #options: BrowserBindingOptions;
  readonly #prefix: string;

  constructor(options: BrowserBindingOptions) {
    this.#options = options;
    // RFC 6265bis §4.1.3.2: with __Host- no sibling domain and no plain-http page can plant the cookie.
    this.#prefix = options.secure ? "__Host-sallyport-" : "sallyport-";
  }

  /** A fresh CSRF token for one rendering of one page, and the cookie that belongs to it. Neither is worth anything at the callback. */
  page(transactionId: string): { csrfToken: string; cookie: BindingCookie } {
    const csrfToken = Buffer.from(this.#options.runtime.randomBytes(18)).toString("base64url");
    const value = sign(this.#options.keys, "page", transactionId, csrfToken);
    return { csrfToken, cookie: { name: this.#pageName(transactionId), value, maxAge: this.#options.transactionTtl } };
  }

  /** Whether a form comes from the page that this server showed to this browser for this transaction. */
  provesPage(cookies: ReadonlyMap<string, string>, transactionId: string, csrfToken: string | undefined): boolean {
    const cookie = cookies.get(this.#pageName(transactionId));
    return (
      cookie !== undefined &&
      csrfToken !== undefined &&
      verify(this.#options.keys, cookie, "page", transactionId, csrfToken)
    );
  }

  /** The cookie that says: a person in this browser approved this transaction. Set together with the redirect upstream, never earlier. */
  approval(state: string): BindingCookie {
    const value = sign(this.#options.keys, "approved", state);
    return { name: this.#approvalName(state), value, maxAge: this.#options.transactionTtl };
  }

  /** Whether this browser approved the transaction that a callback is for. */
  provesApproval(cookies: ReadonlyMap<string, string>, state: string): boolean {
    const cookie = cookies.get(this.#approvalName(state));
    return cookie !== undefined && verify(this.#options.keys, cookie, "approved", state);
  }

  /** The cookies of one transaction, emptied. */
  forget(transactionId: string | undefined, state: string): readonly BindingCookie[] {
    const names = [this.#approvalName(state), ...(transactionId === undefined ? [] : [this.#pageName(transactionId)])];
    return names.map((name) => ({ name, value: "", maxAge: 0 }));
  }

  /** Cookies of so many open pages that some have to go, emptied. */
  surplus(cookies: ReadonlyMap<string, string>): readonly BindingCookie[] {
    const ours = [...cookies.keys()].filter(
      (name) => name.startsWith(`${this.#prefix}page-`) || name.startsWith(`${this.#prefix}approved-`),
    );
    return ours
      .slice(0, Math.max(0, ours.length - MOST_OPEN_PAGES + 1))
      .map((name) => ({ name, value: "", maxAge: 0 }));
  }

  /**
   * The list of approvals with this one added, or `undefined` where nothing is to be remembered.
   *
   * @param instead approvals that this one takes the place of
   */
  remember(
    cookies: ReadonlyMap<string, string>,
    approval: Approval,
    instead: readonly Approval[] = [],
  ): BindingCookie | undefined {
    const { rememberConsent, runtime } = this.#options;
    if (rememberConsent <= 0) return undefined;
    const print = printOf(approval);
    const replaced = [print, ...instead.map(printOf)];
    const kept = this.#remembered(cookies).filter((entry) => !replaced.includes(entry.print));
    const entries = [...kept, { print, until: runtime.now() + rememberConsent }].slice(-MOST_REMEMBERED);
    const list = entries.map((entry) => `${entry.print}.${entry.until}`).join("~");
    return {
      name: this.#rememberName,
      value: `${list}~${sign(this.#options.keys, "remembered", list)}`,
      maxAge: rememberConsent,
    };
  }

  /** Whether this browser has approved just this before: the same client, redirect URI, scopes, resources and provider. */
  remembers(cookies: ReadonlyMap<string, string>, approval: Approval): boolean {
    const print = printOf(approval);
    return this.#options.rememberConsent > 0 && this.#remembered(cookies).some((entry) => equal(entry.print, print));
  }

  #remembered(cookies: ReadonlyMap<string, string>): readonly { print: string; until: number }[] {
    const parts = (cookies.get(this.#rememberName) ?? "").split("~");
    const signature = parts.pop() ?? "";
    if (parts.length === 0 || !verify(this.#options.keys, signature, "remembered", parts.join("~"))) return [];
    const now = this.#options.runtime.now();
    return parts
      .map((part) => ({ print: part.slice(0, part.indexOf(".")), until: Number(part.slice(part.indexOf(".") + 1)) }))
      .filter((entry) => entry.until > now);
  }

  get #rememberName(): string {
    return `${this.#prefix}approvals`;
  }

  #pageName(transactionId: string): string {
    return `${this.#prefix}page-${digest(transactionId).slice(0, 16)}`;
  }

  #approvalName(state: string): string {
    return `${this.#prefix}approved-${digest(state).slice(0, 16)}`;
  }
}

function printOf({ clientId, redirectUri, scope, resources, provider, unasked }: Approval): string {
  const parts = [clientId, redirectUri, [...scope].sort(), [...resources].sort(), provider, unasked === true];
  return digest(JSON.stringify(parts)).slice(0, 22);
}
