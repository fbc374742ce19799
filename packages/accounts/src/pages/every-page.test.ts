import { STYLE_HASH } from "@sallyport/oauth-core/accounts";
import { type HTMLElement, parse } from "node-html-parser";
import { describe, expect, test } from "vitest";
import { accountPage } from "./account.ts";
import { finishSignUpPage } from "./finish-sign-up.ts";
import { forgottenPasswordPage } from "./forgotten-password.ts";
import { mailSentPage } from "./mail-sent.ts";
import { newPasswordPage } from "./new-password.ts";
import { noticePage } from "./notice.ts";
import { PROBLEMS, type ProblemName } from "./problem.ts";
import { signInPage } from "./sign-in.ts";
import { signUpPage } from "./sign-up.ts";
import { slowedDownPage } from "./slowed-down.ts";

type Rewrite = (plain: string) => string;
const asIs: Rewrite = (plain) => plain;

/** Every page in its forms, each text of the operator passed through `ours`, and each text of a person or a stranger through `theirs`. */
function pages(ours: Rewrite, theirs: Rewrite, problem?: ProblemName): Readonly<Record<string, string>> {
  const form = {
    serverName: ours("Notes"),
    action: ours("/oauth/x"),
    csrfToken: ours("token"),
    request: ours("sealed"),
  };
  const link = { href: ours("/oauth/sign-in"), label: ours("Sign in") };
  const account = {
    ...form,
    name: theirs("Alice"),
    username: theirs("alice"),
    email: theirs("alice@example.com"),
    hasPassword: true,
    resetUrl: ours("/oauth/reset-password"),
    browsers: [
      { id: ours("1"), startedAt: 0, seenAt: 60, userAgent: theirs("one"), isThis: true },
      { id: ours("2"), startedAt: 0, seenAt: 60, userAgent: theirs("two"), isThis: false },
    ],
    applications: [
      {
        id: ours("3"),
        clientName: theirs("Editor"),
        scopes: [
          { name: ours("read"), description: ours("Read") },
          { name: ours("write"), description: undefined },
        ],
        connectedAt: 0,
      },
    ],
    linked: [{ id: ours("4"), providerName: ours("Google"), label: theirs("alice@other.example"), linkedAt: 0 }],
    linkable: [{ id: ours("github"), name: ours("GitHub") }],
    signOut: { action: ours("/oauth/sign-out"), csrfToken: ours("other token") },
    problem,
  };
  const urls = { resetUrl: ours("/oauth/reset-password"), signUpUrl: ours("/oauth/sign-up") };
  const signInUrl = ours("/oauth/sign-in");
  const sent = { login: theirs("alice"), linkTtl: 1800, againUrl: ours("/oauth/reset-password") };
  return {
    "sign in": signInPage({ ...form, ...urls, login: theirs("alice"), problem }),
    "sign up": signUpPage({ ...form, signInUrl, email: theirs("alice@example.com"), problem }),
    "finish sign-up": finishSignUpPage({ ...form, email: theirs("a@b.example"), name: theirs("Alice"), problem }),
    "mail sent for a sign-up": mailSentPage({ ...sent, purpose: "sign_up" }),
    "mail sent for a reset": mailSentPage({ ...sent, purpose: "reset_password" }),
    "forgotten password": forgottenPasswordPage({ ...form, signInUrl, login: theirs("alice"), problem }),
    "new password": newPasswordPage({ ...form, login: theirs("alice"), problem }),
    account: accountPage({ ...account, done: "linked" }),
    "account, with a name that was refused": accountPage({ ...account, typedName: theirs("refused") }),
    "account without a password": accountPage({ ...account, hasPassword: false, browsers: undefined }),
    notice: noticePage({ title: ours("Done"), text: ours("It is done."), link }),
    "slowed down at the sign-in": slowedDownPage({ purpose: "sign_in", retryAfter: 60, link }),
    "slowed down with mails": slowedDownPage({ purpose: "mail", retryAfter: 60, link }),
  };
}

const PLAIN = pages(asIs, asIs);
const NAMES = Object.keys(PLAIN);
const PROBLEM_NAMES = Object.keys(PROBLEMS) as ProblemName[];

const plain = (name: string): string => PLAIN[name] ?? "";
const parsed = (page: string): HTMLElement => parse(page);
const inputs = (page: string): HTMLElement[] =>
  parsed(page)
    .querySelectorAll("input")
    .filter((input) => input.getAttribute("type") !== "hidden" && !input.hasAttribute("hidden"));

