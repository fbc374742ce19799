/** The sign-ins of other providers that lead to a person's account, on the page of it. */
import { type Html, html } from "@sallyport/oauth-core/accounts";
import { personText } from "./person-text.ts";
import { type FormTarget, postForm } from "./post-form.ts";
import { instant } from "./time-words.ts";

/** One sign-in that leads to the account. */
export interface LinkedSignIn {
  readonly id: string;
  readonly providerName: string;
  /** What the provider calls the person; a stranger's text. */
  readonly label: string | undefined;
  /** Seconds since 1970. */
  readonly linkedAt: number;
}

/** A provider of which no sign-in is linked. */
export interface LinkableProvider {
  readonly id: string;
  readonly name: string;
}

/** Renders the section; nothing where there is neither. */
export function linksSection(
  target: FormTarget,
  linked: readonly LinkedSignIn[],
  linkable: readonly LinkableProvider[],
): Html | undefined {
  if (linked.length === 0 && linkable.length === 0) return undefined;
  return html`<section aria-labelledby="links">
<h2 id="links">Linked sign-ins</h2>
<p>You can also sign in with an account that you have elsewhere.</p>
${linked.length > 0 && postForm(target, { action: "unlink" }, html`<ul class="rows">${linked.map(linkedRow)}</ul>`)}
${linkable.length > 0 && postForm(target, { action: "link" }, html`<div class="choices providers">${linkable.map(linkButton)}</div>`)}
</section>`;
}

function linkedRow({ id, providerName, label, linkedAt }: LinkedSignIn): Html {
  return html`<li>
<div>
<p>${providerName}${label !== undefined && html` ${personText(label)}`}</p>
<p class="soft">Since ${instant(linkedAt)}</p>
</div>
<button type="submit" name="id" value="${id}">Unlink<span class="unseen" dir="auto"> ${providerName} ${label}</span></button>
</li>
`;
}

function linkButton({ id, name }: LinkableProvider): Html {
  return html`<button type="submit" name="provider" value="${id}" class="provider">Link ${name}</button>
`;
}
