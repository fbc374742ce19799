import { describe, expect, test } from "vitest";
import { refusalOf } from "../../test/answers.ts";
import { jsonOf, type RegisteredClient, type Server, UPSTREAM, World } from "../../test/harness.ts";

function revoke(server: Server, { clientId }: RegisteredClient, token: string, more = {}): Promise<Response> {
  return server.post("/oauth/revoke", { client_id: clientId, token, ...more });
}

describe("what ends", () => {
  test.each(["access_token", "refresh_token"] as const)(
    "RFC 7009 §2.1: with the %s the grant ends, and every token that hangs from it",
    async (kind) => {
      const world = new World();
      const server = world.server();
      const { client, tokens } = await server.signIn();
      const answer = await revoke(server, client, tokens[kind]);

      expect(answer.status).toBe(200);
      expect(await answer.text()).toBe("");
      expect(answer.headers.get("cache-control")).toBe("no-store");
      expect(answer.headers.get("access-control-allow-origin")).toBe("*");
      expect(await server.call(tokens.access_token)).toBe(401);
      expect(await refusalOf(await server.refresh(client, tokens.refresh_token))).toBe("400 invalid_grant");
      expect(await server.auth.loadUpstreamTokens(tokens.access_token)).toBeNull();
      expect(world.eventsOf("grant.revoked")).toMatchObject([{ because: "client" }]);
    },
  );

  test("an earlier refresh token of the same grant ends it as well", async () => {
    const server = new World().server();
    const { client, tokens } = await server.signIn();
    const refreshed = await jsonOf(await server.refresh(client, tokens.refresh_token));
    await revoke(server, client, tokens.refresh_token);
    expect(await server.call(String(refreshed.access_token))).toBe(401);
  });

  test("another installation of the same client and person lives on", async () => {
    const server = new World().server();
    const { client, tokens } = await server.signIn();
    const other = await server.signIn({ client });
    await revoke(server, client, tokens.refresh_token);
    expect(await server.call(other.tokens.access_token)).toBe(200);
  });

  test.each(["access_token", "refresh_token", "made_up", ""])(
    "RFC 7009 §2.1: the hint %j is only a hint",
    async (hint) => {
      const server = new World().server();
      const { client, tokens } = await server.signIn();
      expect((await revoke(server, client, tokens.refresh_token, { token_type_hint: hint })).status).toBe(200);
      expect(await server.call(tokens.access_token)).toBe(401);
    },
  );
});

describe("what does not", () => {
  test("RFC 7009 §2.2: unknown, foreign, forged and expired tokens are answered like known ones, and end nothing", async () => {
    const world = new World();
    const server = world.server();
    const { client, tokens } = await server.signIn();
    const stranger = await server.register();
    const forged = `${tokens.refresh_token.slice(0, -43)}${"A".repeat(43)}`;
    const attempts: [RegisteredClient, string][] = [
      [client, "unknown"],
      [client, forged],
      [client, `${tokens.access_token.slice(0, -43)}${"A".repeat(43)}`],
      [client, tokens.refresh_token.replace(/\.0\./, ".1.")],
      [stranger, tokens.refresh_token],
      [stranger, tokens.access_token],
    ];
    for (const [who, token] of attempts) {
      const answer = await revoke(server, who, token);
      expect([answer.status, await answer.text()]).toEqual([200, ""]);
    }
    expect(await server.call(tokens.access_token)).toBe(200);
    expect(world.eventsOf("grant.revoked")).toEqual([]);
  });

  test("a second revocation of the same token is 200", async () => {
    const world = new World();
    const server = world.server();
    const { client, tokens } = await server.signIn();
    await revoke(server, client, tokens.refresh_token);
    expect((await revoke(server, client, tokens.refresh_token)).status).toBe(200);
    expect(world.eventsOf("grant.revoked")).toHaveLength(1);
  });
});

describe("who may", () => {
  test("RFC 7009 §2.1: a client that is not known, or not authenticated, is 401", async () => {
    const server = new World().server();
    expect(await refusalOf(await revoke(server, { clientId: "nobody" }, "x"))).toBe("401 invalid_client");
    expect(await refusalOf(await server.post("/oauth/revoke", { token: "x" }))).toBe("401 invalid_client");
    const confidential = await server.register({ token_endpoint_auth_method: "client_secret_post" });
    expect(await refusalOf(await revoke(server, confidential, "x"))).toBe("401 invalid_client");
  });

  test("a request without a token is 400", async () => {
    const server = new World().server();
    expect(await refusalOf(await revoke(server, await server.register(), ""))).toBe("400 invalid_request");
  });

  test("while the storage can not be reached it is 503: RFC 7009 §2.2.1", async () => {
    const world = new World();
    const server = world.server();
    const { client, tokens } = await server.signIn();
    world.storage.before = () => Promise.reject(new Error("down"));
    const answer = await revoke(server, client, tokens.refresh_token);
    expect(answer.headers.get("retry-after")).toBe("5");
    expect(await refusalOf(answer)).toBe("503 temporarily_unavailable");
  });
});

describe("upstream", () => {
  const config = { upstreamRevocationEndpoint: `${UPSTREAM}/revoke` };

  test("not our token is sent upstream but the upstream's own", async () => {
    const world = new World();
    const server = world.server(config);
    const { client, tokens } = await server.signIn();
    await revoke(server, client, tokens.refresh_token);
    const sent = world.upstreamRequests.filter(({ url }) => url.endsWith("/revoke")).map(({ form }) => form);
    expect(sent.map((form) => [form.get("token_type_hint"), form.get("token")]).sort()).toEqual([
      ["access_token", "upstream-access-1"],
      ["refresh_token", "upstream-refresh-1"],
    ]);
  });

  test("what the upstream answers changes nothing here, and the operator hears of it", async () => {
    const world = new World();
    const server = world.server(config);
    const { client, tokens } = await server.signIn();
    world.answer = () => ({ status: 500, body: "broken" });
    expect((await revoke(server, client, tokens.refresh_token)).status).toBe(200);
    expect(await server.call(tokens.access_token)).toBe(401);
    expect(world.eventsOf("upstream.failed")).toMatchObject([{ operation: "revoke", reason: "upstream_unavailable" }]);
  });
});
