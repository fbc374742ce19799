/** Discord, against a stand-in that behaves as Discord does. */
import { expect, test } from "vitest";
import { openVendor, personLike, VENDORS } from "../test/vendors.ts";
import { DiscordProvider } from "./discord.ts";

const GUILDS = "https://discord.com/api/users/@me/guilds";
const withGuilds = (common: ConstructorParameters<typeof DiscordProvider>[0]) =>
  new DiscordProvider({ ...common, scopes: ["email", "guilds"], allow: { organizations: ["41771983423143937"] } });

test("whoever has no display name and no picture goes by the user name", async () => {
  const world = await openVendor(VENDORS.discord, {
    person: personLike(VENDORS.discord, { global_name: null, avatar: null }),
  });
  const { claims } = await world.signIn();
  expect(claims).toMatchObject({ sub: "discord|80351110224678912", name: "nelly" });
  expect(claims).not.toHaveProperty("picture");
});

test.each([false, undefined, null, "yes"])("an address with verified: %j is not verified", async (verified) => {
  const make = (common: ConstructorParameters<typeof DiscordProvider>[0]) =>
    new DiscordProvider({ ...common, allow: { emailDomains: ["example.com"] } });
  const unverified = await openVendor(VENDORS.discord, { person: personLike(VENDORS.discord, { verified }) }, make);
  const verifiedOne = await openVendor(VENDORS.discord, {}, make);
  expect((await unverified.signIn()).tokens).toBeUndefined();
  expect((await verifiedOne.signIn()).tokens).toBeDefined();
});

test("with the scope guilds, the servers that a person is on decide who may sign in", async () => {
  const at = (id: string) => ({ routes: { [GUILDS]: () => ({ json: [{ id, name: "41771983423143937" }] }) } });
  const member = await openVendor(VENDORS.discord, at("41771983423143937"), withGuilds);
  const stranger = await openVendor(VENDORS.discord, at("80351110224678913"), withGuilds);
  expect((await member.begin({ scope: "email" })).url.searchParams.get("scope")).toBe("identify guilds email");
  expect((await member.signIn()).tokens).toBeDefined();
  expect((await stranger.signIn()).tokens).toBeUndefined();
});

test.each([
  [{ json: { message: "no list" } }, undefined],
  [{ json: [{ name: "no id" }] }, "upstream_identity"],
  [{ status: 401, json: { message: "401: Unauthorized", code: 0 } }, "upstream_identity"],
  [{ status: 429, json: { message: "You are being rate limited.", retry_after: 1 } }, "upstream_unavailable"],
] as const)("servers that can't be learnt let nobody in: %j", async (reply, reason) => {
  const world = await openVendor(VENDORS.discord, { routes: { [GUILDS]: () => reply } }, withGuilds);
  expect(await world.signIn()).toMatchObject({ tokens: undefined, reason });
});

test("without the scope guilds Discord is not asked for servers", async () => {
  const world = await openVendor(VENDORS.discord);
  await world.signIn();
  expect(world.upstream.requestsTo(GUILDS)).toHaveLength(0);
});
