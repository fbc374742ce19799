import { describe, expect, test } from "vitest";
import { Browser, formOf, World } from "../test/harness.ts";
import { PKCEUtils } from "./pkce-utils.ts";

/** The calls to the storage that something makes. */
async function callsOf(world: World, step: () => Promise<unknown>): Promise<readonly string[]> {
  world.storage.calls = [];
  await step();
  return world.storage.calls;
}

describe("Round trips to the storage, step by step", () => {
  test("register 0, authorize 1, consent 1, callback 3, token 3, refresh 2, guard 0 to 1, loadUpstreamTokens 1, revoke 2", async () => {
    const world = new World();
    const server = world.server();
    const browser = new Browser();
    const { verifier, challenge } = PKCEUtils.generatePair();

    let client = { clientId: "" };
    expect(await callsOf(world, async () => (client = await server.register()))).toEqual([]);

    let shown = new Response();
    const authorize = async () => (shown = await server.get(server.authorizationUrl(client, challenge)));
    expect(await callsOf(world, authorize)).toEqual(["save transaction"]);
    browser.keep(shown);
    const form = { ...formOf(await shown.text()), action: "approve" };

    let approved = new Response();
    const consent = async () => (approved = await server.post("/oauth/consent", form, { cookie: browser.header() }));
    expect(await callsOf(world, consent)).toEqual(["get transaction"]);
    browser.keep(approved);

    let returned = new Response();
    const callback = async () => (returned = await server.callback(approved.headers.get("location") ?? "", browser));
    expect(await callsOf(world, callback)).toEqual(["get transaction", "claim finished", "save code"]);
    const code = new URL(returned.headers.get("location") ?? "").searchParams.get("code") ?? "";

    let redeemed = new Response();
    const redeem = async () => (redeemed = await server.redeem({ client, code, verifier }));
    expect(await callsOf(world, redeem)).toEqual(["get code", "claim redemption", "claim grant"]);
    const tokens = (await redeemed.json()) as Record<string, string>;
    const accessToken = tokens.access_token ?? "";

    const call = async () => expect(await server.call(accessToken)).toBe(200);
    expect(await callsOf(world, call)).toEqual([]);
    world.now += 5;
    expect(await callsOf(world, call)).toEqual(["get grant"]);
    expect(await callsOf(world, call)).toEqual([]);

    const load = async () => expect(await server.auth.loadUpstreamTokens(accessToken)).not.toBeNull();
    expect(await callsOf(world, load)).toEqual(["get grant"]);

    let refreshed = new Response();
    const refresh = async () => (refreshed = await server.refresh(client, tokens.refresh_token ?? ""));
    expect(await callsOf(world, refresh)).toEqual(["get grant", "replace grant"]);
    expect(refreshed.status).toBe(200);

    const revoke = () => server.post("/oauth/revoke", { token: accessToken, client_id: client.clientId });
    expect(await callsOf(world, revoke)).toEqual(["get grant", "replace grant"]);
  });

  test("a request without a token, with a token that is forged, or over, costs none", async () => {
    const world = new World();
    const server = world.server();
    const { client, tokens } = await server.signIn();
    world.now += 3600;
    const strangers = async () => {
      expect(await server.call(undefined)).toBe(401);
      expect(await server.call(`${tokens.access_token.slice(0, -3)}AAA`)).toBe(401);
      expect(await server.call(tokens.access_token)).toBe(401);
      expect((await server.refresh({ clientId: "sp_c1_unknown" }, tokens.refresh_token)).status).toBe(401);
      expect((await server.refresh(client, "sp_rt_nonsense")).status).toBe(400);
      expect((await server.get("/oauth/callback?code=x&state=y")).status).toBe(400);
      expect((await server.post("/oauth/consent", { transaction: "x", csrf_token: "y" })).status).toBe(403);
    };
    expect(await callsOf(world, strangers)).toEqual([]);
  });

  test("the documents cost none", async () => {
    const world = new World();
    const server = world.server();
    const documents = async () => {
      for (const path of ["oauth-authorization-server", "oauth-protected-resource/mcp"]) {
        expect((await server.get(`/.well-known/${path}`)).status).toBe(200);
      }
    };
    expect(await callsOf(world, documents)).toEqual([]);
  });

  test("with revocationCheckTtl 0 every guarded call costs one, and never more", async () => {
    const world = new World();
    const server = world.server({ revocationCheckTtl: 0 });
    const { tokens } = await server.signIn();
    for (let count = 0; count < 3; count++) {
      expect(await callsOf(world, () => server.call(tokens.access_token))).toEqual(["get grant"]);
    }
  });
});
