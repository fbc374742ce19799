import { expect, test } from "vitest";
import { type MailSentPage, mailSentPage } from "./mail-sent.ts";
import { noticePage } from "./notice.ts";
import { slowedDownPage } from "./slowed-down.ts";

const RESET: MailSentPage = {
  purpose: "reset_password",
  login: "alice",
  linkTtl: 1800,
  againUrl: "/oauth/reset-password",
};

test("after a reset was asked for, the page says only what is so for everybody", () => {
  const page = mailSentPage(RESET);
  expect(page).toContain("If there is an account for <span");
  expect(page).toContain("The link works for 30 minutes, and once.");
  expect(page).toContain('<a href="/oauth/reset-password">Ask again</a>');
});

test("after a sign-up, it says where the mail went", () => {
  const page = mailSentPage({ ...RESET, purpose: "sign_up", login: "alice@example.com", linkTtl: 3600 });
  expect(page).toContain('We have sent a mail to <span class="host" dir="auto">alice@example.com</span>.');
  expect(page).toContain("The link works for 1 hour, and once.");
});

test("a notice says one thing and leads on", () => {
  const page = noticePage({
    title: "Signed out",
    text: "You are.",
    link: { href: "/oauth/sign-in", label: "Sign in" },
  });
  expect(page).toContain("<h1>Signed out</h1>\n<p>You are.</p>");
  expect(page).toContain('<a class="button primary" href="/oauth/sign-in">Sign in</a>');
});

test("RFC 6585 §4: who is slowed down hears for how long, and which browsers still work", () => {
  const link = { href: "/oauth/sign-in", label: "Try again" };
  const page = slowedDownPage({ purpose: "sign_in", retryAfter: 61, link });
  expect(page).toContain("Wait 2 minutes, then try again.");
  expect(page).toContain("Browsers that were used for the account before still work");
  const mail = slowedDownPage({ purpose: "mail", retryAfter: 61, link });
  expect(mail).toContain("Wait 2 minutes, then try again.");
  expect(mail).not.toContain("Browsers");
});
