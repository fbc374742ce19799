/** What a person sees who has signed in, and is not one of those who may. */
import { html } from "./html.ts";
import { layout } from "./layout.ts";

export interface NotAllowedPage {
  readonly serverName: string;
  readonly providerName: string;
  /** What the provider says that they are called; text of a stranger. */
  readonly personName: string | undefined;
  readonly email: string | undefined;
  /** Where the client hears of it: it waits until then. */
  readonly backToClient: string;
  readonly traceId: string;
}

/** Renders it. */
export function notAllowedPage(page: NotAllowedPage): string {
  const title = "This account can not be used here";
  const { personName, email, providerName, serverName } = page;
  return layout(
    title,
    html`<h1>${title}</h1>
<p>${
      personName === undefined && email === undefined
        ? html`You signed in at ${providerName}`
        : html`You signed in at ${providerName} as <span class="host">${personName ?? email}</span>`
    }${personName !== undefined && email !== undefined && html` (${email})`}. The people who run ${serverName} have not admitted this account.</p>
<p>If you have another account, go back and start to sign in again. Otherwise ask them to admit you.</p>
<p class="choices"><a class="button primary" href="${page.backToClient}">Back to your application</a></p>
<p class="soft">If you report this, name <code>${page.traceId}</code>.</p>`,
  );
}
