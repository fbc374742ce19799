/** The applications that act for a person, on the page of their account. */
import { type Html, html } from "@sallyport/oauth-core/accounts";
import { personText } from "./person-text.ts";
import { type FormTarget, postForm } from "./post-form.ts";
import { instant } from "./time-words.ts";

/** One application that the person has connected. */
export interface ConnectedApplication {
  readonly id: string;
  /** What the client calls itself; anybody can call themselves anything. */
  readonly clientName: string | undefined;
  readonly scopes: readonly { readonly name: string; readonly description: string | undefined }[];
  /** Seconds since 1970. */
  readonly connectedAt: number;
}

/** Renders the section; `undefined` where they can't be listed. */
export function applicationsSection(
  target: FormTarget,
  applications: readonly ConnectedApplication[] | undefined,
): Html {
  return html`<section aria-labelledby="applications">
<h2 id="applications">Connected applications</h2>
${applicationList(target, applications)}
</section>`;
}

function applicationList(target: FormTarget, applications: readonly ConnectedApplication[] | undefined): Html {
  if (applications === undefined) return html`<p>Your applications can not be listed here.</p>`;
  if (applications.length === 0) return html`<p>No application acts for you.</p>`;
  return html`<p>They act for you until you disconnect them.</p>
${postForm(target, { action: "end_application" }, html`<ul class="rows">${applications.map(applicationRow)}</ul>`)}`;
}

function applicationRow({
  id,
  clientName = "An unnamed application",
  scopes,
  connectedAt,
}: ConnectedApplication): Html {
  return html`<li>
<div>
<p>${personText(clientName)}</p>
${
  scopes.length > 0 &&
  html`<p class="soft">${scopes.map(
    ({ name, description }, index) =>
      html`${index > 0 && html`<br>`}${description === undefined ? html`<code>${name}</code>` : html`${description} (${name})`}`,
  )}</p>`
}
<p class="soft">Since ${instant(connectedAt)}</p>
</div>
<button type="submit" name="id" value="${id}">Disconnect<span class="unseen" dir="auto"> ${clientName}</span></button>
</li>
`;
}
