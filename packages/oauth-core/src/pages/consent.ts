/** The page on which a person decides whether a client may act for them. MCP security best practices, "Consent UI Requirements". */
import { type AnswerForm, answerForm } from "./answer-form.ts";
import { html } from "./html.ts";
import { layout } from "./layout.ts";

/** A scope, with words for it if there are any. */
export interface ScopeWords {
  readonly name: string;
  readonly description: string | undefined;
  /** The names of the providers of which it is asked, where it isn't asked of all. */
  readonly only?: readonly string[] | undefined;
}

export interface ConsentPage extends AnswerForm {
  readonly serverName: string;
  /** What the client calls itself; anybody can call themselves anything. */
  readonly clientName: string | undefined;
  /** The owner of the callback where that is publicly known, or the operator's word for a configured client. */
  readonly verifiedName: string | undefined;
  readonly redirectUri: string;
  /** The host, or the private scheme, that the person is sent back to. */
  readonly redirectHost: string;
  /** Whether that is a program on this very computer, which any program could be. */
  readonly isLoopback: boolean;
  readonly resources: readonly string[];
  /** Where the person signs in, where there is no choice. */
  readonly providerName: string;
  readonly scopes: readonly ScopeWords[];
}

/** Renders it. */
export function consentPage(page: ConsentPage): string {
  const name = page.verifiedName ?? page.clientName ?? "An unnamed application";
  const verified = page.verifiedName !== undefined;
  return layout(
    `Allow ${name}?`,
    html`<h1>Allow ${name} to use ${page.serverName}?</h1>
<p>${verified ? html`<span class="tag">verified</span>` : html`<span class="tag">unverified</span> This is the name that the application gave itself.`}${
      verified && page.clientName !== undefined && page.clientName !== page.verifiedName
        ? html` It calls itself “${page.clientName}”.`
        : undefined
    }</p>
<h2>It will be able to</h2>
${
  page.scopes.length === 0
    ? html`<p>use ${page.serverName} on your behalf</p>`
    : html`<ul>${page.scopes.map(
        ({ name, description, only }) =>
          html`<li>${description === undefined ? html`<code>${name}</code>` : html`${description} <span class="soft">(${name})</span>`}${
            only && html` <span class="soft">with ${only.join(", ")}</span>`
          }</li>`,
      )}</ul>`
}
<p class="soft">at ${page.resources.map((resource, index) => html`${index > 0 && ", "}<span class="uri">${resource}</span>`)}</p>
<h2>You will be sent to</h2>
<p><span class="host">${page.redirectHost}</span><br><span class="uri soft">${page.redirectUri}</span></p>
${
  page.isLoopback &&
  html`<p class="warning">This address is a program on your own computer. Continue only if you have just started the sign-in from a program that you trust.</p>`
}
<p class="soft">If you did not start this yourself, cancel. ${
      page.providers === undefined
        ? html`When you continue, you sign in at ${page.providerName}.`
        : "When you continue, you sign in with the account that you choose."
    }</p>
${answerForm(page)}`,
  );
}
