/** Any OAuth 2.0 server: who somebody is, by a URL, by a function, or not at all. */
import type { UpstreamOptions } from "@sallyport/contracts/upstream";
import { OAuthProxy } from "@sallyport/oauth-core";
import { expect, test } from "vitest";
import { open } from "../test/world.ts";
import { type OAuthOptions, oauth } from "./oauth.ts";

const BASE = "https://id.example.com";

const openOAuth = (options: Partial<OAuthOptions> = {}, upstream: UpstreamOptions = {}) =>
  open(
    { issuer: BASE, endpoints: { discovery: false, jwks: false }, ...upstream },
    ({ clientId, clientSecret, ...common }) => {
      const endpoints = { authorizationEndpoint: `${BASE}/authorize`, tokenEndpoint: `${BASE}/token` };
      return new OAuthProxy({
        ...common,
        provider: oauth({ clientId, clientSecret, scopes: ["read"], ...endpoints, ...options }),
      });
    },
  );

test.each([
  [{ sub: "alice", id: "other" }, "oauth|alice"],
  [{ id: 4711 }, "oauth|4711"],
])("the userinfo URL's answer %j is %s", async (answer, subject) => {
  const world = await openOAuth({ userinfoEndpoint: `${BASE}/userinfo` }, { userinfo: () => ({ json: answer }) });

  expect((await world.signIn()).claims).toMatchObject({ sub: subject });
});

test("a function says who it is, with requests of its own", async () => {
  const world = await openOAuth(
    {
      identify: async ({ http, tokenAnswer }) => {
        const me = (await http.getJson("https://api.example.com/me")) as { readonly key: string };
        return { subject: me.key, name: String(tokenAnswer["user_name"]) };
      },
    },
    {
      routes: { "https://api.example.com/me": ({ session }) => ({ json: { key: session?.person["sub"] } }) },
      token: (answer) => ({ json: { ...answer, user_name: "Alice" } }),
    },
  );

  expect((await world.signIn()).claims).toMatchObject({ sub: "oauth|alice", name: "Alice" });
});

test("where nothing names anybody, each grant has a pseudonym of its own, which stays over its refreshes", async () => {
  const world = await openOAuth();
  const first = await world.signIn();
  const refreshed = await world.refresh();
  const second = await world.signIn();

  expect(first.claims["sub"]).toMatch(/^anonymous\|/);
  expect(refreshed.claims["sub"]).toBe(first.claims["sub"]);
  expect(second.claims["sub"]).not.toBe(first.claims["sub"]);
});

test("tokens end with the grant, where there is a URL for that", async () => {
  const world = await openOAuth({ revocationEndpoint: `${BASE}/revoke` });
  await world.signIn();
  const accessToken = (await world.upstreamTokens())?.accessToken ?? "";

  await world.revoke();

  expect(world.upstream.isLiving(accessToken)).toBe(false);
});

test("RFC 9207 §2.4: with an issuer, the iss of a callback is checked", async () => {
  const world = await openOAuth(
    { issuer: BASE },
    { authorization: (answer) => ({ ...answer, iss: "https://evil.example.com" }) },
  );

  expect(await world.signIn()).toMatchObject({ tokens: undefined, reason: "upstream_issuer" });
});

test.each([{ authorizationEndpoint: "" }, { tokenEndpoint: "http://id.example.com/token" }, { clientSecret: "" }])(
  "%j is refused at the start",
  async (wrong) => {
    await expect(openOAuth(wrong)).rejects.toThrow(expect.objectContaining({ name: "ConfigurationError" }));
  },
);
