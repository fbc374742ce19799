/** The page on which a person decides whether a client may act for them. MCP security best practices, "Consent UI Requirements". */
import { html } from "./html.ts";
import { layout } from "./layout.ts";

export interface ConsentPage {
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
  /** Where the person signs in. */
  readonly providerName: string;
  /** Each scope with words for it, if there are any. */
  readonly scopes: readonly { readonly name: string; readonly description: string | undefined }[];
  readonly action: string;
  readonly transactionId: string;
  readonly csrfToken: string;
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
    : html`<ul>${page.scopes.map(({ name, description }) =>
        description === undefined
          ? html`<li><code>${name}</code></li>`
          : html`<li>${description} <span class="soft">(${name})</span></li>`,
      )}</ul>`
}
<p class="soft">at ${page.resources.map((resource, index) => html`${index > 0 && ", "}<span class="uri">${resource}</span>`)}</p>
<h2>You will be sent to</h2>
<p><span class="host">${page.redirectHost}</span><br><span class="uri soft">${page.redirectUri}</span></p>
${
  page.isLoopback &&
  html`<p class="warning">This address is a program on your own computer. Continue only if you have just started the sign-in from a program that you trust.</p>`
}
<p class="soft">If you did not start this yourself, cancel. When you continue, you sign in at ${page.providerName}.</p>
<form method="post" action="${page.action}">
<input type="hidden" name="transaction" value="${page.transactionId}">
<input type="hidden" name="csrf_token" value="${page.csrfToken}">
<div class="choices">
<button type="submit" name="action" value="deny">Cancel</button>
<button type="submit" name="action" value="approve" class="primary">Continue</button>
</div>
</form>`,
  );
}
