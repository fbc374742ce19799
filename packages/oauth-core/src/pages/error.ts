/** What a person sees when a sign-in can't go on: what happened, what to do next, and an id to tell the operator. */
import { html } from "./html.ts";
import { layout } from "./layout.ts";

export interface ErrorPage {
  readonly title: string;
  /** What happened, from the table of refusals; never a stranger's text. */
  readonly description: string;
  /** What to do next. */
  readonly advice: string;
  readonly traceId: string;
}

/** Renders it. */
export function errorPage({ title, description, advice, traceId }: ErrorPage): string {
  return layout(
    title,
    html`<h1>${title}</h1>
<p>${description}</p>
<p>${advice}</p>
<p class="soft">If you report this, name <code>${traceId}</code>.</p>`,
  );
}
