/** Dex, against a stand-in that behaves as Dex does. */
import { requireRole } from "@sallyport/oauth-core";
import { expect, test } from "vitest";
import { openVendor, personLike, TTL, VENDORS } from "../test/vendors.ts";
import { DexProvider, type DexProviderConfig } from "./dex.ts";

const openDex = (config: Partial<DexProviderConfig>, upstream: Parameters<typeof openVendor>[1] = {}) =>
  openVendor(
    VENDORS.dex,
    upstream,
    (common) => new DexProvider({ ...common, issuer: "https://dex.example.com/dex", ...config }),
  );

test("a group counts together with the connector that it came through", async () => {
  const allow = { tenants: ["github"], groups: ["acme:tools"] };
  const through = (connector_id: unknown) => ({
    person: personLike(VENDORS.dex, { federated_claims: { connector_id, user_id: "1" } }),
  });
  const github = await openDex({ allow });
  const ldap = await openDex({ allow }, through("ldap"));
  const odd = await openDex({ allow }, through({ github: true }));
  const none = await openDex({ allow }, { person: personLike(VENDORS.dex, { federated_claims: null }) });
  expect((await github.signIn()).tokens).toBeDefined();
  for (const world of [ldap, odd, none]) expect((await world.signIn()).tokens).toBeUndefined();
});

test("a group is no role", async () => {
  const { claims } = await (await openDex({})).signIn();
  expect(claims["groups"]).toEqual(["acme:tools"]);
  expect(requireRole("acme:tools")({ claims })).toBe(false);
});

test("a client can leave out neither groups nor the connector, and an operator can leave out groups", async () => {
  const byDefault = await openDex({});
  const withoutGroups = await openDex({ scopes: ["email"] });
  expect((await byDefault.begin({ scope: "email" })).url.searchParams.get("scope")).toContain("federated:id groups");
  expect((await withoutGroups.begin()).url.searchParams.get("scope")).toBe("openid federated:id email");
});

test("a refresh token that has expired ends the grant, though Dex calls it an invalid request", async () => {
  const world = await openDex(
    {},
    {
      token: (answer) => ({ json: { ...answer, refresh_token: "expired" } }),
      refusal: () => ({
        status: 400,
        json: { error: "invalid_request", error_description: "Refresh token expired." },
      }),
    },
  );
  await world.signIn();
  world.pass(TTL - 5);
  expect(await world.refresh()).toMatchObject({ error: "invalid_grant", reason: "upstream_invalid_grant" });
  expect(await world.upstreamTokens()).toBeNull();
});
