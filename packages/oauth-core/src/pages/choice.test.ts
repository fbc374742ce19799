import { describe, expect, test } from "vitest";
import { choicePage } from "./choice.ts";
import { type NotAllowedPage, notAllowedPage } from "./not-allowed.ts";

const FORM = { action: "https://notes.example/oauth/consent", transactionId: "t", csrfToken: "c" };
const HOSTILE = `<script>alert(1)</script>"'&`;
const ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;";

describe("the choice", () => {
  const page = choicePage({
    ...FORM,
    serverName: "Notes server",
    providers: [
      { id: "google", name: "Google" },
      { id: "github", name: "GitHub" },
    ],
  });

  test("says for what one signs in, and has a button for each provider", () => {
    expect(page).toContain("<title>Sign in to Notes server</title>");
    expect(page).toContain('value="google" class="provider">Continue with Google</button>');
    expect(page).toContain('value="github" class="provider">Continue with GitHub</button>');
  });

  test("refusing stands first, so that Enter allows nothing", () => {
    expect(page.indexOf('value="deny"')).toBeLessThan(page.indexOf('value="google"'));
    expect(page).not.toContain('value="approve"');
  });

  test("whatever somebody is called is text", () => {
    const text = choicePage({ ...FORM, serverName: HOSTILE, providers: [{ id: "x", name: HOSTILE }] });
    expect(text).not.toContain("<script>");
    expect(text).toContain(`Continue with ${ESCAPED}`);
  });
});

describe("who may not sign in", () => {
  const PAGE: NotAllowedPage = {
    serverName: "Notes server",
    providerName: "Google",
    personName: "Alice",
    email: "alice@example.com",
    backToClient: "https://client.example/cb?error=access_denied&state=s",
    traceId: "0123",
  };

  test("is told as whom they signed in, and where, and how to go back", () => {
    const text = notAllowedPage(PAGE);
    expect(text).toContain(
      'at Google as <span class="host">Alice</span> (alice@example.com). The people who run Notes server',
    );
    expect(text).toContain('href="https://client.example/cb?error=access_denied&amp;state=s"');
    expect(text).toContain("<code>0123</code>");
  });

  test("is called by what is known", () => {
    expect(notAllowedPage({ ...PAGE, personName: undefined })).toContain(
      'as <span class="host">alice@example.com</span>. The',
    );
    expect(notAllowedPage({ ...PAGE, email: undefined })).toContain('as <span class="host">Alice</span>. The');
    expect(notAllowedPage({ ...PAGE, email: undefined, personName: undefined })).toContain("signed in at Google. The");
  });

  test.each(["serverName", "providerName", "personName", "email", "backToClient", "traceId"] as const)(
    "%s is text, whatever stands in it",
    (member) => {
      const text = notAllowedPage({ ...PAGE, [member]: HOSTILE });
      expect(text).not.toContain("<script>");
      expect(text).toContain(ESCAPED);
    },
  );
});
