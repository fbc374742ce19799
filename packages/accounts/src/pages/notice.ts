/** A page that says one thing, and where to go from there. */
import { html, layout } from "@sallyport/oauth-core/accounts";
import type { PageLink } from "./post-form.ts";

/** What it shows. */
export interface NoticePage {
  readonly title: string;
  readonly text: string;
  readonly link: PageLink;
}

/** Renders it. */
export function noticePage({ title, text, link }: NoticePage): string {
  return layout(
    title,
    html`<h1>${title}</h1>
<p>${text}</p>
<p class="choices"><a class="button primary" href="${link.href}">${link.label}</a></p>`,
  );
}
