/** What all pages of accounts have in common: who is there, whether a form is ours, and how a page is answered with. */
import {
  OAuthProxyError,
  type PageRequest,
  type Parameters,
  page,
  parseParameters,
  type Reply,
  readCookies,
  readForm,
  redirect,
  STYLE_HASH,
  saysSameOrigin,
  setCookie,
} from "@sallyport/oauth-core/accounts";
import type { AccountParts } from "../account-parts.ts";
import { type BrowserSession, counts } from "../browser-sessions.ts";
import type { FormPlace } from "../form-tokens.ts";
import { cookieName, type NamedCookie } from "../named-cookie.ts";
import type { ProblemName } from "../pages/problem.ts";
import type { SignInRequest } from "../tickets.ts";
import type { User } from "../user-store.ts";

/** The person in front of a browser, and the session that says so. */
export interface Present {
  readonly user: User;
  readonly session: BrowserSession;
}

/** What came with a form. */
export interface Posted {
  /**
   * The fields; `undefined` where the browser says that they are from a page of ours, and the token that it proves nothing: the page is from before the cookies were deleted,
   * from before another sign-in, or was opened at the same moment as another one. Nothing is done then, and the page is shown anew.
   */
  readonly form: Parameters | undefined;
  /** The sealed sign-in that the page was opened for; whatever came with the form. */
  readonly request: string | undefined;
}

/** Something to say on the next page: one of a few words, and never text. */
const NOTICES = [
  "password_changed",
  "session_ended",
  "application_ended",
  "name_changed",
  "linked",
  "unlinked",
  "link_failed",
  "link_taken",
  "too_many_links",
  "last_way_in",
] as const;
export type Notice = (typeof NOTICES)[number];
/** Seconds; it is for the page that comes next. */
const NOTICE_TTL = 30;

/** One visit to one page. */
export class Visit {
  readonly parts: AccountParts;
  readonly request: Request;
  readonly traceId: string;
  readonly cookies: ReadonlyMap<string, string>;
  readonly address: string | undefined;
  readonly visit: PageRequest;

  constructor(parts: AccountParts, visit: PageRequest) {
    this.parts = parts;
    this.visit = visit;
    this.request = visit.request;
    this.traceId = visit.traceId;
    this.cookies = readCookies(visit.request);
    this.address = parts.addressOf(visit.request, visit.clientAddress);
  }

