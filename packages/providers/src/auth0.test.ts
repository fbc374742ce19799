/** Auth0, against a stand-in that behaves as Auth0 does. */
import { requireRole } from "@sallyport/oauth-core";
import { ConfigurationError } from "@sallyport/oauth-core/upstream";
import { expect, test } from "vitest";
import { openVendor, personLike, VENDORS } from "../test/vendors.ts";
import { Auth0Provider, type Auth0ProviderConfig, auth0 } from "./auth0.ts";

const DOMAIN = { domain: "acme.eu.auth0.com", audience: "https://api.acme.example" };
const ROLES = "https://acme.example/roles";

const openAuth0 = (config: Partial<Auth0ProviderConfig>, claims: Readonly<Record<string, unknown>> = {}) =>
  openVendor(
    VENDORS.auth0,
    { person: personLike(VENDORS.auth0, claims) },
    (common) => new Auth0Provider({ ...common, ...DOMAIN, ...config }),
  );

test("an organisation is asked for, and lets its own people in", async () => {
  const world = await openAuth0({ organization: "org_acme" });
  expect((await world.begin()).url.searchParams.get("organization")).toBe("org_acme");
  expect((await world.signIn()).claims).toMatchObject({ sub: "auth0|auth0|65a1" });
});

test.each([
  ["another one", "org_acme", { org_id: "org_other" }],
  ["none, because somebody took the parameter out of the address", "org_acme", { org_id: undefined }],
  ["one that has our id for a name", "org_acme", { org_id: "org_other", org_name: "org_acme" }],
  ["another one, by its name", "acme", { org_id: "org_acme", org_name: "other" }],
])("people of %s are refused", async (_what, organization, claims) => {
  const world = await openAuth0({ organization }, claims);
  expect(await world.signIn()).toMatchObject({ tokens: undefined, reason: "upstream_identity" });
});

test("an organisation by its name is compared with org_name", async () => {
  const world = await openAuth0({ organization: "acme" }, { org_id: "org_9", org_name: "acme" });
  expect((await world.signIn()).tokens).toBeDefined();
});

test("allow knows organisations by their ids, and not by names that somebody else could give theirs", async () => {
  const allow = { organizations: ["org_acme"] };
  const member = await openAuth0({ allow });
  const stranger = await openAuth0({ allow }, { org_id: "org_other", org_name: "org_acme" });
  expect((await member.signIn()).tokens).toBeDefined();
  expect((await stranger.signIn()).tokens).toBeUndefined();
});

test("roles are where the operator says that they are", async () => {
  const world = await openAuth0({ rolesClaim: ROLES }, { [ROLES]: ["editor"] });
  const { claims } = await world.signIn();
  expect(requireRole("editor")({ claims })).toBe(true);
  expect(requireRole("admin")({ claims })).toBe(false);
});

test("roles that only the access token has are roles as well", async () => {
  const world = await openVendor(
    VENDORS.auth0,
    { accessToken: () => ({ [ROLES]: ["editor"] }) },
    (common) => new Auth0Provider({ ...common, ...DOMAIN, rolesClaim: ROLES }),
  );
  expect((await world.signIn()).claims["roles"]).toEqual(["editor"]);
});

test.each([
  ["audience", { audience: "" }],
  ["domain", { domain: "https://acme.eu.auth0.com" }],
  ["domain", { domain: "acme.eu.auth0.com/x" }],
  ["domain", { domain: "acme.eu.auth0.com@evil.example" }],
  ["organization", { organization: "" }],
])("an unusable %s is an error at the start", (option, wrong) => {
  const make = () => auth0({ clientId: "a", clientSecret: "b", ...DOMAIN, ...wrong });
  expect(make).toThrow(ConfigurationError);
  expect(make).toThrow(option);
});
