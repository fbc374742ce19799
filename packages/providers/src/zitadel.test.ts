/** ZITADEL, against a stand-in that behaves as ZITADEL does. */
import { requireRole } from "@sallyport/oauth-core";
import { expect, test } from "vitest";
import { openVendor, personLike, VENDORS } from "../test/vendors.ts";
import { ZitadelProvider, type ZitadelProviderConfig } from "./zitadel.ts";

const OWNER = "urn:zitadel:iam:user:resourceowner:id";
const ROLES = "urn:zitadel:iam:org:project:roles";

const openZitadel = (config: Partial<ZitadelProviderConfig>, claims: Readonly<Record<string, unknown>> = {}) =>
  openVendor(
    VENDORS.zitadel,
    { person: personLike(VENDORS.zitadel, claims) },
    (common) => new ZitadelProvider({ ...common, instanceUrl: "https://acme.zitadel.cloud", ...config }),
  );

test("the keys of a project's roles are roles", async () => {
  const { claims } = await (await openZitadel({})).signIn();
  expect(requireRole("editor")({ claims })).toBe(true);
  expect(requireRole("160001")({ claims })).toBe(false);
});

test("a project is asked for with its roles, and those of another do not count", async () => {
  const roles = (id: string) => `urn:zitadel:iam:org:project:${id}:roles`;
  const world = await openZitadel(
    { projectId: "200001" },
    { [roles("200001")]: { operator: { "160001": "acme" } }, [roles("200002")]: { admin: { "160001": "acme" } } },
  );
  const { url } = await world.begin({ scope: "email" });
  const words = url.searchParams.get("scope")?.split(" ");
  expect(words).toContain("urn:zitadel:iam:org:project:id:200001:aud");
  expect(words).toContain("urn:zitadel:iam:org:projects:roles");
  expect((await world.signIn()).claims["roles"]).toEqual(["operator"]);
});

test("with an organisation, only its people sign in, and only roles count that they have in it", async () => {
  const world = await openZitadel({ organization: "160001" });
  expect((await world.begin({ scope: "email" })).url.searchParams.get("scope")).toContain(
    "urn:zitadel:iam:org:id:160001",
  );
  expect((await world.signIn()).claims["roles"]).toEqual(["editor"]);
});

test.each([
  ["another organisation", { [OWNER]: "170002" }],
  ["an unknown one, because somebody took the scope out of the address", { [OWNER]: undefined }],
])("people of %s are refused", async (_what, claims) => {
  const world = await openZitadel({ organization: "160001" }, claims);
  expect(await world.signIn()).toMatchObject({ tokens: undefined, reason: "upstream_identity" });
});

test.each([["editor"], "editor", null, undefined])("roles of another shape are none: %j", async (value) => {
  const { claims } = await (await openZitadel({}, { [ROLES]: value })).signIn();
  expect(claims["sub"]).toBe("zitadel|163840776835432705");
  expect(claims).not.toHaveProperty("roles");
});

test("allow knows organisations by their ids", async () => {
  const member = await openZitadel({ allow: { organizations: ["160001"] } });
  const stranger = await openZitadel({ allow: { organizations: ["160001"] } }, { [OWNER]: "170002" });
  expect((await member.signIn()).tokens).toBeDefined();
  expect((await stranger.signIn()).tokens).toBeUndefined();
});