/** The tags of a page, without the values of their attributes. */
function tagsOf(page: string): string[] {
  return [...page.matchAll(/<[^>]*>/g)].map(([tag]) => tag.replace(/="[^"]*"/g, ""));
}

describe.each([
  "<script>alert(1)</script>",
  `"><img src=x onerror=y>`,
  `' onclick='x`,
  "</style><svg/onload=x>",
  "</title><base href=x>",
  "&lt;b&gt;",
])("%j", (hostile) => {
  const everywhere = pages(
    (text) => hostile + text,
    (text) => hostile + text,
  );

  test.each(NAMES)("%s: is text wherever it is put", (name) => {
    expect(tagsOf(everywhere[name] ?? "")).toEqual(tagsOf(plain(name)));
  });
});

describe.each(NAMES)("%s", (name) => {
  const page = parsed(plain(name));

  test("has no script, no handler, nothing from elsewhere, and the one style that the policy names", async () => {
    expect(plain(name)).not.toMatch(/<script|<link|<img|<iframe|<base|\son\w+=|\sstyle=|javascript:|@import|url\(/i);
    const style = /<style>([\s\S]*?)<\/style>/.exec(plain(name))?.[1] ?? "";
    const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(style));
    expect(`'sha256-${Buffer.from(hash).toString("base64")}'`).toBe(STYLE_HASH);
  });

  test("has one heading, and at most one button or link that stands out", () => {
    expect(page.querySelectorAll("h1")).toHaveLength(1);
    expect(page.querySelectorAll(".primary").length).toBeLessThanOrEqual(1);
  });

  test("WCAG 2.2 §1.3.1: each id stands once, and each reference leads to one", () => {
    const ids = page.querySelectorAll("[id]").map((element) => element.getAttribute("id"));
    expect(new Set(ids).size).toBe(ids.length);
    const references = page.querySelectorAll("[for],[aria-describedby],[aria-labelledby]").flatMap((element) =>
      ["for", "aria-describedby", "aria-labelledby"].flatMap((attribute) => {
        const value = element.getAttribute(attribute);
        return value === undefined ? [] : value.split(" ");
      }),
    );
    for (const reference of references) expect(ids).toContain(reference);
  });

  test("WCAG 2.2 §1.3.5, §3.3.2: each input is labelled, required, and says what it is for", () => {
    for (const input of inputs(plain(name))) {
      expect(page.querySelectorAll(`label[for="${input.getAttribute("id")}"]`)).toHaveLength(1);
      expect(input.hasAttribute("required")).toBe(true);
      expect(input.getAttribute("autocomplete")).toMatch(/^(username|email|name|current-password|new-password)$/);
    }
  });

  test("WCAG 2.2 §2.4.6: no two buttons have the same name", () => {
    const labels = page.querySelectorAll("button").map((button) => button.text);
    expect(new Set(labels).size).toBe(labels.length);
  });

  test("no password can be cut by the browser, or stands in the page", () => {
    for (const input of inputs(plain(name)).filter((one) => one.getAttribute("type") === "password")) {
      expect(input.hasAttribute("maxlength")).toBe(false);
      expect(input.hasAttribute("value")).toBe(false);
    }
  });

  test("RFC 6749 §10.12: each form is posted, with a token, and no name twice, whichever button is pressed", () => {
    for (const form of page.querySelectorAll("form")) {
      expect(form.getAttribute("method")).toBe("post");
      const sent = form.querySelectorAll("input[name]").map((input) => input.getAttribute("name"));
      expect(sent).toContain("csrf_token");
      const buttons = form.querySelectorAll("button").map((button) => button.getAttribute("name"));
      expect(buttons.length).toBeGreaterThan(0);
      for (const button of buttons) {
        const all = button === undefined ? sent : [...sent, button];
        expect(new Set(all).size).toBe(all.length);
      }
    }
  });

  test("UAX #9: what a person or a stranger wrote can't turn the words around it", () => {
    const marked = parsed(pages(asIs, (text) => `\u202e\u0645${text}`)[name] ?? "");
    const around = marked.querySelectorAll("main *").filter((element) => element.getAttribute("dir") !== "auto");
    for (const element of around) {
      const own = element.childNodes.filter((node) => node.nodeType === 3).map((node) => node.rawText);
      expect(own.join("")).not.toContain("\u202e");
    }
    for (const input of inputs(marked.toString()).filter((one) => one.getAttribute("value")?.includes("\u202e"))) {
      expect(input.getAttribute("dir")).toBe("auto");
    }
  });
});

describe.each(PROBLEM_NAMES)("when %s", (problem) => {
  const ALL = pages(asIs, asIs, problem);
  const withSummary = NAMES.filter((name) => parsed(ALL[name] ?? "").querySelector("form") !== null);

  test.each(withSummary)("%s: says so once, first in the title, and at each field that it is about", (name) => {
    const page = parsed(ALL[name] ?? "");
    expect(page.querySelector("title")?.text).toMatch(/^Error: /);
    const summaries = page.querySelectorAll("[role=alert]");
    expect(summaries.map((summary) => summary.text)).toEqual([PROBLEMS[problem].text]);

    const about: readonly string[] = PROBLEMS[problem].fields;
    const focused = [];
    for (const input of inputs(ALL[name] ?? "")) {
      const isAbout = about.includes(input.getAttribute("name") ?? "");
      expect(input.getAttribute("aria-invalid")).toBe(isAbout ? "true" : undefined);
      const described = input.getAttribute("aria-describedby")?.split(" ") ?? [];
      expect(described.includes(summaries[0]?.getAttribute("id") ?? "")).toBe(isAbout);
      if (input.hasAttribute("autofocus")) focused.push(input.getAttribute("name"));
    }
    expect(focused.length).toBeLessThanOrEqual(1);
    if (about.length > 0 && focused.length > 0) expect(about).toContain(focused[0]);
  });
});

test("where nothing is wrong, nothing says so", () => {
  for (const page of Object.values(PLAIN)) {
    expect(page).not.toMatch(/role="alert"|aria-invalid="|<title>Error/);
  }
});
