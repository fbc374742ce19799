/** Real clients against the example server: from a URL and nothing else to tokens, and to their end. */
import { decodeJwt, SignJWT } from "jose";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { StrictClient } from "./clients/oauth4webapi.ts";
import { OfficialClient } from "./clients/official-client.ts";
import { OpenidClient } from "./clients/openid-client.ts";
import type { RealClient } from "./clients/real-client.ts";
import { sdkV1 } from "./clients/sdk-v1.ts";
import { sdkV2 } from "./clients/sdk-v2.ts";
import { Person } from "./person.ts";
import { type Site, startSite } from "./site.ts";
import { subjectOf, whoIs } from "./tool-call.ts";

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const RACERS = 20;

let site: Site;
beforeAll(async () => {
  site = await startSite();
});
afterAll(() => site.close());

const clients: readonly { readonly name: string; readonly create: (mcpUrl: URL) => RealClient }[] = [
  ...[sdkV2, sdkV1].map((generation) => ({
    name: generation.name,
    create: (mcpUrl: URL) => new OfficialClient(generation, mcpUrl),
  })),
  ...(["none", "client_secret_basic", "client_secret_post"] as const).map((method) => ({
    name: `oauth4webapi, ${method}`,
    create: (mcpUrl: URL) => new StrictClient(mcpUrl, method),
  })),
  { name: "openid-client", create: (mcpUrl: URL) => new OpenidClient(mcpUrl) },
];

/** The same access token, two hours older. */
async function aged(token: string): Promise<string> {
  const { iat = 0, exp = 0, ...claims } = decodeJwt(token);
  return new SignJWT({ ...claims, iat: iat - 7200, exp: exp - 7200 })
    .setProtectedHeader({ alg: "HS256", typ: "at+jwt" })
    .sign(new TextEncoder().encode(site.jwtSigningKey));
}

describe.each(clients)("$name", ({ create }) => {
  let client: RealClient;
  let mcpUrl: URL;

  beforeEach(() => {
    ({ mcpUrl } = site.example);
    client = create(mcpUrl);
  });
  afterEach(() => client.close());

  const signIn = async () => client.finish(await new Person("alice").signIn(await client.knock()));

  test("RFC 9728 §5.1: finds its way from the 401 to a registration", async () => {
    const authorizationUrl = await client.knock();

    const { lines } = client.wire;
    expect(lines[0]).toBe("POST /mcp 401");
    expect(lines).toContain("GET /.well-known/oauth-protected-resource/mcp 200");
    expect(lines).toContain("GET /.well-known/oauth-authorization-server 200");
    expect(lines.at(-1)).toBe("POST /oauth/register 201");
    expect(authorizationUrl.href.startsWith(`${site.example.baseUrl}/oauth/authorize?`)).toBe(true);
  });

  test("signs in through the consent page and the identity provider, and uses the tools", async () => {
    await signIn();

    expect(subjectOf(await client.call("whoami"))).toBe("alice");
    expect(JSON.parse((await client.call("upstream_profile")).text)).toMatchObject({ email: "alice@example.com" });
    expect(client.tokens.scope?.split(" ").sort()).toEqual([
      "email",
      "mcp:tools",
      "offline_access",
      "openid",
      "profile",
    ]);
  });

  test("RFC 6749 §6: refreshes, and the new tokens work", async () => {
    await signIn();
    const before = client.tokens;
    client.tokens = await client.refresh();

    expect(client.tokens.refresh_token).not.toBe(before.refresh_token);
    expect(client.tokens.scope).toBe(before.scope);
    expect(subjectOf(await client.call("whoami"))).toBe("alice");
  });

  test("single use: of 20 refreshes at once all are paid, with the same next token and usable access tokens", async () => {
    await signIn();
    const answers = await Promise.all(Array.from({ length: RACERS }, () => client.refresh()));

    expect(client.wire.lines.filter((line) => line === "POST /oauth/token 200")).toHaveLength(1 + RACERS);
    expect(new Set(answers.map((answer) => answer.refresh_token)).size).toBe(1);
    const subjects = await Promise.all(answers.map((answer) => whoIs(mcpUrl, answer.access_token)));
    expect(subjects).toEqual(Array.from({ length: RACERS }, () => "alice"));

    client.tokens = answers[0] ?? client.tokens;
    expect((await client.refresh()).refresh_token).not.toBe(client.tokens.refresh_token);
  });

  test("RFC 6750 §3.1: an expired access token is refused with 401", async () => {
    await signIn();

    expect(await whoIs(mcpUrl, await aged(client.tokens.access_token))).toBe(401);
    expect(await whoIs(mcpUrl, client.tokens.access_token)).toBe("alice");
  });

  test("RFC 7009 §2.1: what is revoked is refused with 401, and can't be refreshed", async () => {
    await signIn();
    expect(subjectOf(await client.call("whoami"))).toBe("alice");
    await client.revoke();

    await expect(client.refresh()).rejects.toThrow();
    expect(client.wire.lines.at(-1)).toBe("POST /oauth/token 400");
    const before = client.wire.lines.length;
    await expect(client.call("whoami")).rejects.toThrow();
    expect(client.wire.lines[before]).toBe("POST /mcp 401");
  });
});

describe.each([sdkV2, sdkV1])("$name", (generation) => {
  test(`${RACERS} windows with one expired token go on, each refreshing by itself`, async () => {
    const client = new OfficialClient(generation, site.example.mcpUrl);
    await client.finish(await new Person("alice").signIn(await client.knock()));
    const windows = Array.from({ length: RACERS }, () => client.newWindow());
    await Promise.all(windows.map((window) => window.call("whoami")));
    client.tokens = { ...client.tokens, access_token: await aged(client.tokens.access_token) };

    const answers = await Promise.all(windows.map((window) => window.call("whoami")));

    expect(answers.map(subjectOf)).toEqual(Array.from({ length: RACERS }, () => "alice"));
    const refreshes = windows.flatMap(({ wire }) => wire.lines.filter((line) => line.startsWith("POST /oauth/token")));
    expect(refreshes).toEqual(Array.from({ length: RACERS }, () => "POST /oauth/token 200"));
    await Promise.all(windows.map((window) => window.close()));
  });
});
