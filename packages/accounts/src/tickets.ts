/** What passes through the browser between the sign-in page and the callback: sealed, short-lived, and bound to one sign-in. RFC 7636; RFC 9700 §4.5. */
import { type KeyRing, open, type Runtime, seal, verifyCodeVerifier } from "@sallyport/oauth-core/accounts";

/** The sign-in that a page of ours was opened for. */
export interface SignInRequest {
  readonly state: string;
  /** S256 of the verifier that the callback has. */
  readonly codeChallenge: string;
  /** Where the browser ends up after all, as a source for `form-action`. */
  readonly formTarget: string;
  /** When it ends, in seconds since 1970: as the sign-in at the callback does. */
  readonly expiresAt: number;
}

/** Who signed in on a page of ours. */
export interface Ticket {
  readonly userId: string;
  /** How often they had been signed out everywhere. */
  readonly epoch: number;
  /** When they proved who they are, in seconds since 1970. */
  readonly at: number;
  /** How they proved it, in the words of RFC 8176: `pwd`. */
  readonly methods: readonly string[];
  readonly codeChallenge: string;
  /** Seconds since 1970. */
  readonly expiresAt: number;
}

export interface TicketsOptions {
  readonly ring: KeyRing;
  readonly runtime: Runtime;
}

/** Seconds from the sign-in page to the callback, which is one redirect. */
const TICKET_TTL = 60;
/** Characters of the longest text that could be one of ours. */
const LONGEST = 4096;

/** Places that no record lies under: those all have a colon. What was sealed for the one does not open as the other. */
const TICKET = "accounts-ticket";
const REQUEST = "accounts-sign-in-request";

/** Seals and opens them. Nothing is stored: a ticket is worth something only to who holds the verifier, and that one uses it once. */
export class Tickets {
  readonly #options: TicketsOptions;

  constructor(options: TicketsOptions) {
    this.#options = options;
  }

  /** The parameter that carries a sign-in to a page of ours, and from page to page. */
  request({ state, codeChallenge, formTarget, expiresAt }: SignInRequest): string {
    return this.#seal(REQUEST, { state, codeChallenge, formTarget, expiresAt });
  }

  /** Opens one; `undefined` where it is none of ours or has expired. */
  openRequest(text: string): SignInRequest | undefined {
    return this.#open<SignInRequest>(REQUEST, text);
  }

  /** What goes to the callback as `code`. */
  issue(signedIn: Omit<Ticket, "expiresAt">): string {
    const { userId, epoch, at, methods, codeChallenge } = signedIn;
    const expiresAt = this.#options.runtime.now() + TICKET_TTL;
    return this.#seal(TICKET, { userId, epoch, at, methods, codeChallenge, expiresAt });
  }

  /**
   * Opens one for whoever has the verifier of the sign-in that it was given for; `undefined` for everybody else, and when it has expired.
   *
   * RFC 9700 §4.5: a ticket that was taken from one browser and put into another's callback meets another verifier there.
   */
  open(text: string, codeVerifier: string): Ticket | undefined {
    const ticket = this.#open<Ticket>(TICKET, text);
    return ticket !== undefined && verifyCodeVerifier(codeVerifier, ticket.codeChallenge) ? ticket : undefined;
  }

  #seal(place: string, content: SignInRequest | Ticket): string {
    return seal(this.#options.ring, place, JSON.stringify(content));
  }

  #open<T extends { readonly expiresAt: number }>(place: string, text: string): T | undefined {
    if (text.length > LONGEST) return undefined;
    const opened = open(this.#options.ring, place, text);
    if ("unreadable" in opened) return undefined;
    // A seal that opens holds what this class put in.
    const content = JSON.parse(opened.plaintext) as T;
    return this.#options.runtime.now() < content.expiresAt ? content : undefined;
  }
}
