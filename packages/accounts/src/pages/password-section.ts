/** The change of the password, on the page of an account. */
import { type Html, html } from "@sallyport/oauth-core/accounts";
import { field, newPasswordFields, passwordOwner } from "./field.ts";
import { type FormTarget, pageLinks, plainButton, postForm } from "./post-form.ts";
import { type ProblemName, problemSummary } from "./problem.ts";

/** What it takes to change a password. */
export interface PasswordSection {
  /** What the person signs in with, for their password manager. */
  readonly login: string;
  /** Whether there is one to change. Without one it is set by mail alone: an open browser must not be enough for a new way in. */
  readonly hasPassword: boolean;
  /** Where a password is set by mail; absent where no mail is sent. */
  readonly resetUrl?: string | undefined;
}

/** Renders the section, with what is wrong in it. */
export function passwordSection(
  target: FormTarget,
  { login, hasPassword, resetUrl }: PasswordSection,
  problem: ProblemName | undefined,
): Html {
  return html`<section aria-labelledby="passwords">
<h2 id="passwords">Password</h2>
${
  hasPassword
    ? html`<p>When you change it, every other browser and every application is signed out.</p>
${problemSummary(problem)}
${postForm(
  target,
  { action: "change_password" },
  html`${passwordOwner(login)}${field("password", { label: "Current password", problem })}${newPasswordFields(problem)}${plainButton("Change the password")}`,
)}`
    : html`<p>You have no password. You sign in with a linked sign-in.</p>
${resetUrl !== undefined && pageLinks([{ href: resetUrl, label: "Set a password by mail" }])}`
}
</section>`;
}
