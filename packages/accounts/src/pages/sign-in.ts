/** The page on which a person signs in with a name and a password of ours. */
import { html, layout } from "@sallyport/oauth-core/accounts";
import { field } from "./field.ts";
import { type EntryForm, pageLinks, postForm, primaryButton } from "./post-form.ts";
import { type ProblemName, problemSummary, titleWith } from "./problem.ts";

/** What it shows. */
export interface SignInPage extends EntryForm {
  readonly serverName: string;
  /** What was typed before, where the page comes back. */
  readonly login?: string | undefined;
  readonly problem?: ProblemName | undefined;
  /** Where a forgotten password is reset; absent where no mail is sent. */
  readonly resetUrl?: string | undefined;
  /** Where an account is created; absent where people can't create their own. */
  readonly signUpUrl?: string | undefined;
}

/** Renders it. A password that was typed is never in it. */
export function signInPage(page: SignInPage): string {
  const { serverName, login, problem, request, resetUrl, signUpUrl } = page;
  const title = `Sign in to ${serverName}`;
  return layout(
    titleWith(problem, title),
    html`<h1>${title}</h1>
<p>${request === undefined ? "Then you come to the page of your account." : "Then you go on to the application that you came from."}</p>
${problemSummary(problem)}
${postForm(
  page,
  { request },
  html`${field("login", { label: "Username or e-mail address", value: login, problem, isFirst: true })}${field(
    "password",
    { label: "Password", problem },
  )}${primaryButton("Sign in")}`,
)}
${pageLinks([
  resetUrl === undefined ? undefined : { href: resetUrl, label: "Forgot your password?" },
  signUpUrl === undefined ? undefined : { href: signUpUrl, label: "Create an account" },
])}`,
  );
}
