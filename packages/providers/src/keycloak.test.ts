/** Keycloak, against a stand-in that behaves as Keycloak does. */
import { requireRole } from "@sallyport/oauth-core";
import { expect, test } from "vitest";
import { openVendor, personLike, VENDORS } from "../test/vendors.ts";
import { CLIENT_ID } from "../test/world.ts";
import { KeycloakProvider } from "./keycloak.ts";

test("realm roles and our client's are roles; those of another client never are", async () => {
  const world = await openVendor(VENDORS.keycloak);
  const { claims } = await world.signIn();
  expect(requireRole("staff")({ claims })).toBe(true);
  expect(requireRole("editor")({ claims })).toBe(true);
  expect(requireRole("admin")({ claims })).toBe(false);
});

test("roles are found where a mapper puts them into the ID token, and once only", async () => {
  const person = personLike(VENDORS.keycloak, { realm_access: { roles: ["staff", "owner"] }, groups: ["/acme/tools"] });
  const world = await openVendor(VENDORS.keycloak, { person });
  expect((await world.signIn()).claims).toMatchObject({ roles: ["staff", "owner", "editor"], groups: ["/acme/tools"] });
});

test.each([
  { realm_access: null, resource_access: [] },
  { realm_access: "staff", resource_access: { [CLIENT_ID]: "editor" } },
  { realm_access: { roles: { staff: true } }, resource_access: { [CLIENT_ID]: { roles: [["editor"], 7, null] } } },
])("roles of another shape are none: %j", async (claims) => {
  const world = await openVendor(VENDORS.keycloak, { accessToken: () => claims });
  expect((await world.signIn()).claims["roles"]).toEqual([]);
});

test("an offline session has no end, and says so with refresh_expires_in 0", async () => {
  const world = await openVendor(VENDORS.keycloak, {
    token: (answer) => ({ json: { ...answer, refresh_expires_in: 0 } }),
  });
  await world.signIn();
  world.pass(595);
  expect(await world.upstreamTokens()).not.toBeNull();
});

test("a slash behind the realm does not matter", async () => {
  const realmUrl = "https://id.example.com/realms/tools/";
  const world = await openVendor(VENDORS.keycloak, {}, (common) => new KeycloakProvider({ ...common, realmUrl }));
  expect((await world.signIn()).tokens).toBeDefined();
});
