/** authentik, against a stand-in that behaves as authentik does. */
import { requireRole } from "@sallyport/oauth-core";
import { expect, test } from "vitest";
import { openVendor, personLike, VENDORS } from "../test/vendors.ts";
import { AuthentikProvider, type AuthentikProviderConfig, authentik } from "./authentik.ts";

const openAuthentik = (config: Partial<AuthentikProviderConfig>, upstream: Parameters<typeof openVendor>[1] = {}) =>
  openVendor(
    VENDORS.authentik,
    upstream,
    (common) =>
      new AuthentikProvider({ ...common, authentikUrl: "https://sso.example.com/", application: "tools", ...config }),
  );

test("an issuer that all applications share is found by the application's document", async () => {
  const discovery = "https://sso.example.com/application/o/tools/.well-known/openid-configuration";
  const shared = {
    issuer: "https://sso.example.com/",
    endpoints: { ...VENDORS.authentik.upstream.endpoints, discovery },
  };
  const world = await openAuthentik({ issuerMode: "global" }, shared);
  expect((await world.signIn()).claims["sub"]).toBe("authentik|9d3f8a");
  const strict = await openAuthentik({}, shared);
  // Nobody is sent anywhere on the word of a document that has another issuer.
  expect(await strict.signIn()).toMatchObject({ tokens: undefined });
});

test("roles are those of the entitlements, and groups are roles only where there are none", async () => {
  const person = personLike(VENDORS.authentik, { roles: ["editor"], entitlements: ["editor"] });
  const { claims } = await (await openAuthentik({}, { person })).signIn();
  expect(requireRole("editor")({ claims })).toBe(true);
  expect(requireRole("authentik Admins")({ claims })).toBe(false);
});

test("an address that authentik does not vouch for lets nobody in", async () => {
  const allow = { emailDomains: ["example.com"] };
  const asItComes = await openAuthentik({ allow });
  const mapped = await openAuthentik({ allow }, { person: personLike(VENDORS.authentik, { email_verified: true }) });
  expect((await asItComes.signIn()).tokens).toBeUndefined();
  expect((await mapped.signIn()).tokens).toBeDefined();
});

test("a slug stays one step of the path", () => {
  expect(() =>
    authentik({ clientId: "a", clientSecret: "b", authentikUrl: "https://sso.example.com", application: "" }),
  ).toThrow(/application/);
});
