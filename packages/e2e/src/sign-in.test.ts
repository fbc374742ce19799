/** Sign-ins that end otherwise: refused, cancelled, too late, or without an upstream that answers. */
import { ScriptedBrowser } from "@sallyport/example-demo-idp/scripted-browser";
import { AuthorizationResponseError } from "oauth4webapi";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { StrictClient } from "./clients/oauth4webapi.ts";
import { type EmbeddedServer, startEmbeddedServer } from "./embedded-server.ts";
import { Person, REDIRECT_URI } from "./person.ts";
import { type Site, startSite } from "./site.ts";
import { subjectOf } from "./tool-call.ts";
import { Upstream } from "./upstream.ts";

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

/** What a callback carries; the client checks `state` and `iss` first, and only then believes the error. */
async function refusalOf(client: StrictClient, callback: URL): Promise<string> {
  expect(callback.href.startsWith(`${REDIRECT_URI}?`)).toBe(true);
  const error: unknown = await client.finish(callback).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof AuthorizationResponseError)) throw error;
  return error.error;
}

describe("at the example server", () => {
  let site: Site;
  let mcpUrl: URL;
  beforeAll(async () => {
    site = await startSite();
    ({ mcpUrl } = site.example);
  });
  afterAll(() => site.close());

  const newClient = () => new StrictClient(mcpUrl, "none");

  test("RFC 6749 §4.1.2.1, RFC 9207 §2: a refusal on the consent page reaches the client, with state and issuer", async () => {
    const client = newClient();
    const callback = await new Person("alice").deny(await client.knock());

    expect(callback.searchParams.get("iss")).toBe(site.example.baseUrl);
    expect(await refusalOf(client, callback)).toBe("access_denied");
  });

  test("RFC 6749 §4.1.2.1: cancelling at the identity provider reaches the client, in our words", async () => {
    const client = newClient();
    const callback = await new Person("alice").cancel(await client.knock());

    expect(callback.searchParams.get("iss")).toBe(site.example.baseUrl);
    expect(callback.searchParams.get("error_description")).toBe("The sign-in was cancelled or refused.");
    expect(await refusalOf(client, callback)).toBe("access_denied");
  });

  test("the consent page can't be answered a second time once it was refused", async () => {
    const client = newClient();
    const alice = new Person("alice");
    const page = await alice.browser.open(await client.knock());
    await alice.browser.submit(page, { action: "deny" });
    const again = await alice.browser.submit(page, { action: "approve" });

    expect(again.status).toBe(403);
    expect(again.url.origin).toBe(mcpUrl.origin);
  });

  test.each(["unavailable", "unreachable"] as const)(
    "an upstream that is %s at the callback is told to the client as temporarily_unavailable, and the next try works",
    async (disorder) => {
      const client = newClient();
      const alice = new Person("alice");
      const authorizationUrl = await client.knock();
      site.upstream.disturb("token", disorder);
      const callback = await alice.signIn(authorizationUrl);
      site.upstream.repair();

      expect(await refusalOf(client, callback)).toBe("temporarily_unavailable");
      await client.finish(await alice.signIn(authorizationUrl));
      expect(subjectOf(await client.call("whoami"))).toBe("alice");
    },
  );

  test("CVE-2026-27124: a callback in another browser than the one that approved gets nobody anywhere", async () => {
    const { authorization } = site.upstream.provider.endpoints;
    const attacker = new ScriptedBrowser({ stopAt: (url) => url.href.startsWith(authorization) });
    const link = await attacker.submit(await attacker.open(await newClient().knock()), { action: "approve" });
    // The victim is sent the link to the identity provider, and signs in there.
    const victim = new Person("alice").browser;
    const end = await victim.submit(await victim.open(link.url), { username: "alice", action: "sign-in" });

    expect(end.url.origin + end.url.pathname).toBe(`${site.example.baseUrl}/oauth/callback`);
    expect(end.status).toBe(400);
    expect(end.text).toMatch(/browser/);
  });

  test("admin_only refuses alice and admits the person with the role admin", async () => {
    const [alice, admin] = await Promise.all(
      ["alice", "admin"].map(async (name) => {
        const client = newClient();
        await client.finish(await new Person(name).signIn(await client.knock()));
        return client.call("admin_only");
      }),
    );

    expect(alice).toMatchObject({ isError: true, text: expect.not.stringContaining("Only people") });
    expect(admin).toMatchObject({ isError: false, text: expect.stringContaining("Only people with the role admin") });
  });
});

describe("with a clock and a patience of its own", () => {
  let upstream: Upstream;
  let server: EmbeddedServer;
  beforeAll(async () => {
    upstream = await Upstream.start();
  });
  beforeEach(async () => {
    server = await startEmbeddedServer(upstream, { upstreamRequestTimeoutMs: 200 });
  });
  afterEach(async () => {
    upstream.repair();
    await server.close();
  });
  afterAll(() => upstream.close());

  const newClient = () => new StrictClient(server.mcpUrl, "none");

  test("a consent page that lay about for longer than a transaction lives is answered with a page", async () => {
    const client = newClient();
    const alice = new Person("alice");
    const page = await alice.browser.open(await client.knock());
    server.advance(601);
    const end = await alice.browser.submit(page, { action: "approve" });

    expect(end.status).toBe(400);
    expect(end.url.origin).toBe(server.mcpUrl.origin);
    expect(end.text).toMatch(/^This sign-in has expired .* start to sign in again/);
  });

  test("a sign-in at the identity provider that took longer than a transaction lives is answered with a page", async () => {
    const client = newClient();
    const alice = new Person("alice");
    const page = await alice.approve(await client.knock());
    server.advance(601);
    const end = await alice.browser.submit(page, { username: "alice", action: "sign-in" });

    expect(end.status).toBe(400);
    expect(end.url.origin).toBe(server.mcpUrl.origin);
    expect(end.text).toMatch(/^This sign-in has expired .* start to sign in again/);
  });

  test("RFC 6749 §4.1.2: a code that is too old is refused with invalid_grant", async () => {
    const client = newClient();
    const callback = await new Person("alice").signIn(await client.knock());
    server.advance(301);

    await expect(client.finish(callback)).rejects.toMatchObject({ error: "invalid_grant", status: 400 });
  });

  test("an upstream that never answers is given up, and the client is told temporarily_unavailable", async () => {
    const client = newClient();
    const authorizationUrl = await client.knock();
    const alice = new Person("alice");
    upstream.disturb("token", "silent");
    const callback = await alice.signIn(authorizationUrl);
    upstream.repair();

    expect(await refusalOf(client, callback)).toBe("temporarily_unavailable");
    await client.finish(await alice.signIn(authorizationUrl));
    expect(subjectOf(await client.call("whoami"))).toBe("alice");
  });
});
