/** Slack, against a stand-in that behaves as Slack does. */
import { expect, test } from "vitest";
import { openVendor, personLike, VENDORS } from "../test/vendors.ts";
import { SlackProvider } from "./slack.ts";

const REVOKE = "https://slack.com/api/auth.revoke";
const TEAM = "https://slack.com/team_id";
const inTeam = (team: string) => (common: ConstructorParameters<typeof SlackProvider>[0]) =>
  new SlackProvider({ ...common, team });

test.each([
  ["invalid_code", "upstream_invalid_grant"],
  ["bad_client_secret", "upstream_client_refused"],
  ["ratelimited", "upstream_unavailable"],
  ["fatal_error", "upstream_refused"],
])("an error in a 200, %s, is %s", async (error, reason) => {
  const world = await openVendor(VENDORS.slack, { token: () => ({ json: { ok: false, error } }) });
  expect(await world.signIn()).toMatchObject({ tokens: undefined, reason });
});

test("ok: false is an error even where it has no word, and tokens beside it are not believed", async () => {
  const world = await openVendor(VENDORS.slack, { token: (answer) => ({ json: { ...answer, ok: false } }) });
  expect(await world.signIn()).toMatchObject({ tokens: undefined, reason: "upstream_refused" });
});

test("without an ID token nobody signs in: UserInfo would answer ok: false with 200", async () => {
  const world = await openVendor(VENDORS.slack, {
    idToken: () => undefined,
    userinfo: () => ({ json: { ok: false, error: "invalid_auth" } }),
  });
  expect(await world.signIn()).toMatchObject({ tokens: undefined, reason: "upstream_identity" });
  expect(world.upstream.requestsTo("userinfo")).toHaveLength(0);
});

test("one user id in two workspaces is two people", async () => {
  const person = personLike(VENDORS.slack, { [TEAM]: "T0OTHER" });
  const here = await openVendor(VENDORS.slack);
  const there = await openVendor(VENDORS.slack, { person });
  expect((await here.signIn()).claims["sub"]).toBe("slack|T0R7GR4EE.U0R7MFMJM");
  expect((await there.signIn()).claims["sub"]).toBe("slack|T0OTHER.U0R7MFMJM");
});

test("a workspace is asked for, and people of another are refused, as they are where somebody took the parameter out", async () => {
  const member = await openVendor(VENDORS.slack, {}, inTeam("T0R7GR4EE"));
  const stranger = await openVendor(VENDORS.slack, {}, inTeam("T0OTHER"));
  expect((await member.begin()).url.searchParams.get("team")).toBe("T0R7GR4EE");
  expect((await member.signIn()).tokens).toBeDefined();
  expect(await stranger.signIn()).toMatchObject({ tokens: undefined, reason: "upstream_identity" });
});

test("allow knows workspaces by their ids", async () => {
  const world = await openVendor(
    VENDORS.slack,
    {},
    (common) => new SlackProvider({ ...common, allow: { organizations: ["T0OTHER"] } }),
  );
  expect((await world.signIn()).tokens).toBeUndefined();
});

test.each([
  ["a token that is over already", { json: { ok: false, error: "token_revoked" } }, undefined],
  ["no word", { json: { ok: false } }, "upstream_refused"],
  ["another error", { json: { ok: false, error: "fatal_error" } }, "upstream_refused"],
  ["a page", { text: "<html>" }, "upstream_refused"],
  ["too many requests", { status: 429 }, "upstream_unavailable"],
] as const)("%s at auth.revoke ends the grant here all the same", async (_what, reply, reason) => {
  const world = await openVendor(VENDORS.slack, { routes: { [REVOKE]: () => reply } });
  await world.signIn();
  expect((await world.revoke()).status).toBe(200);
  expect(await world.upstreamTokens()).toBeNull();
  const failed = world.events.find((event) => event.type === "upstream.failed");
  expect(failed).toEqual(reason === undefined ? undefined : expect.objectContaining({ operation: "revoke", reason }));
});
