import { describe, expect, test } from "vitest";
import { RawBrowser } from "../../test/raw-browser.ts";
import { PASSWORD, world } from "../../test/world.ts";

async function signedIn() {
  const on = world();
  const alice = await on.accounts.createUser({ username: "alice", password: PASSWORD });
  const browser = new RawBrowser(on);
  await browser.signIn("alice");
  const { fields } = await browser.get("/oauth/account");
  return { on, alice, browser, csrf_token: fields.csrf_token ?? "" };
}

describe("signing out", () => {
  test("ends the session and takes its cookie away", async () => {
    const { on, alice, browser, csrf_token } = await signedIn();
    const session = browser.cookie("session") ?? "";
    const answer = await browser.post("/oauth/sign-out", { csrf_token });
    expect(answer.status).toBe(200);
    expect(answer.text).toContain("You are signed out");
    expect(browser.cookie("session")).toBeUndefined();
    expect(await on.accounts.listSessions(alice.id)).toEqual([]);
    // Whoever kept the cookie has nothing.
    browser.cookies.set("__Host-sallyport-session", session);
    expect(await browser.isSignedIn()).toBe(false);
    expect(on.events.at(-1)).toMatchObject({ type: "account.signed_out", subject: alice.id, by: "person" });
  });

  test("keeps the browser known, and other browsers signed in", async () => {
    const { on, browser, csrf_token } = await signedIn();
    const other = new RawBrowser(on);
    await other.signIn("alice");
    await browser.post("/oauth/sign-out", { csrf_token });
    expect(browser.cookie("known")).toBeDefined();
    expect(await other.isSignedIn()).toBe(true);
  });

  test("a link signs nobody out: GET is not allowed", async () => {
    const { browser } = await signedIn();
    const answer = await browser.get("/oauth/sign-out");
    expect(answer.status).toBe(405);
    expect(answer.headers.get("allow")).toBe("POST, OPTIONS");
    expect(await browser.isSignedIn()).toBe(true);
  });

  test.each([
    ["without a token", () => ({})],
    [
      "with a token of the sign-in form",
      async (browser: RawBrowser) => {
        const { fields } = await browser.get("/oauth/sign-in?again=1");
        return { csrf_token: fields.csrf_token ?? "" };
      },
    ],
  ])("a form %s signs nobody out", async (_, form) => {
    const { browser } = await signedIn();
    const answer = await browser.post("/oauth/sign-out", await form(browser));
    expect([answer.status, answer.setCookies.map(({ name }) => name)]).toEqual([403, ["__Host-sallyport-browser"]]);
    expect(answer.text).toContain("This page was out of date");
    expect(await browser.isSignedIn()).toBe(true);
    const refused = await browser.post("/oauth/sign-out", await form(browser), {
      headers: { "sec-fetch-site": undefined },
    });
    expect([refused.status, refused.setCookies]).toEqual([403, []]);
    expect(await browser.isSignedIn()).toBe(true);
  });

  test.each([
    ["as the browser says", { "sec-fetch-site": "cross-site", origin: "https://evil.example" }],
    ["in a browser that names the origin alone", { "sec-fetch-site": undefined, origin: "https://evil.example" }],
    ["in a browser that says nothing", { "sec-fetch-site": undefined, origin: undefined }],
    ["that hides where it is", { "sec-fetch-site": undefined, origin: "null" }],
  ])("another site's form, which brings no cookies along, takes none away: %s", async (_, headers) => {
    const { browser } = await signedIn();
    // RFC 6265bis: a SameSite=Lax cookie is not sent with another site's POST, and yet the answer's cookies count.
    const answer = await browser.post("/oauth/sign-out", {}, { headers, cookies: new Map() });
    expect(answer.setCookies).toEqual([]);
    expect(await browser.isSignedIn()).toBe(true);
  });

  test("of a session that is over already is no error, and the cookie goes", async () => {
    const { on, alice, browser, csrf_token } = await signedIn();
    await on.accounts.signOutEverywhere(alice.id);
    const answer = await browser.post("/oauth/sign-out", { csrf_token });
    expect(answer.status).toBe(200);
    expect(browser.cookie("session")).toBeUndefined();
  });

  test("twice is no error", async () => {
    const { browser, csrf_token } = await signedIn();
    await browser.post("/oauth/sign-out", { csrf_token });
    expect((await browser.post("/oauth/sign-out", { csrf_token })).status).toBe(200);
  });
});
