/** The page after somebody asked for a mail. It is the same whether or not there is an account. */
import { html, layout } from "@sallyport/oauth-core/accounts";
import { personText } from "./person-text.ts";
import { pageLinks } from "./post-form.ts";
import { durationWords } from "./time-words.ts";

/** What it shows. */
export interface MailSentPage {
  readonly purpose: "sign_up" | "reset_password";
  /** What was typed: a username or an address. Never the address of an account that was found. */
  readonly login: string;
  /** How long the link works, in seconds. */
  readonly linkTtl: number;
  /** Where to ask for the mail once more. */
  readonly againUrl: string;
}

/** Renders it. */
export function mailSentPage({ purpose, login, linkTtl, againUrl }: MailSentPage): string {
  const title = "Check your mail";
  return layout(
    title,
    html`<h1>${title}</h1>
<p>${
      purpose === "sign_up"
        ? html`We have sent a mail to ${personText(login)}. Open the link in it to go on.`
        : html`If there is an account for ${personText(login)}, we have sent a link to its address. It leads to a new password.`
    }</p>
<p>The link works for ${durationWords(linkTtl)}, and once. You can close this page.</p>
<p class="soft">Nothing there after a few minutes? Look into the folder for spam, and at how you wrote the name above.</p>
${pageLinks([{ href: againUrl, label: "Ask again" }])}`,
  );
}
