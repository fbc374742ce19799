/** The page that the link of a reset leads to. */
import { html, layout } from "@sallyport/oauth-core/accounts";
import { newPasswordFields, passwordOwner } from "./field.ts";
import { personText } from "./person-text.ts";
import { type EntryForm, postForm, primaryButton } from "./post-form.ts";
import { type ProblemName, problemSummary, titleWith } from "./problem.ts";

/** What it shows. */
export interface NewPasswordPage extends EntryForm {
  readonly serverName: string;
  /** Whose password it is, in the word that they sign in with. */
  readonly login: string;
  readonly problem?: ProblemName | undefined;
}

/** Renders it. A password that was typed is never in it. */
export function newPasswordPage(page: NewPasswordPage): string {
  const { serverName, login, problem, request } = page;
  const title = `Choose a new password for ${serverName}`;
  return layout(
    titleWith(problem, title),
    html`<h1>${title}</h1>
<p>It is for the account ${personText(login)}. When you save it, every browser and every application that uses the account is signed out.</p>
${problemSummary(problem)}
${postForm(
  page,
  { request },
  html`${passwordOwner(login)}${newPasswordFields(problem, { isFirst: true })}${primaryButton("Save the password")}`,
)}`,
  );
}
