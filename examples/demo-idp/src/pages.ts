/** The identity provider's pages: plain HTML without script, escaped by construction. */

/** Markup that may be put into a page as it is; only {@link html} makes it. */
class Html {
  readonly markup: string;
  constructor(markup: string) {
    this.markup = markup;
  }
}

/** What may stand in a template: text is escaped, markup made here is not, nothing is left out. */
type Part = string | Html | readonly Html[] | undefined;

const SPECIAL: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function markupOf(part: Part): string {
  if (part === undefined) return "";
  if (typeof part === "string") return part.replace(/[&<>"']/g, (sign) => SPECIAL[sign] ?? sign);
  return part instanceof Html ? part.markup : part.map(({ markup }) => markup).join("");
}

function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(texts.map((text, i) => text + markupOf(parts[i])).join(""));
}

const STYLE = new Html(`
  :root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6676; --line: #cfd6df; --paper: #fff; --ground: #f3f5f8; --accent: #2457c5; --alarm: #a9261b; }
  @media (prefers-color-scheme: dark) {
    :root { --ink: #e7ebf1; --soft: #a3adbb; --line: #3a4451; --paper: #1b212a; --ground: #12161c; --accent: #8db0ff; --alarm: #ff9c92; }
  }
  * { box-sizing: border-box; }
  body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem; background: var(--ground); color: var(--ink);
    font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
  main { width: 100%; max-width: 25rem; padding: 2rem; background: var(--paper); border: 1px solid var(--line); border-radius: 12px; }
  h1 { margin: 0 0 .25rem; font-size: 1.35rem; line-height: 1.3; }
  p { margin: 0 0 1.25rem; color: var(--soft); overflow-wrap: anywhere; }
  p:last-child { margin-bottom: 0; }
  strong { color: var(--ink); font-weight: 600; }
  label { display: block; margin-bottom: .35rem; font-weight: 600; }
  input { width: 100%; padding: .65rem .75rem; font: inherit; color: inherit; background: var(--ground); border: 1px solid var(--line); border-radius: 8px; }
  input:focus-visible, button:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
  .hint { margin: .4rem 0 1.25rem; font-size: .875rem; }
  .alarm { color: var(--alarm); }
  .actions { display: flex; gap: .75rem; }
  button { flex: 1; padding: .65rem 1rem; font: inherit; font-weight: 600; border-radius: 8px; border: 1px solid var(--line); background: transparent; color: inherit; cursor: pointer; }
  button[value="sign-in"] { background: var(--accent); border-color: var(--accent); color: var(--paper); }
  code { font-size: .875rem; }
`);

function page(title: string, body: Html): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`.markup;
}

/** What the sign-in page shows. */
export interface SignInView {
  /** Where the form is posted to. */
  readonly action: string;
  /** Who asks: the client's name or id. */
  readonly clientName: string;
  readonly scopes: readonly string[];
  /** Who has signed in from this browser before. */
  readonly userName?: string | undefined;
  /** What was wrong with the last try. */
  readonly problem?: string | undefined;
}

/** The one page of a sign-in: a field for the name, and two buttons. */
export function signInPage({ action, clientName, scopes, userName, problem }: SignInView): string {
  return page(
    "Sign in - Demo identity provider",
    html`<h1>Sign in</h1>
<p>to continue to <strong>${clientName}</strong>, which asks for <strong>${scopes.join(", ") || "nothing in particular"}</strong>.</p>
<form method="post" action="${action}">
<label for="username">User name</label>
<input id="username" name="username" value="${userName}" maxlength="64" autocomplete="username" autocapitalize="none" spellcheck="false" autofocus aria-describedby="hint">
<p class="${problem === undefined ? "hint" : "hint alarm"}" id="hint">${problem ?? "Any name will do, and there is no password. The name “admin” has the role admin."}</p>
<div class="actions">
<button type="submit" name="action" value="sign-in">Sign in</button>
<button type="submit" name="action" value="cancel">Cancel</button>
</div>
</form>`,
  );
}

/** What a person sees when a sign-in can't go on. */
export function errorPage(problem: string): string {
  return page("Sign-in stopped - Demo identity provider", html`<h1>This sign-in can't go on</h1><p>${problem}</p>`);
}

/** The page at the root: what this is, and where a program finds the rest. */
export function welcomePage(issuer: string): string {
  return page(
    "Demo identity provider",
    html`<h1>Demo identity provider</h1>
<p>An OpenID Connect provider at which any user name signs in. It is for demonstrations and tests, and keeps nothing.</p>
<p>Issuer <code>${issuer}</code><br><a href="/.well-known/openid-configuration">Discovery document</a></p>`,
  );
}
