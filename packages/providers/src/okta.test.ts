/** Okta, against a stand-in that behaves as Okta does. */
import { requireRole } from "@sallyport/oauth-core";
import { expect, test } from "vitest";
import { openVendor, personLike, VENDORS } from "../test/vendors.ts";
import { OktaProvider, type OktaProviderConfig } from "./okta.ts";

const openOkta = (config: Partial<OktaProviderConfig>, upstream: Parameters<typeof openVendor>[1] = {}) =>
  openVendor(VENDORS.okta, upstream, (common) => new OktaProvider({ ...common, domain: "acme.okta.com", ...config }));

test.each([
  ["aus5m9r1o4AsDJLe50g7" as const, "https://acme.okta.com/oauth2/aus5m9r1o4AsDJLe50g7"],
  [false as const, "https://acme.okta.com"],
])("the authorization server %s has the issuer %s", async (authorizationServerId, issuer) => {
  const endpoints = { authorization: `${issuer}/oauth2/v1/authorize`, token: `${issuer}/oauth2/v1/token` };
  const world = await openOkta({ authorizationServerId }, { issuer, endpoints });
  expect((await world.signIn()).claims).toMatchObject({ sub: "okta|00uixa271s6x7qt8I0h7", email: "alice@example.com" });
});

test("access tokens for another audience are refused where the operator named ours", async () => {
  const audience = "api://default";
  const ours = await openOkta({ audience }, { accessToken: () => ({ aud: audience }) });
  const others = await openOkta({ audience }, { accessToken: () => ({ aud: "https://acme.okta.com" }) });
  const opaque = await openOkta({ audience });
  expect((await ours.signIn()).tokens).toBeDefined();
  expect(await others.signIn()).toMatchObject({ tokens: undefined, reason: "upstream_identity" });
  expect(await opaque.signIn()).toMatchObject({ tokens: undefined, reason: "upstream_identity" });
});

test("groups that only the access token has are groups, and roles", async () => {
  const world = await openOkta(
    {},
    {
      person: personLike(VENDORS.okta, { groups: undefined }),
      accessToken: () => ({ groups: ["IT"], email: "mallory@example.com" }),
    },
  );
  const { claims } = await world.signIn();
  expect(claims).toMatchObject({ groups: ["IT"], roles: ["IT"] });
  expect(requireRole("IT")({ claims })).toBe(true);
});

test("where there are roles, groups are none", async () => {
  const world = await openOkta({}, { person: personLike(VENDORS.okta, { roles: ["editor"] }) });
  expect((await world.signIn()).claims).toMatchObject({ groups: ["Everyone", "IT"], roles: ["editor"] });
});

test("a client can't leave out the scope groups where the operator has it, or rules on groups would look at nothing", async () => {
  const world = await openOkta({ scopes: ["email", "groups"] });
  expect((await world.begin({ scope: "email" })).url.searchParams.get("scope")).toBe("openid groups email");
});

test("UserInfo of somebody else is refused", async () => {
  const world = await openOkta({}, { userinfo: (answer) => ({ json: { ...answer, sub: "mallory" } }) });
  expect(await world.signIn()).toMatchObject({ tokens: undefined, reason: "upstream_identity" });
});
