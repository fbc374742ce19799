/** Proof that a form was filled in on our own page, in the browser that the page was shown to. OWASP Cross-Site Request Forgery Prevention, signed double submit. */
import { type Keys, type Runtime, sign, verify } from "@sallyport/oauth-core/accounts";
import { cookieName, type NamedCookie } from "./named-cookie.ts";

/** Which form, and in which session. */
export interface FormPlace {
  /** The form's name: a token of one is none for another. */
  readonly form: string;
  /** The id of the session that the page is shown in; absent where nobody is signed in. */
  readonly sessionId?: string | undefined;
}

/** What goes into a page and along with it. */
export interface FormToken {
  readonly csrfToken: string;
  /** To be set with the page: the browser's name, the one that it has or a new one. */
  readonly cookie: NamedCookie;
}

export interface FormTokensOptions {
  readonly keys: Keys;
  readonly runtime: Runtime;
  /** Whether pages are served over https. */
  readonly secure: boolean;
}

/** 128 random bits. */
const BROWSER = /^[A-Za-z0-9_-]{22}$/;
/** What makes each rendering's token another one, and the MAC. */
const TOKEN = /^([A-Za-z0-9_-]{12})([A-Za-z0-9_-]{43})$/;
/** 30 days, renewed by each page: a page that was left open for longer has to be loaded again. When a browser brings back many tabs at once, they all find the name that it has. */
const BROWSER_TTL = 2_592_000;

/**
 * The tokens of one server's forms.
 *
 * A token is a MAC over the browser, the session and the form. Another site can read neither the page nor the cookie, and can't set the cookie; a token that
 * somebody was given for their own browser, before they signed in, or for another form proves nothing.
 */
export class FormTokens {
  readonly #options: FormTokensOptions;
  readonly #cookieName: string;

  constructor(options: FormTokensOptions) {
    this.#options = options;
    this.#cookieName = cookieName("browser", options.secure);
  }

  /**
   * A token for one rendering of a form. Several tabs do not disturb each other.
   *
   * No two renderings have the same: next to text that a stranger chose, on a compressed page, a secret that stays can be guessed from the page's length
   * (BREACH).
   */
  issue(cookies: ReadonlyMap<string, string>, place: FormPlace): FormToken {
    const browser = this.#browser(cookies) ?? this.#random(16);
    const nonce = this.#random(9);
    const csrfToken = nonce + sign(this.#options.keys, ...parts(browser, place, nonce));
    return { csrfToken, cookie: { name: this.#cookieName, value: browser, maxAge: BROWSER_TTL } };
  }

  /** Whether a form comes from the page that this server showed to this browser in this session. */
  proves(cookies: ReadonlyMap<string, string>, place: FormPlace, csrfToken: string | undefined): boolean {
    const browser = this.#browser(cookies);
    const [, nonce, proof] = TOKEN.exec(csrfToken ?? "") ?? [];
    if (browser === undefined || nonce === undefined || proof === undefined) return false;
    return verify(this.#options.keys, proof, ...parts(browser, place, nonce));
  }

  #browser(cookies: ReadonlyMap<string, string>): string | undefined {
    const browser = cookies.get(this.#cookieName) ?? "";
    return BROWSER.test(browser) ? browser : undefined;
  }

  #random(size: number): string {
    return Buffer.from(this.#options.runtime.randomBytes(size)).toString("base64url");
  }
}

function parts(browser: string, { form, sessionId = "" }: FormPlace, nonce: string): readonly string[] {
  return ["form-token", browser, sessionId, form, nonce];
}
