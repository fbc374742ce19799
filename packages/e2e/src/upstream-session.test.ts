/** What becomes of a grant while its upstream is down, slow, or has ended the session. */
import { OperationProcessingError, ResponseBodyError } from "oauth4webapi";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { StrictClient } from "./clients/oauth4webapi.ts";
import { type EmbeddedServer, startEmbeddedServer } from "./embedded-server.ts";
import { Person } from "./person.ts";
import { type Site, startSite } from "./site.ts";
import { whoIs } from "./tool-call.ts";
import { Upstream } from "./upstream.ts";

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

/** Seconds that the upstream's access tokens live; ours live longer. */
const UPSTREAM_TTL = 600;

async function signedIn(mcpUrl: URL, name = "alice"): Promise<StrictClient> {
  const client = new StrictClient(mcpUrl, "none");
  await client.finish(await new Person(name).signIn(await client.knock()));
  return client;
}

/** How a refresh was refused. The library reads a 4xx as RFC 6749 §5.2, and hands a 5xx over as it is. */
async function refusedRefresh(client: StrictClient) {
  const reason: unknown = await client.refresh().catch((error: unknown) => error);
  if (reason instanceof ResponseBodyError) return { status: reason.status, error: reason.error, retryAfter: null };
  const answer = reason instanceof OperationProcessingError ? reason.cause : undefined;
  if (!(answer instanceof Response)) throw new Error("The refresh was not refused.", { cause: reason });
  const { error } = (await answer.json()) as { readonly error?: unknown };
  return { status: answer.status, error, retryAfter: answer.headers.get("retry-after") };
}

const DOWN = { status: 503, error: "temporarily_unavailable", retryAfter: expect.stringMatching(/^[1-9]\d*$/) };

describe("with a clock of its own", () => {
  let upstream: Upstream;
  let server: EmbeddedServer;
  beforeAll(async () => {
    upstream = await Upstream.start({ accessTokenTtl: UPSTREAM_TTL });
  });
  beforeEach(async () => {
    server = await startEmbeddedServer(upstream, { upstreamRequestTimeoutMs: 300 });
  });
  afterEach(async () => {
    upstream.repair();
    await server.close();
  });
  afterAll(() => upstream.close());

  test.each(["unavailable", "unreachable", "silent"] as const)(
    "an upstream that is %s when its token has expired: 503 with Retry-After, and nothing is lost",
    async (disorder) => {
      const client = await signedIn(server.mcpUrl);
      server.advance(UPSTREAM_TTL + 1);
      upstream.disturb("token", disorder);

      expect(await refusedRefresh(client)).toEqual(DOWN);
      expect(await whoIs(server.mcpUrl, client.tokens.access_token)).toBe("alice");

      upstream.repair();
      client.tokens = await client.refresh();
      expect(await whoIs(server.mcpUrl, client.tokens.access_token)).toBe("alice");
    },
  );

  test("20 refreshes at once with an expired upstream token cost one upstream refresh", async () => {
    const client = await signedIn(server.mcpUrl);
    server.advance(UPSTREAM_TTL + 1);
    const before = upstream.requestsTo("token");
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.refresh()));

    expect(new Set(answers.map((answer) => answer.refresh_token)).size).toBe(1);
    expect(upstream.requestsTo("token")).toBe(before + 1);
  });

  test("a session that was revoked at the upstream ends our grant, and no other", async () => {
    const client = await signedIn(server.mcpUrl);
    const revoked = server.upstreamAnswers.at(-1)?.refresh_token ?? "";
    const other = await signedIn(server.mcpUrl);
    const { revocation } = upstream.provider.endpoints;
    const credentials = Buffer.from(
      [upstream.clientId, upstream.clientSecret].map((part) => encodeURIComponent(part)).join(":"),
    ).toString("base64");
    const { status } = await fetch(revocation, {
      method: "POST",
      headers: { authorization: `Basic ${credentials}` },
      body: new URLSearchParams({ token: revoked }),
    });
    expect(status).toBe(200);

    server.advance(UPSTREAM_TTL + 1);
    expect(await refusedRefresh(client)).toMatchObject({ status: 400, error: "invalid_grant" });
    expect(await whoIs(server.mcpUrl, client.tokens.access_token)).toBe(401);
    other.tokens = await other.refresh();
    expect(await whoIs(server.mcpUrl, other.tokens.access_token)).toBe("alice");
  });

  test("RFC 7009 §2.1: a revocation of ours ends the upstream's tokens as well", async () => {
    const client = await signedIn(server.mcpUrl);
    const { access_token = "" } = server.upstreamAnswers.at(-1) ?? {};
    const userinfo = () =>
      fetch(upstream.provider.endpoints.userinfo, { headers: { authorization: `Bearer ${access_token}` } });

    expect((await userinfo()).status).toBe(200);
    await client.revoke();
    expect((await userinfo()).status).toBe(401);
  });
});

describe("at the example server, with upstream tokens that live for one second", () => {
  let site: Site;
  beforeAll(async () => {
    site = await startSite({ accessTokenTtl: 1 });
  });
  afterAll(() => site.close());

  test("a tool goes on using the upstream, whose tokens are refreshed behind it", async () => {
    const client = await signedIn(site.example.mcpUrl);
    const before = site.upstream.requestsTo("token");

    await vi.waitFor(
      async () => {
        expect(await client.call("upstream_profile")).toMatchObject({
          isError: false,
          text: expect.stringContaining("alice@example.com"),
        });
        expect(site.upstream.requestsTo("token")).toBeGreaterThan(before);
      },
      { timeout: 20_000, interval: 50 },
    );
  });

  test("while the upstream is down, tools and refreshes say so; afterwards the same tokens work", async () => {
    const client = await signedIn(site.example.mcpUrl);
    site.upstream.disturb("token", "unavailable");
    const failed = await vi.waitUntil(
      async () => {
        const answer = await client.call("upstream_profile");
        return answer.isError ? answer : undefined;
      },
      { timeout: 20_000, interval: 50 },
    );

    expect(await refusedRefresh(client)).toEqual(DOWN);
    expect(failed?.text).not.toContain(site.upstream.provider.issuer);

    site.upstream.repair();
    expect((await client.call("upstream_profile")).isError).toBe(false);
    client.tokens = await client.refresh();
    expect(await whoIs(site.example.mcpUrl, client.tokens.access_token)).toBe("alice");
  });
});
