/** The page on which somebody gives the address for a new account. */
import { html, layout } from "@sallyport/oauth-core/accounts";
import { field } from "./field.ts";
import { type EntryForm, pageLinks, postForm, primaryButton } from "./post-form.ts";
import { type ProblemName, problemSummary, titleWith } from "./problem.ts";

/** What it shows. */
export interface SignUpPage extends EntryForm {
  readonly serverName: string;
  /** What was typed before, where the page comes back. */
  readonly email?: string | undefined;
  readonly problem?: ProblemName | undefined;
  readonly signInUrl: string;
}

/** Renders it. */
export function signUpPage(page: SignUpPage): string {
  const { serverName, email, problem, request, signInUrl } = page;
  const title = `Create an account at ${serverName}`;
  return layout(
    titleWith(problem, title),
    html`<h1>${title}</h1>
<p>We send a link to your address. Open it to choose your name and password.</p>
${problemSummary(problem)}
${postForm(
  page,
  { request },
  html`${field("email", { label: "E-mail address", value: email, problem, isFirst: true })}${primaryButton("Send the link")}`,
)}
${pageLinks([{ href: signInUrl, label: "Sign in instead" }])}`,
  );
}
