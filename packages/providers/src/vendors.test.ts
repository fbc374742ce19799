/** What holds for every vendor, against a stand-in that behaves as that vendor does. */
import { ConfigurationError } from "@sallyport/oauth-core/upstream";
import { describe, expect, test } from "vitest";
import { kindsOf, openVendor, TTL, VENDORS, type Vendor } from "../test/vendors.ts";
import { BASE_URL, CLIENT_ID } from "../test/world.ts";

const ALL: readonly (readonly [string, Vendor])[] = Object.entries(VENDORS);
const BY_ID_TOKEN = ALL.filter(([, { expected }]) => expected.openid);

describe.each(ALL)("%s", (_id, vendor) => {
  const { make, expected } = vendor;

  test("people are sent to the vendor with what it wants, and what it does not bear is left out", async () => {
    const world = await openVendor(vendor);
    const { url } = await world.begin();
    expect(url.origin + url.pathname).toBe(expected.authorization);
    const asked = Object.fromEntries(url.searchParams);
    expect(asked).toMatchObject({
      ...expected.params,
      response_type: "code",
      client_id: CLIENT_ID,
      redirect_uri: `${BASE_URL}/oauth/callback`,
      scope: expected.scope,
    });
    expect(asked["code_challenge_method"]).toBe(expected.pkce ? "S256" : undefined);
    expect(Object.hasOwn(asked, "code_challenge")).toBe(expected.pkce);
    expect(Object.hasOwn(asked, "nonce")).toBe(expected.scope.includes("openid"));
  });

  test("a person signs in, and is the same person in the words that all vendors share", async () => {
    const world = await openVendor(vendor);
    const { claims, error } = await world.signIn();
    expect({ error, ...claims }).toMatchObject({ error: undefined, sub: expected.subject });
    for (const [claim, value] of Object.entries(expected.claims))
      expect([claim, claims[claim]]).toEqual([claim, value]);
    const again = await world.signIn();
    expect(again.claims["sub"]).toBe(expected.subject);
  });

  test(`its tokens ${expected.refreshes ? "are renewed" : "end, because it gives none to renew them with"}`, async () => {
    const world = await openVendor(vendor);
    await world.signIn();
    const first = await world.upstreamTokens();
    expect(first?.expiresIn).toBe(TTL);
    world.pass(TTL - 5);
    const second = await world.upstreamTokens();
    expect(second?.accessToken === first?.accessToken).toBe(!expected.refreshes);
    world.pass(10);
    expect((await world.upstreamTokens())?.accessToken).toBe(expected.refreshes ? second?.accessToken : undefined);
  });

  test("its tokens end with the grant, as far as it has a way", async () => {
    const world = await openVendor(vendor);
    await world.signIn();
    const tokens = await world.upstreamTokens();
    expect((await world.revoke()).status).toBe(200);
    const [way] = expected.revokes;
    if (way?.startsWith("https:"))
      expect(world.upstream.requestsTo(way).map(({ bearer }) => bearer)).toEqual([tokens?.accessToken]);
    else expect(kindsOf(world.upstream.requestsTo("revocation"))).toEqual(expected.revokes);
    expect(world.events.filter(({ type }) => type === "upstream.failed")).toEqual([]);
  });

  test("a client can't leave out what says who somebody is, and can't add a scope", async () => {
    const world = await openVendor(vendor);
    const { url } = await world.begin({ scope: "admin" });
    expect(url.searchParams.get("scope")).toBe(expected.scope);
    const { claims } = await world.signIn({ scope: expected.scope.split(" ").at(-1) ?? "" });
    expect(claims["sub"]).toBe(expected.subject);
  });

  test("a code that the vendor does not know is refused, and the person is not signed in", async () => {
    const world = await openVendor(vendor, { authorization: (answer) => ({ ...answer, code: "stolen" }) });
    expect(await world.signIn()).toMatchObject({ tokens: undefined, reason: "upstream_invalid_grant" });
  });

  test("a person without a name of the vendor's is nobody, and not somebody new", async () => {
    const nameless = { email: "alice@example.com", email_verified: true };
    const world = await openVendor(vendor, { person: nameless });
    expect(await world.signIn()).toMatchObject({ tokens: undefined, reason: "upstream_identity" });
  });

  test("scopes of the operator's take the place of the default ones, but for what says who somebody is", async () => {
    const world = await openVendor(vendor, {}, (common) => make({ ...common, scopes: ["something"] }));
    const { url } = await world.begin();
    const words = url.searchParams.get("scope")?.split(" ");
    expect(words).toContain("something");
    expect(words).toContain(expected.openid ? "openid" : expected.scope.split(" ")[0]);
    expect(words).not.toContain("email");
  });

  test("an application that is not there is an error at the start, which names the option", () => {
    expect(() =>
      make({ baseUrl: BASE_URL, secret: "kY7pQ2vX9mB4nR8tW1zC6dF3gH5jL0sA", clientId: "", clientSecret: "s" }),
    ).toThrow(ConfigurationError);
  });
});

describe.each(BY_ID_TOKEN)("%s: OpenID Connect Core §3.1.3.7", (_id, vendor) => {
  test("without an ID token nobody is signed in, whatever UserInfo says: nothing would bind the answer to this sign-in", async () => {
    const world = await openVendor(vendor, { idToken: () => undefined });
    expect(await world.signIn()).toMatchObject({ tokens: undefined, reason: "upstream_identity" });
  });

  test("an ID token that is signed with another key is refused", async () => {
    const world = await openVendor(vendor, { idToken: (token) => ({ ...token, key: "unpublished" }) });
    expect(await world.signIn()).toMatchObject({ tokens: undefined, reason: "upstream_identity" });
  });

  test.each(["iss", "aud", "nonce"])("an ID token with another %s is refused", async (claim) => {
    const idToken = vendor.upstream.idToken;
    const world = await openVendor(vendor, {
      idToken: (token, request) => {
        const plain = idToken === undefined ? token : idToken(token, request);
        return typeof plain === "object" ? { ...plain, claims: { ...plain.claims, [claim]: "another" } } : plain;
      },
    });
    expect(await world.signIn()).toMatchObject({ tokens: undefined, reason: "upstream_identity" });
  });
});
