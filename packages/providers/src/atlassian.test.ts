/** Atlassian, against a stand-in that behaves as Atlassian does. */
import { expect, test } from "vitest";
import { openVendor, TTL, VENDORS } from "../test/vendors.ts";
import { AtlassianProvider } from "./atlassian.ts";

test("an address that nobody vouches for lets nobody in", async () => {
  const world = await openVendor(
    VENDORS.atlassian,
    {},
    (common) => new AtlassianProvider({ ...common, allow: { emails: ["mia@example.com"] } }),
  );
  expect((await world.signIn()).tokens).toBeUndefined();
});

test("the access token is for Atlassian's APIs: nothing of it gets into ours", async () => {
  const world = await openVendor(VENDORS.atlassian, {
    accessToken: () => ({ "https://atlassian.com/verifiedEmail": "boss@example.com" }),
  });
  expect((await world.signIn()).claims).not.toHaveProperty(["https://atlassian.com/verifiedEmail"]);
});

test("a client can't leave out read:me, without which nobody is known", async () => {
  const make = (common: ConstructorParameters<typeof AtlassianProvider>[0]) =>
    new AtlassianProvider({ ...common, scopes: ["read:jira-work", "offline_access"] });
  const world = await openVendor(VENDORS.atlassian, {}, make);
  const { url } = await world.begin({ scope: "read:jira-work" });
  expect(url.searchParams.get("scope")).toBe("read:me read:jira-work offline_access");
});

test("a refresh token that has expired ends the grant, though Atlassian calls us unauthorized", async () => {
  const world = await openVendor(VENDORS.atlassian, {
    token: (answer) => ({ json: { ...answer, refresh_token: "expired" } }),
    refusal: () => ({
      status: 403,
      json: { error: "unauthorized_client", error_description: "refresh_token is invalid" },
    }),
  });
  await world.signIn();
  world.pass(TTL - 5);
  expect(await world.refresh()).toMatchObject({ error: "invalid_grant", reason: "upstream_invalid_grant" });
  expect(await world.upstreamTokens()).toBeNull();
});
