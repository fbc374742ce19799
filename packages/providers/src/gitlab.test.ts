/** GitLab, against a stand-in that behaves as GitLab does. */
import { requireRole } from "@sallyport/oauth-core";
import { expect, test } from "vitest";
import { openVendor, personLike, VENDORS } from "../test/vendors.ts";
import { GitLabProvider } from "./gitlab.ts";

test.each(["https://git.example.com", "https://git.example.com/", "https://example.com/gitlab"])(
  "people sign in at a GitLab of one's own: %s",
  async (gitlabUrl) => {
    const world = await openVendor(
      VENDORS.gitlab,
      { issuer: gitlabUrl.replace(/\/$/, ""), endpoints: {} },
      (common) => new GitLabProvider({ ...common, gitlabUrl }),
    );
    expect((await world.signIn()).claims).toMatchObject({ sub: "gitlab|1234567", groups: ["acme", "acme/tools"] });
  },
);

test("allow looks at all groups of a person, which only UserInfo knows", async () => {
  const make = (common: ConstructorParameters<typeof GitLabProvider>[0]) =>
    new GitLabProvider({ ...common, allow: { groups: ["acme"] } });
  const member = await openVendor(VENDORS.gitlab, {}, make);
  const stranger = await openVendor(
    VENDORS.gitlab,
    { person: personLike(VENDORS.gitlab, { groups: ["mallory/acme", "acme-2"] }) },
    make,
  );
  expect((await member.signIn()).tokens).toBeDefined();
  expect((await stranger.signIn()).tokens).toBeUndefined();
});

test("a group is no role: on gitlab.com anybody can found one that is called admin", async () => {
  const world = await openVendor(VENDORS.gitlab, { person: personLike(VENDORS.gitlab, { groups: ["admin"] }) });
  const { claims } = await world.signIn();
  expect(claims["groups"]).toEqual(["admin"]);
  expect(requireRole("admin")({ claims })).toBe(false);
});
