import { describe, expect, test } from "vitest";
import { accessOf, ask, CALLBACK, PASSWORD, post, redeem, signIn, toSignIn, world } from "../test/world.ts";

describe("a sign-in with a password of ours", () => {
  test("goes from the client's link over consent and sign-in to a token that a guard accepts", async () => {
    const on = world();
    const alice = await on.accounts.createUser({
      username: "alice",
      password: PASSWORD,
      roles: ["admin"],
      name: "Alice",
    });
    const browser = on.browser();
    const asked = ask();
    const consent = await browser.open(asked.url);
    expect(consent.text).toContain("Allow Demo to use Notes?");
    const page = await browser.submit(consent, { action: "approve" });
    expect(page.text).toContain("Sign in to Notes");
    const back = await browser.submit(page, { login: "Alice", password: PASSWORD });
    expect(back.url.href).toContain(CALLBACK);
    expect(back.url.searchParams.get("state")).toBe(asked.state);
    const { body } = await redeem(on, back, asked);
    expect(await accessOf(on, String(body.access_token))).toMatchObject({
      subject: alice.id,
      scopes: ["notes:read"],
      claims: { roles: ["admin"], name: "Alice", preferred_username: "alice" },
    });
    const refreshed = await post(on, "token", {
      grant_type: "refresh_token",
      refresh_token: String(body.refresh_token),
    });
    expect(refreshed.status).toBe(200);
  });

  test("a wrong password and a name that nobody has get the same page", async () => {
    const on = world();
    await on.accounts.createUser({ username: "alice", password: PASSWORD });
    const tried = async (login: string) => {
      const browser = on.browser();
      const page = await toSignIn(browser);
      return browser.submit(page, { login, password: "wrong horse battery staple" });
    };
    const [wrong, unknown] = [await tried("alice"), await tried("alica")];
    expect(wrong.status).toBe(422);
    expect(unknown.status).toBe(422);
    expect(unknown.text).toBe(wrong.text);
  });

  test("a second application needs no second password", async () => {
    const on = world();
    await on.accounts.createUser({ username: "alice", password: PASSWORD });
    const { browser } = await signIn(on, "alice");
    const again = await toSignIn(browser, ask());
    expect(again.url.href).toContain(CALLBACK);
    expect(again.url.searchParams.get("code")).toMatch(/^sp_ac_/);
  });
});
