/** All that the pages of accounts work with, put together once. */
import type { Home, Runtime } from "@sallyport/oauth-core/accounts";
import type { Attempts } from "./attempts.ts";
import type { BrowserSessions } from "./browser-sessions.ts";
import type { Directory } from "./directory.ts";
import type { FormTokens } from "./form-tokens.ts";
import type { KnownBrowsers } from "./known-browsers.ts";
import type { Links } from "./links.ts";
import type { MailTokens } from "./mail-tokens.ts";
import type { Mailer } from "./mailer.ts";
import type { PasswordSignIn } from "./password-sign-in.ts";
import type { SigningOut } from "./signing-out.ts";
import type { Tickets } from "./tickets.ts";

export interface AccountParts {
  readonly home: Home;
  readonly runtime: Runtime;
  /** Where the engine waits for the ticket. */
  readonly callbackUrl: string;
  readonly directory: Directory;
  readonly attempts: Attempts;
  readonly knownBrowsers: KnownBrowsers;
  readonly passwordSignIn: PasswordSignIn;
  readonly sessions: BrowserSessions;
  readonly formTokens: FormTokens;
  readonly mailTokens: MailTokens;
  readonly mailer: Mailer;
  readonly links: Links;
  readonly tickets: Tickets;
  readonly signingOut: SigningOut;
  /** Whether people may make accounts of their own. */
  readonly signUp: boolean;
  /** Seconds for which the links of mails work. */
  readonly mailTtl: Readonly<Record<"sign_up" | "reset_password", number>>;
  /** Where a request comes from. */
  readonly addressOf: (request: Request, fromAdapter: string | undefined) => string | undefined;
}
