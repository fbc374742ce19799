/** The page that the link of a sign-up leads to: the name and the password of the new account. */
import { html, layout } from "@sallyport/oauth-core/accounts";
import { field, newPasswordFields, passwordOwner } from "./field.ts";
import { personText } from "./person-text.ts";
import { type EntryForm, postForm, primaryButton } from "./post-form.ts";
import { type ProblemName, problemSummary, titleWith } from "./problem.ts";

/** What it shows. */
export interface FinishSignUpPage extends EntryForm {
  readonly serverName: string;
  /** The address that the link was sent to. */
  readonly email: string;
  /** What was typed before, where the page comes back. */
  readonly name?: string | undefined;
  readonly problem?: ProblemName | undefined;
}

/** Renders it. A password that was typed is never in it. */
export function finishSignUpPage(page: FinishSignUpPage): string {
  const { serverName, email, name, problem, request } = page;
  const title = `Create your account at ${serverName}`;
  return layout(
    titleWith(problem, title),
    html`<h1>${title}</h1>
<p>You will sign in with ${personText(email)}. ${
      request === undefined ? "" : "Once the account is there, you go on to the application that you came from."
    }</p>
${problemSummary(problem)}
${postForm(
  page,
  { request },
  html`${passwordOwner(email)}${field("name", { label: "Your name", hint: "Applications that you connect can see it.", value: name, problem, isFirst: true })}${newPasswordFields(problem)}${primaryButton("Create the account")}`,
)}`,
  );
}
