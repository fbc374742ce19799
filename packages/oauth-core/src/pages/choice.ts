/** The page on which a person chooses where to sign in, where there is nothing else to ask. */
import { type AnswerForm, answerForm } from "./answer-form.ts";
import { html } from "./html.ts";
import { layout } from "./layout.ts";

export interface ChoicePage extends AnswerForm {
  readonly serverName: string;
}

/** Renders it. */
export function choicePage(page: ChoicePage): string {
  const title = `Sign in to ${page.serverName}`;
  return layout(
    title,
    html`<h1>${title}</h1>
<p>Choose the account that you want to use.</p>
<p class="soft">If you did not start this yourself, cancel.</p>
${answerForm(page)}`,
  );
}