  /** The address of a page of ours. */
  url(path: string, query: Readonly<Record<string, string | undefined>> = {}): string {
    const present = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined);
    const search = new URLSearchParams(present).toString();
    return `${this.parts.home.url}${path}${search === "" ? "" : `?${search}`}`;
  }

  /** The parameters of the address. @throws {OAuthProxyError} */
  query(): Parameters {
    const { url } = this.request;
    const at = url.indexOf("?");
    return parseParameters(at === -1 ? "" : (url.slice(at + 1).split("#", 1)[0] ?? ""));
  }

  /**
   * A form of ours, from our page in this browser. RFC 6749 §10.12: without, another site could sign its visitors in as somebody else, or out, or change their password.
   *
   * @throws {OAuthProxyError} `consent_forged`; what a body can be wrong with
   */
  async form(place: FormPlace): Promise<Posted> {
    const { home, formTokens } = this.parts;
    home.refuseOtherSites(this.request);
    const form = await readForm(this.request);
    const request = form.get("request");
    if (formTokens.proves(this.cookies, place, form.get("csrf_token"))) return { form, request };
    // Without the browser's word for it, it may be another site's. That one gets no page, nor the cookie that comes with one.
    if (!saysSameOrigin(this.request)) throw new OAuthProxyError("consent_forged");
    home.observe({ type: "request.refused", endpoint: this.visit.endpoint, reason: "consent_forged" }, this.traceId);
    return { form: undefined, request };
  }

  /** Who is signed in here. */
  async present(): Promise<Present | undefined> {
    const session = await this.parts.sessions.find(this.cookies);
    if (session === undefined) return undefined;
    const user = await this.parts.directory.store.find(session.userId);
    return user !== undefined && counts(session, user) ? { user, session } : undefined;
  }

  /**
   * The sign-in that the page was opened for; `undefined` where somebody came of their own accord.
   *
   * @throws {OAuthProxyError} `transaction_unknown` for one that has expired or is none of ours; `browser_mismatch` for one that was begun in another browser: whoever sent
   *   the link would be signed in as the person who follows it
   */
  signInRequest(sealed: string | undefined): SignInRequest | undefined {
    if (sealed === undefined) return undefined;
    const request = this.parts.tickets.openRequest(sealed);
    if (request === undefined) throw new OAuthProxyError("transaction_unknown");
    if (!this.parts.home.isBegunHere(this.request, request.state)) throw new OAuthProxyError("browser_mismatch");
    return request;
  }

  /** A page with a form on it, and its token. `problem`: why it is shown again. */
  show(
    problem: ProblemName | undefined,
    place: FormPlace,
    render: (csrfToken: string) => string,
    {
      targets = [],
      cookies = [],
    }: { readonly targets?: readonly string[]; readonly cookies?: readonly NamedCookie[] } = {},
  ): Reply {
    const { csrfToken, cookie } = this.parts.formTokens.issue(this.cookies, place);
    return page(
      statusOf(problem),
      render(csrfToken),
      STYLE_HASH,
      ["'self'", ...targets],
      this.#set([cookie, ...cookies]),
    );
  }

  /** A page without a form. */
  tell(status: number, text: string, cookies: readonly NamedCookie[] = [], headers: Reply["headers"] = []): Reply {
    return page(status, text, STYLE_HASH, [], [...this.#set(cookies), ...headers]);
  }

  /** RFC 9700 §4.12: after a form always 303, or the browser would post the password once more. */
  goTo(location: string, cookies: readonly NamedCookie[] = []): Reply {
    return redirect(303, location, this.#set(cookies));
  }

  /** On to where a person goes who has just signed in, or was signed in: to the application that waits, or to their account. */
  onwards(
    request: SignInRequest | undefined,
    { user, session }: Present,
    cookies: readonly NamedCookie[] = [],
    notice?: Notice,
  ): Reply {
    if (request === undefined) return this.account(notice, cookies);
    const { tickets, callbackUrl } = this.parts;
    const { state, codeChallenge } = request;
    const { startedAt: at, methods } = session;
    const code = tickets.issue({ userId: user.id, epoch: user.epoch, at, methods, codeChallenge });
    return this.goTo(`${callbackUrl}?${new URLSearchParams({ state, code })}`, cookies);
  }

  /** To the page of the account, with something to say there. */
  account(notice: Notice | undefined, cookies: readonly NamedCookie[] = []): Reply {
    const said = notice === undefined ? [] : [{ name: this.#noticeName, value: notice, maxAge: NOTICE_TTL }];
    return this.goTo(this.url("/account"), [...said, ...cookies]);
  }

  /** What the page before had to say, and the cookie that takes it away. */
  notice(): { readonly notice: Notice | undefined; readonly cookies: readonly NamedCookie[] } {
    const value = this.cookies.get(this.#noticeName);
    if (value === undefined) return { notice: undefined, cookies: [] };
    const cookies = [{ name: this.#noticeName, value: "", maxAge: 0 }];
    return { notice: NOTICES.find((each) => each === value), cookies };
  }

  /**
   * Begins a session for a person who has just proven who they are, in place of the one that the browser had. The one place where this happens: a second step after the
   * password goes before it.
   */
  async begin(user: User, methods: readonly string[]): Promise<{ present: Present; cookies: readonly NamedCookie[] }> {
    const { sessions, knownBrowsers, home } = this.parts;
    await sessions.leave(this.cookies);
    const userAgent = this.request.headers.get("user-agent") ?? undefined;
    const { session, cookie } = await sessions.start({ user, methods, userAgent, address: this.address });
    home.observe({ type: "account.signed_in", subject: user.id, methods }, this.traceId);
    return { present: { user, session }, cookies: [cookie, knownBrowsers.remember(this.cookies, user)] };
  }

  get #noticeName(): string {
    return cookieName("notice", this.parts.home.secure);
  }

  #set(cookies: readonly NamedCookie[]): Reply["headers"] {
    return cookies.map((cookie) => setCookie(cookie, this.parts.home.secure));
  }
}

/** A form that was refused for where it came from, and one whose fields have to be corrected. RFC 9110 §15.5.4, §15.5.21. */
function statusOf(problem: ProblemName | undefined): number {
  if (problem === undefined) return 200;
  return problem === "page_outdated" ? 403 : 422;
}
