/** The page on which somebody asks for a new password. */
import { html, layout } from "@sallyport/oauth-core/accounts";
import { field } from "./field.ts";
import { type EntryForm, pageLinks, postForm, primaryButton } from "./post-form.ts";
import { type ProblemName, problemSummary, titleWith } from "./problem.ts";

/** What it shows. */
export interface ForgottenPasswordPage extends EntryForm {
  readonly serverName: string;
  /** What was typed before, where the page comes back. */
  readonly login?: string | undefined;
  readonly problem?: ProblemName | undefined;
  readonly signInUrl: string;
}

/** Renders it. */
export function forgottenPasswordPage(page: ForgottenPasswordPage): string {
  const { serverName, login, problem, request, signInUrl } = page;
  const title = `Reset your password for ${serverName}`;
  return layout(
    titleWith(problem, title),
    html`<h1>${title}</h1>
<p>We send a link to the address of your account. Open it to choose a new password. Until then the old one stays.</p>
${problemSummary(problem)}
${postForm(
  page,
  { request },
  html`${field("login", { label: "Username or e-mail address", value: login, problem, isFirst: true })}${primaryButton("Send the link")}`,
)}
${pageLinks([{ href: signInUrl, label: "Back to sign in" }])}`,
  );
}
