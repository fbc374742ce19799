/** The form of the pages on which a person decides, with one button for each answer. */
import { type Html, html } from "./html.ts";

export interface AnswerForm {
  /** Where it is posted to. */
  readonly action: string;
  readonly transactionId: string;
  readonly csrfToken: string;
  /** The providers to choose from; absent where there is no choice. */
  readonly providers?: readonly { readonly id: string; readonly name: string }[] | undefined;
}

/** Refusing stands before allowing, so that Enter allows nothing. */
export function answerForm({ action, transactionId, csrfToken, providers }: AnswerForm): Html {
  return html`<form method="post" action="${action}">
<input type="hidden" name="transaction" value="${transactionId}">
<input type="hidden" name="csrf_token" value="${csrfToken}">
<div class="${providers === undefined ? "choices" : "choices providers"}">
<button type="submit" name="action" value="deny">Cancel</button>
${
  providers === undefined
    ? html`<button type="submit" name="action" value="approve" class="primary">Continue</button>`
    : providers.map(
        ({
          id,
          name,
        }) => html`<button type="submit" name="provider" value="${id}" class="provider">Continue with ${name}</button>
`,
      )
}
</div>
</form>`;
}
