import { parse } from "node-html-parser";
import { describe, expect, test } from "vitest";
import { forgottenPasswordPage } from "./forgotten-password.ts";
import { type SignInPage, signInPage } from "./sign-in.ts";
import { signUpPage } from "./sign-up.ts";

const PLAIN: SignInPage = { serverName: "Notes server", action: "/oauth/sign-in", csrfToken: "c", request: "r" };
const tagOf = (page: string, id: string): string => parse(page).querySelector(`#${id}`)?.toString() ?? "";

describe("the sign-in page", () => {
  test("says where one signs in, and asks for a name and a password", () => {
    const page = signInPage(PLAIN);
    expect(page).toContain("<h1>Sign in to Notes server</h1>");
    expect(tagOf(page, "login")).toBe(
      '<input id="login" name="login" type="text" autocomplete="username" required inputmode="email" maxlength="254" dir="auto" value="" autocapitalize="none" spellcheck="false" autofocus>',
    );
    expect(tagOf(page, "password")).toBe(
      '<input id="password" name="password" type="password" autocomplete="current-password" required autocapitalize="none" spellcheck="false">',
    );
  });

  test("takes the authorization along that it belongs to, and says that it goes on", () => {
    expect(signInPage(PLAIN)).toContain('<input type="hidden" name="request" value="r">');
    expect(signInPage(PLAIN)).toContain("Then you go on to the application");
    const alone = signInPage({ ...PLAIN, request: undefined });
    expect(alone).not.toContain('name="request"');
    expect(alone).toContain("the page of your account");
  });

  test("comes back with the name that was typed, and begins there", () => {
    const page = signInPage({ ...PLAIN, login: "alice", problem: "credentials_wrong" });
    expect(tagOf(page, "login")).toContain('value="alice"');
    expect(tagOf(page, "login")).toContain("autofocus");
    expect(page).toContain("The name or the password is not right.");
  });

  test("offers a reset and a sign-up only where there are such", () => {
    expect(signInPage(PLAIN)).not.toContain("<a ");
    expect(signInPage({ ...PLAIN, resetUrl: "/r?a&b" })).toContain('<a href="/r?a&amp;b">Forgot your password?</a>');
    expect(signInPage({ ...PLAIN, signUpUrl: "/s" })).toContain('<a href="/s">Create an account</a>');
  });
});

test("the sign-up page asks for an address, which the browser neither rewrites nor judges", () => {
  const page = signUpPage({ ...PLAIN, signInUrl: "/oauth/sign-in" });
  expect(tagOf(page, "email")).toContain('type="text" autocomplete="email" required inputmode="email"');
  expect(page).toContain("We send a link to your address.");
  expect(page).toContain('<a href="/oauth/sign-in">Sign in instead</a>');
});

test("the page for a forgotten password asks for what one signs in with, and for no password", () => {
  const page = forgottenPasswordPage({ ...PLAIN, login: "alice", signInUrl: "/oauth/sign-in" });
  expect(tagOf(page, "login")).toContain('value="alice"');
  expect(page).not.toContain('type="password"');
  expect(page).toContain('name="request" value="r"');
});
