/** The page for whoever has tried too often: how long to wait, and what still works meanwhile. RFC 6585 §4. */
import { html, layout } from "@sallyport/oauth-core/accounts";
import type { PageLink } from "./post-form.ts";
import { durationWords } from "./time-words.ts";

/** What it shows. */
export interface SlowedDownPage {
  /** What there was too much of: attempts to sign in, or mails that were asked for. */
  readonly purpose: "sign_in" | "mail";
  /** How long to wait, in seconds; the `Retry-After` of the answer. */
  readonly retryAfter: number;
  /** Where to try again. */
  readonly link: PageLink;
}

/** Renders it. It is the same whether or not there is an account. */
export function slowedDownPage({ purpose, retryAfter, link }: SlowedDownPage): string {
  const title = "Too many attempts";
  const wait = durationWords(retryAfter);
  return layout(
    title,
    html`<h1>${title}</h1>
${
  purpose === "sign_in"
    ? html`<p>There have been too many attempts to sign in. Wait ${wait}, then try again.</p>
<p>Browsers that were used for the account before still work: if you have one, sign in there.</p>
<p class="soft">If it was not you, somebody may be guessing. A long password that you use nowhere else is safe from that.</p>`
    : html`<p>Too many mails have been asked for. Wait ${wait}, then try again.</p>
<p>A link that has reached you still works until it runs out.</p>`
}
<p class="choices"><a class="button primary" href="${link.href}">${link.label}</a></p>`,
  );
}
