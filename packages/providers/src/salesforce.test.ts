/** Salesforce, against a stand-in that behaves as Salesforce does. */
import { expect, test } from "vitest";
import { openVendor, TTL, VENDORS } from "../test/vendors.ts";
import { SalesforceProvider, type SalesforceProviderConfig, salesforce } from "./salesforce.ts";

const openSalesforce = (config: Partial<SalesforceProviderConfig>, upstream: Parameters<typeof openVendor>[1] = {}) =>
  openVendor(VENDORS.salesforce, upstream, (common) => new SalesforceProvider({ ...common, ...config }));

test.each(["test.salesforce.com", "acme.my.salesforce.com"])("people sign in at %s", async (domain) => {
  const world = await openSalesforce({ domain }, { issuer: `https://${domain}`, endpoints: {} });
  const { url } = await world.begin();
  expect(url.host).toBe(domain);
  expect((await world.signIn()).tokens).toBeDefined();
});

test("a token whose lifetime nobody told counts as good for Salesforce's two hours, or for the operator's timeout", async () => {
  const byDefault = await openSalesforce({});
  await byDefault.signIn();
  expect((await byDefault.upstreamTokens())?.expiresIn).toBe(7200);
  const told = await openSalesforce(
    { sessionTimeout: TTL },
    { token: (answer) => ({ json: { ...answer, expires_in: 900 } }) },
  );
  await told.signIn();
  expect((await told.upstreamTokens())?.expiresIn).toBe(900);
});

test("offline_access comes back as refresh_token, and counts as granted", async () => {
  const world = await openSalesforce(
    { scopes: ["offline_access", "api"] },
    { token: (answer) => ({ json: { ...answer, scope: "refresh_token openid api" } }) },
  );
  await world.signIn();
  expect((await world.upstreamTokens())?.scope.toSorted()).toEqual(["api", "offline_access", "openid"]);
});

test("allow knows orgs by their ids", async () => {
  const member = await openSalesforce({ allow: { organizations: ["00Dx0000000BV7z"] } });
  const stranger = await openSalesforce({ allow: { organizations: ["00Dx0000000OTHR"] } });
  expect((await member.signIn()).tokens).toBeDefined();
  expect((await stranger.signIn()).tokens).toBeUndefined();
});

test("a domain that is a URL is an error at the start", () => {
  expect(() => salesforce({ clientId: "a", clientSecret: "b", domain: "https://login.salesforce.com" })).toThrow(
    /domain/,
  );
});

test.each([0, -1, 1.5, Number.NaN])("a session timeout of %j is an error at the start", (sessionTimeout) => {
  expect(() => salesforce({ clientId: "a", clientSecret: "b", sessionTimeout })).toThrow(/sessionTimeout/);
});
