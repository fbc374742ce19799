/** The mails that people get, and how they are handed to the operator's own way of sending. */
import type { Observe, Runtime } from "@sallyport/oauth-core/accounts";

/** Which mail it is. */
export type MailKind = "sign_up" | "already_registered" | "reset_password" | "password_changed" | "sign_in_linked";

/** A mail to be sent. `subject` and `text` can be sent as they are; `kind`, `url` and `expiresAt` are for words of your own. */
export interface Mail {
  readonly kind: MailKind;
  /** The address, in normal form. */
  readonly to: string;
  /** What the person calls themselves; a stranger's text, to be escaped in HTML. */
  readonly name?: string | undefined;
  readonly subject: string;
  /** Plain text. */
  readonly text: string;
  /** Where it leads. **Of `sign_up` and `reset_password` whoever has it has the account: never log it.** */
  readonly url: string;
  /** When the link ends, in seconds since 1970; absent where it does not. */
  readonly expiresAt?: number | undefined;
}

/**
 * Sends a mail. It is called after the person has been answered, so that its time says nothing about whether there is an account; where it throws, `onEvent` is told
 * (`account.mail_failed`).
 */
export type SendMail = (mail: Mail) => Promise<void> | void;

export interface MailerOptions {
  readonly sendMail: SendMail | undefined;
  readonly serverName: string;
  readonly observe: Observe;
  readonly runtime: Pick<Runtime, "pause">;
}

/** What differs from mail to mail. */
export interface MailOccasion extends Pick<Mail, "kind" | "to" | "name" | "url" | "expiresAt"> {
  /** Whose account it is about. */
  readonly subject: string | undefined;
}

/** The mails of one server. */
export class Mailer {
  readonly #options: MailerOptions;
  readonly #underWay = new Set<Promise<void>>();

  constructor(options: MailerOptions) {
    this.#options = options;
  }

  /** Whether there is a way to send any. */
  get works(): boolean {
    return this.#options.sendMail !== undefined;
  }

  /** Begins to send, and does not wait for it. */
  send(occasion: MailOccasion): void {
    const { sendMail } = this.#options;
    if (sendMail === undefined) return;
    const sending = this.#send(sendMail, occasion).then(() => {
      this.#underWay.delete(sending);
    });
    this.#underWay.add(sending);
  }

  /** Fulfilled when all that has begun has ended. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  async #send(sendMail: SendMail, { subject, ...occasion }: MailOccasion): Promise<void> {
    const { observe, serverName, runtime } = this.#options;
    const { kind: mail } = occasion;
    try {
      // The answer first: also what a function does before it waits for anything would tell a stranger that there is somebody to write to.
      await runtime.pause(0);
      await sendMail({ ...occasion, ...wordsOf(occasion, serverName) });
      observe({ type: "account.mailed", mail, subject });
    } catch (cause) {
      observe({ type: "account.mail_failed", mail, subject, cause });
    }
  }
}

function wordsOf(
  { kind, name, url }: Pick<Mail, "kind" | "name" | "url">,
  serverName: string,
): Pick<Mail, "subject" | "text"> {
  const { subject, text } = WORDS[kind](serverName, url);
  return { subject, text: `${name === undefined ? "Hello" : `Hello ${name}`},\n\n${text}\n` };
}

type Words = (serverName: string, url: string) => { readonly subject: string; readonly text: string };

const WORDS: Readonly<Record<MailKind, Words>> = {
  sign_up: (serverName, url) => ({
    subject: `Your account at ${serverName}`,
    text: `open this link to choose a password and finish your account at ${serverName}:\n\n${url}\n\nIf you did not ask for an account, ignore this mail. Nothing happens without the link.`,
  }),
  already_registered: (serverName, url) => ({
    subject: `You have an account at ${serverName} already`,
    text: `somebody, perhaps you, asked for an account at ${serverName} with this address. You have one already; sign in here, or choose a new password there:\n\n${url}\n\nIf it was not you, ignore this mail. Nobody has been told that you have an account.`,
  }),
  reset_password: (serverName, url) => ({
    subject: `A new password for ${serverName}`,
    text: `open this link to choose a new password for your account at ${serverName}:\n\n${url}\n\nIf you did not ask for it, ignore this mail. Your password stays as it is.`,
  }),
  sign_in_linked: (serverName, url) => ({
    subject: `A new way to sign in to ${serverName}`,
    text: `your account at ${serverName} has just been linked with a sign-in elsewhere, which leads to it from now on. You see it on the page of your account:\n\n${url}\n\nIf it was not you, unlink it there at once, and choose a new password.`,
  }),
  password_changed: (serverName, url) => ({
    subject: `Your password for ${serverName} was changed`,
    text: `the password of your account at ${serverName} has just been changed, and every browser and application has been signed out.\n\nIf it was not you, choose a new password at once:\n\n${url}`,
  }),
};
