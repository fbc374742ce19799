/** A form that is posted to one of our own paths, with the token that shows that the page was ours. RFC 6749 §10.12. */
import { type Html, html, type Piece } from "@sallyport/oauth-core/accounts";

/** Where a form is posted to, and what shows that it comes from our page. */
export interface FormTarget {
  /** A path or address of this server. */
  readonly action: string;
  readonly csrfToken: string;
}

/** A form that may belong to an authorization in flight. */
export interface EntryForm extends FormTarget {
  /** The sealed authorization that goes on afterwards; absent where somebody came of their own accord. */
  readonly request?: string | undefined;
}

/** Renders a form. The names in `hidden` must not be those of its fields and buttons: a repeated one is refused. */
export function postForm(
  { action, csrfToken }: FormTarget,
  hidden: Readonly<Record<string, string | undefined>>,
  content: Piece,
): Html {
  const values = Object.entries({ csrf_token: csrfToken, ...hidden }).filter(([, value]) => value !== undefined);
  return html`<form method="post" action="${action}">
${values.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">\n`)}${content}
</form>`;
}

/** The one thing to press. */
export function primaryButton(label: string): Html {
  return html`<div class="choices"><button type="submit" class="primary">${label}</button></div>`;
}

/** One of several things that can be pressed, none of which is what the person came for. */
export function plainButton(label: string): Html {
  return html`<div class="choices"><button type="submit">${label}</button></div>`;
}

/** A link to another of our pages. */
export interface PageLink {
  /** A path or address that this server chose: `javascript:` would be one as well. */
  readonly href: string;
  readonly label: string;
}

/** Further ways, below what is to be pressed; nothing where there are none. */
export function pageLinks(links: readonly (PageLink | undefined)[]): Html | undefined {
  const present = links.filter((link) => link !== undefined);
  if (present.length === 0) return undefined;
  return html`<p class="links">${present.map(({ href, label }) => html`<a href="${href}">${label}</a>\n`)}</p>`;
}
