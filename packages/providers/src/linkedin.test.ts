/** LinkedIn, against a stand-in that behaves as LinkedIn does. */
import { expect, test } from "vitest";
import { openVendor, personLike, VENDORS } from "../test/vendors.ts";

test("an ID token without our nonce is left aside, whatever it says; UserInfo speaks for the person", async () => {
  const world = await openVendor(VENDORS.linkedin, {
    idToken: (token) => ({
      ...token,
      claims: { ...token.claims, nonce: undefined, sub: "mallory", email: "ceo@example.com" },
    }),
  });
  expect((await world.signIn()).claims).toMatchObject({ sub: "linkedin|782bbtaQ", email: "alice@example.com" });
  expect(await world.upstreamTokens()).not.toHaveProperty("idToken");
});

test("a locale that is an object is no trouble, and an address that is not there is not made up", async () => {
  const person = personLike(VENDORS.linkedin, { email: undefined, email_verified: undefined });
  const { claims } = await (await openVendor(VENDORS.linkedin, { person })).signIn();
  expect(claims).toMatchObject({ sub: "linkedin|782bbtaQ", name: "Alice Example" });
  expect(claims).not.toHaveProperty("email");
  expect(claims).not.toHaveProperty("locale");
});

test.each([
  [{ status: 503, text: "<html>" }, "upstream_unavailable"],
  [{ status: 401, json: { code: "REVOKED_ACCESS_TOKEN" } }, "upstream_identity"],
] as const)("UserInfo that answers %j is %s", async (reply, reason) => {
  const world = await openVendor(VENDORS.linkedin, { userinfo: () => reply });
  expect(await world.signIn()).toMatchObject({ tokens: undefined, reason });
});
