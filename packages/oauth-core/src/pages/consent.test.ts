import { expect, test } from "vitest";
import { type ConsentPage, consentPage } from "./consent.ts";
import { errorPage } from "./error.ts";
import { STYLE_HASH } from "./layout.ts";

const PLAIN: ConsentPage = {
  serverName: "Notes server",
  clientName: "Editor",
  verifiedName: undefined,
  redirectUri: "https://editor.example/cb",
  redirectHost: "editor.example",
  isLoopback: false,
  resources: ["https://notes.example/mcp"],
  providerName: "id.example",
  scopes: [{ name: "read", description: undefined }],
  action: "https://notes.example/oauth/consent",
  transactionId: "t",
  csrfToken: "c",
};

/** The tags of a page, without the values of their attributes. */
function tagsOf(page: string): string[] {
  return [...page.matchAll(/<[^>]*>/g)].map(([tag]) => tag.replace(/="[^"]*"/g, ""));
}

test("it says who asks, for what, where it leads, and where one signs in", () => {
  const page = consentPage({ ...PLAIN, scopes: [{ name: "read", description: "Read your notes" }] });
  for (const words of [
    "Allow Editor to use Notes server?",
    "This is the name that the application gave itself.",
    "Read your notes",
    "https://notes.example/mcp",
    "editor.example",
    "https://editor.example/cb",
    "you sign in at id.example",
  ]) {
    expect(page).toContain(words);
  }
});

test("a client without a name is called so, and not by somebody else's", () => {
  expect(consentPage({ ...PLAIN, clientName: undefined })).toContain("Allow An unnamed application to use");
});

test("without scopes it still says what is allowed", () => {
  expect(consentPage({ ...PLAIN, scopes: [] })).toContain("use Notes server on your behalf");
});

test("a loopback address comes with a warning, and only that", () => {
  expect(consentPage({ ...PLAIN, isLoopback: true })).toContain('class="warning"');
  expect(consentPage(PLAIN)).not.toContain('class="warning"');
});

test("refusing stands before allowing, so that Enter allows nothing", () => {
  const values = [...consentPage(PLAIN).matchAll(/name="action" value="(\w+)"/g)].map(([, value]) => value);
  expect(values).toEqual(["deny", "approve"]);
});

test.each([
  "<script>alert(1)</script>",
  `"><img src=x onerror=y>`,
  `' onclick='x`,
  "</style><svg/onload=x>",
  "&lt;b&gt;",
])("T-CON-12: %j is text wherever it is put", (hostile) => {
  const everywhere = consentPage({
    ...PLAIN,
    serverName: hostile,
    clientName: hostile,
    verifiedName: hostile.toUpperCase(),
    redirectUri: hostile,
    redirectHost: hostile,
    resources: [hostile],
    providerName: hostile,
    scopes: [{ name: hostile, description: hostile }],
    action: hostile,
    transactionId: hostile,
    csrfToken: hostile,
  });
  const plain = consentPage({ ...PLAIN, verifiedName: "Other", scopes: [{ name: "read", description: "Read" }] });
  expect(tagsOf(everywhere)).toEqual(tagsOf(plain));
  const error = { title: hostile, description: hostile, advice: hostile, traceId: hostile };
  expect(tagsOf(errorPage(error))).toEqual(tagsOf(errorPage({ title: "", description: "", advice: "", traceId: "" })));
});

test("pages have no script, no handler, no link to anywhere, and the one style that the policy names", async () => {
  for (const page of [consentPage(PLAIN), errorPage({ title: "a", description: "b", advice: "c", traceId: "d" })]) {
    expect(page).not.toMatch(/<script|<link|<img|<iframe|<base|<a |\son\w+=|\sstyle=|javascript:|@import|url\(/i);
    const style = /<style>([\s\S]*?)<\/style>/.exec(page)?.[1] ?? "";
    const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(style));
    expect(`'sha256-${Buffer.from(hash).toString("base64")}'`).toBe(STYLE_HASH);
    expect(page).toMatch(/^<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">/);
  }
});

test("an error page says what happened, what to do, and what to tell the operator", () => {
  const page = errorPage({ title: "Over", description: "It is over.", advice: "Begin anew.", traceId: "a1b2" });
  for (const words of ["<title>Over</title>", "<h1>Over</h1>", "It is over.", "Begin anew.", "<code>a1b2</code>"]) {
    expect(page).toContain(words);
  }
});
