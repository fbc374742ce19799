/** A sign-in goes on where it was, whatever is killed in the middle of it: over every storage that outlives a process. */
import { freePort, installedPostgres, installedRedis, until } from "@sallyport/test-servers";
import { OperationProcessingError } from "oauth4webapi";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { StrictClient } from "./clients/oauth4webapi.ts";
import { Person } from "./person.ts";
import { readable } from "./readable.ts";
import { Replica } from "./replica.ts";
import { onDisk, onPostgres, onRedis, type StorageOnTrial } from "./storage-on-trial.ts";
import { subjectOf, whoIs } from "./tool-call.ts";
import { Upstream } from "./upstream.ts";

const STORAGES = [
  { name: "disk", open: onDisk, hasServer: false, isThere: true },
  { name: "Redis", open: onRedis, hasServer: true, isThere: (await installedRedis()) !== undefined },
  { name: "PostgreSQL", open: onPostgres, hasServer: true, isThere: (await installedPostgres()) !== undefined },
];

for (const { name, open, hasServer, isThere } of STORAGES) {
  describe.skipIf(!isThere)(name, () => {
    let storage: StorageOnTrial;
    let upstream: Upstream;
    let server: Replica;
    let mcpUrl: URL;
    beforeAll(async () => {
      [storage, upstream] = await Promise.all([open(), Upstream.start()]);
      const { issuer, endpoints } = upstream.provider;
      server = new Replica(await freePort(), {
        STORAGE: storage.setting,
        UPSTREAM_ISSUER: issuer,
        UPSTREAM_AUTHORIZATION_ENDPOINT: endpoints.authorization,
        UPSTREAM_TOKEN_ENDPOINT: endpoints.token,
        UPSTREAM_USERINFO_ENDPOINT: endpoints.userinfo,
        UPSTREAM_CLIENT_ID: upstream.clientId,
        UPSTREAM_CLIENT_SECRET: upstream.clientSecret,
        UPSTREAM_SCOPES: "openid profile email offline_access",
      });
      await upstream.admit(server.origin);
      mcpUrl = new URL(`${server.origin}/mcp`);
    });
    beforeEach(() => server.start());
    afterAll(async () => {
      await server.kill();
      await Promise.all([storage.stop(), upstream.close()]);
    });

    /** From registration to a call with a token that was refreshed, with something in between every two steps; what it was about. */
    async function expectToGoOn(meanwhile: () => Promise<void>): Promise<readonly string[]> {
      const client = new StrictClient(mcpUrl, "none");
      const alice = new Person("alice");
      const authorizationUrl = await client.knock();
      await meanwhile();
      const consent = await alice.browser.open(authorizationUrl);
      await meanwhile();
      const signIn = await alice.browser.submit(consent, { action: "approve" });
      await meanwhile();
      const { url: callback } = await alice.browser.submit(signIn, { username: alice.name, action: "sign-in" });
      await meanwhile();
      await client.finish(callback);
      const first = client.tokens;
      await meanwhile();
      client.tokens = await client.refresh();
      await meanwhile();
      expect(subjectOf(await client.call("whoami"))).toBe("alice");
      await meanwhile();
      expect((await client.call("upstream_profile")).isError).toBe(false);
      return [
        callback.searchParams.get("code") ?? "",
        ...[first, client.tokens].flatMap((tokens) => [tokens.access_token, tokens.refresh_token]),
      ];
    }

    test("killed with SIGKILL between every two steps of a sign-in and started again, the server goes on", async () => {
      const secrets = await expectToGoOn(() => server.killAndStart());
      // It lets go of its storage, or else it would not end.
      expect(await server.served.stop()).toEqual({ code: 0, signal: null });
      const dump = await storage.dump();

      expect(dump.length).toBeGreaterThan(1000);
      expect(readable(dump, [...secrets, "alice@example.com"])).toEqual([]);
    });

    if (!hasServer) return;

    test("killed together with the server of its storage, it goes on as well", async () => {
      await expectToGoOn(async () => {
        await Promise.all([storage.server?.kill(), server.kill()]);
        await storage.server?.start();
        await server.start();
      });
      await server.kill();
    });

    test("while the server of its storage is away, nobody is logged out: they are told to wait", async () => {
      const client = new StrictClient(mcpUrl, "none");
      await client.finish(await new Person("alice").signIn(await client.knock()));
      await storage.server?.kill();
      const refusal: unknown = await client.refresh().catch((error: unknown) => error);
      if (!(refusal instanceof OperationProcessingError && refusal.cause instanceof Response)) throw refusal;

      expect(refusal.cause.status).toBe(503);
      expect(await refusal.cause.json()).toMatchObject({ error: "temporarily_unavailable" });

      await storage.server?.start();
      client.tokens = await until("the storage is back", () => client.refresh());
      expect(await whoIs(mcpUrl, client.tokens.access_token)).toBe("alice");
      await server.kill();
    });
  });
}
