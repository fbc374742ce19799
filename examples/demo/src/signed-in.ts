/** The second half of the story: what a client does with its tokens, until it gives them back. */
import { setTimeout as pause } from "node:timers/promises";
import { refreshAuthorization, UnauthorizedError } from "@modelcontextprotocol/client";
import { expired } from "./expired-token.ts";
import type { Narrator } from "./narrator.ts";
import { rejection, type Stage } from "./stage.ts";
import { legible, membersOf } from "./tool-result.ts";

const RACERS = 20;

/** Tells how a client that has tokens uses, refreshes and revokes them. */
export async function tellSignedIn(stage: Stage): Promise<void> {
  await useTools(stage);
  await outliveServer(stage);
  await outliveUpstreamToken(stage);
  await outliveAccessToken(stage);
  await refreshAtOnce(stage);
  await revoke(stage);
  await comeBack(stage);
}

async function useTools(stage: Stage): Promise<void> {
  const narrator: Narrator = stage.narrator;
  narrator.step("The client comes back with the token, and uses the tools");
  await stage.application.connect();
  const whoami = await stage.application.call("whoami");
  stage.showWire();
  narrator.block(legible(whoami));
  narrator.check(membersOf(whoami).subject === "alice", "whoami: the server knows that this is alice");

  await profile(stage, "GET /userinfo");
  narrator.say("The server asked on alice's behalf, with a token that the client has never seen.");

  const refused = await stage.application.call("admin_only");
  stage.showWire();
  narrator.block(legible(refused));
  narrator.check(refused.isError === true, "admin_only: alice is no administrator");
}

/** Calls upstream_profile, and shows what the server meanwhile said to the identity provider. */
async function profile(stage: Stage, expected: string): Promise<string> {
  const narrator: Narrator = stage.narrator;
  const { identityProvider } = stage.setting;
  const mark = identityProvider.mark;
  const answer = await stage.application.call("upstream_profile");
  const line = await identityProvider.line(expected, mark);
  await identityProvider.line("GET /userinfo", mark);
  stage.showWire();
  narrator.say(`Meanwhile, from the server to the identity provider: ${identityProvider.linesSince(mark).join(", ")}`);
  narrator.block(legible(answer));
  narrator.check(membersOf(answer).email === "alice@example.com", "upstream_profile: it is alice there as well");
  return line;
}

async function outliveServer(stage: Stage): Promise<void> {
  const narrator: Narrator = stage.narrator;
  narrator.step("The server is killed once more, and nobody is logged out");
  await stage.setting.server.killAndStart();
  const whoami = await stage.application.call("whoami");
  stage.showWire();
  narrator.check(membersOf(whoami).subject === "alice", "whoami: another process knows alice by the same token");
}

async function outliveUpstreamToken(stage: Stage): Promise<void> {
  const narrator: Narrator = stage.narrator;
  const { upstreamTokenTtl } = stage.setting;
  narrator.step("The identity provider's token runs out, and nobody notices");
  narrator.say(`In this demo it lives for ${upstreamTokenTtl} seconds. Waiting until it is over.`);
  await pause(upstreamTokenTtl * 1000);
  const refresh = await profile(stage, "POST /token");
  narrator.check(refresh.endsWith(" 200"), "the server has refreshed it behind the client's back");
}

async function outliveAccessToken(stage: Stage): Promise<void> {
  const narrator: Narrator = stage.narrator;
  const { credentials } = stage.application;
  narrator.step("The client's own access token runs out");
  narrator.say("It lives for an hour. The demo has the signing key, and makes this one two hours older.");
  const before = credentials.held;
  credentials.saveTokens({ ...before, access_token: expired(before.access_token, stage.setting.jwtSigningKey) });
  const whoami = await stage.application.call("whoami");
  const exchanges = stage.showWire();
  narrator.check(exchanges[0]?.status === 401, "the server refuses it: 401");
  const refreshed = exchanges.some(({ sent }) => sent?.grant_type === "refresh_token");
  narrator.check(refreshed, "the client refreshes");
  narrator.check(credentials.held.refresh_token !== before.refresh_token, "and has a new refresh token as well");
  narrator.check(membersOf(whoami).subject === "alice", "the call is repeated, and answered");
}

async function refreshAtOnce(stage: Stage): Promise<void> {
  const narrator: Narrator = stage.narrator;
  const { credentials, wire } = stage.application;
  narrator.step(`The client refreshes ${RACERS} times at once`);
  narrator.say("Real clients do: several windows, several processes, and one stored refresh token.");
  const { refresh_token: refreshToken = "" } = credentials.held;
  const { authorizationServerUrl = "", authorizationServerMetadata: metadata } = credentials.discoveryState() ?? {};
  const clientInformation = credentials.clientInformation();
  if (metadata === undefined || clientInformation === undefined) throw new Error("The client is not registered.");
  const refresh = () =>
    refreshAuthorization(authorizationServerUrl, {
      metadata,
      clientInformation,
      refreshToken,
      resource: stage.setting.mcpUrl,
      fetchFn: wire.fetch,
    });
  const answers = await Promise.all(Array.from({ length: RACERS }, refresh));
  const exchanges = wire.take();
  stage.show(exchanges.slice(0, 2));
  narrator.say(`… and ${exchanges.length - 2} more like these.`);
  narrator.check(answers.length === RACERS, `all ${RACERS} are answered with tokens`);
  const next = new Set(answers.map((answer) => answer.refresh_token));
  narrator.check(next.size === 1 && !next.has(refreshToken), "and with one and the same next refresh token");
  credentials.saveTokens({ ...credentials.held, ...answers[0] });
}

async function revoke(stage: Stage): Promise<void> {
  const narrator: Narrator = stage.narrator;
  const { credentials, wire } = stage.application;
  narrator.step("The client signs out");
  const metadata = credentials.discoveryState()?.authorizationServerMetadata ?? {};
  const endpoint = "revocation_endpoint" in metadata ? metadata.revocation_endpoint : undefined;
  narrator.check(typeof endpoint === "string", "the server says where tokens are given back");
  const { client_id = "" } = credentials.clientInformation() ?? {};
  const body = new URLSearchParams({ token: credentials.held.refresh_token ?? "", client_id });
  const { status } = await wire.fetch(endpoint, { method: "POST", body });
  stage.showWire();
  narrator.check(status === 200, "the refresh token is revoked");
}

async function comeBack(stage: Stage): Promise<void> {
  const narrator: Narrator = stage.narrator;
  narrator.step("And comes back all the same");
  const refused = await rejection(stage.application.call("whoami"));
  const exchanges = stage.showWire();
  narrator.check(exchanges[0]?.status === 401, "its access token is refused at once: 401");
  const refresh = exchanges.find(({ sent }) => sent?.grant_type === "refresh_token");
  narrator.check(refresh?.received?.error === "invalid_grant", "its refresh token is refused as well");
  narrator.check(refused instanceof UnauthorizedError, "a person has to sign in again");
  await stage.application.close();
}
