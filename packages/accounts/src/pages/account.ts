/** The page of a person's own account: who they are here, what they sign in with, and what acts for them. */
import { type Html, html, layout } from "@sallyport/oauth-core/accounts";
import { applicationsSection, type ConnectedApplication } from "./applications-section.ts";
import { browsersSection, type SignedInBrowser } from "./browsers-section.ts";
import { field } from "./field.ts";
import { type LinkableProvider, type LinkedSignIn, linksSection } from "./links-section.ts";
import { passwordSection } from "./password-section.ts";
import { personText } from "./person-text.ts";
import { type FormTarget, plainButton, postForm } from "./post-form.ts";
import { type FieldName, fieldsOf, type ProblemName, problemSummary, titleWith } from "./problem.ts";

/** What was done a moment ago. */
const DONE = {
  name_changed: "Your name is changed.",
  password_changed:
    "Your password is changed. Every other browser is signed out, and no application acts for you any more.",
  session_ended: "That browser is signed out.",
  application_ended: "That application is disconnected.",
  linked: "The sign-in is linked.",
  unlinked: "The sign-in is unlinked.",
} as const;

/** The name of something that was done. */
export type AccountDone = keyof typeof DONE;

/** What it shows. Its forms say in `action` what is to be done, and in `id` or `provider` to what. */
export interface AccountPage extends FormTarget {
  readonly serverName: string;
  /** What the person is called. */
  readonly name: string | undefined;
  /** What they sign in with; at least one of the two is there. */
  readonly username: string | undefined;
  readonly email: string | undefined;
  /** Whether there is a password to change. */
  readonly hasPassword: boolean;
  /** Where a password is set by mail; absent where no mail is sent. */
  readonly resetUrl?: string | undefined;
  /** Absent where the storage can't list them. */
  readonly browsers: readonly SignedInBrowser[] | undefined;
  /** Absent where the storage can't list them. */
  readonly applications: readonly ConnectedApplication[] | undefined;
  readonly linked: readonly LinkedSignIn[];
  readonly linkable: readonly LinkableProvider[];
  /** The form that signs this browser out. */
  readonly signOut: FormTarget;
  readonly done?: AccountDone | undefined;
  readonly problem?: ProblemName | undefined;
  /** The name that was typed before, where the page comes back. */
  readonly typedName?: string | undefined;
}

/** Renders it. A problem stands in the form that it is about. */
export function accountPage(page: AccountPage): string {
  const { serverName, name, username, email, linked, linkable, done, problem } = page;
  const login = username ?? email ?? "";
  const called = name ?? login;
  const isAbout = (...fields: FieldName[]) => fieldsOf(problem).some((wrong) => fields.includes(wrong));
  const ofName = isAbout("name") ? problem : undefined;
  const ofPassword = page.hasPassword && isAbout("password", "new_password", "repeat_password") ? problem : undefined;
  const ofPage = ofName === undefined && ofPassword === undefined ? problem : undefined;
  return layout(
    titleWith(problem, `Your account at ${serverName}`),
    html`<h1>Your account at ${serverName}</h1>
<p>You are signed in as ${personText(called)}.</p>
${[username, email].map((known) => known !== undefined && known !== called && html`<p class="soft" dir="auto">${known}</p>`)}
${done !== undefined && html`<p class="done" role="status">${DONE[done]}</p>`}
${problemSummary(ofPage)}
${nameSection(page, ofName)}
${passwordSection(page, { login, hasPassword: page.hasPassword, resetUrl: page.resetUrl }, ofPassword)}
${browsersSection(page, page.browsers)}
${applicationsSection(page, page.applications)}
${linksSection(page, linked, linkable)}
${signOutSection(page)}`,
  );
}

function nameSection(page: AccountPage, problem: ProblemName | undefined): Html {
  return html`<section aria-labelledby="names">
<h2 id="names">Name</h2>
${problemSummary(problem)}
${postForm(
  page,
  { action: "change_name" },
  html`${field("name", { label: "Your name", hint: "Applications that you connect can see it.", value: page.typedName ?? page.name, problem })}${plainButton("Change the name")}`,
)}
</section>`;
}

function signOutSection(page: AccountPage): Html {
  return html`<section aria-labelledby="sign-out">
<h2 id="sign-out">Sign out</h2>
<p>Everywhere means every browser, this one too, and every application that you have connected.</p>
${postForm(page.signOut, {}, plainButton("Sign out"))}
${postForm(page, { action: "sign_out_everywhere" }, plainButton("Sign out everywhere"))}
</section>`;
}
