/** Programs as the documentation writes them, with nothing changed but the name of the package and what stands for a whole program around them. */
import { randomBytes } from "node:crypto";
import {
  EncryptedTokenStorage,
  getAuthSession,
  JWTIssuer,
  MemoryTokenStorage,
  OAuthProvider,
  OAuthProxy,
  requireAll,
  requireAny,
  requireAuth,
  requireRole,
  requireScopes,
  type TokenStorage,
} from "@sallyport/oauth-core";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { idToken, jsonOf, RESOURCE, World } from "../test/harness.ts";

const process = {
  env: {
    OAUTH_CLIENT_ID: "our-app",
    OAUTH_CLIENT_SECRET: "upstream-client-secret-0123456789abcdef",
    JWT_SECRET: "a passphrase",
    ENCRYPTION_SECRET: "another passphrase",
    SECRET: "one passphrase",
  },
};

/** What the guide writes as "other config". */
const config = {
  upstreamAuthorizationEndpoint: "https://provider.com/oauth/authorize",
  upstreamTokenEndpoint: "https://provider.com/oauth/token",
  upstreamClientId: process.env.OAUTH_CLIENT_ID,
  upstreamClientSecret: process.env.OAUTH_CLIENT_SECRET,
  baseUrl: "https://your-server.com",
  onEvent: () => undefined,
};

interface Session {
  headers?: Record<string, string>;
}

interface Tool {
  name: string;
  description: string;
  canAccess?: (context: { session?: Session }) => Promise<boolean>;
  execute: (args: object, context: { session?: Session }) => Promise<unknown>;
}

/** As much of a framework as the programs use. */
const tools = new Map<string, Tool>();
const server = { addTool: (tool: Tool) => tools.set(tool.name, tool) };

beforeEach(() => tools.clear());

describe("Custom OAuth Provider", () => {
  test("new OAuthProxy with what is required, and the metadata for a framework", () => {
    const authProxy = new OAuthProxy({
      upstreamAuthorizationEndpoint: "https://provider.com/oauth/authorize",
      upstreamTokenEndpoint: "https://provider.com/oauth/token",
      upstreamClientId: process.env.OAUTH_CLIENT_ID,
      upstreamClientSecret: process.env.OAUTH_CLIENT_SECRET,
      baseUrl: "https://your-server.com",
      scopes: ["openid", "profile"],
    });
    expect(authProxy.getAuthorizationServerMetadata()).toMatchObject({
      issuer: "https://your-server.com",
      authorizationEndpoint: "https://your-server.com/oauth/authorize",
      registrationEndpoint: "https://your-server.com/oauth/register",
      tokenEndpoint: "https://your-server.com/oauth/token",
    });
  });

  test("new OAuthProvider with short names", () => {
    const auth = new OAuthProvider({
      authorizationEndpoint: "https://provider.com/oauth/authorize",
      baseUrl: "https://your-server.com",
      clientId: process.env.OAUTH_CLIENT_ID,
      clientSecret: process.env.OAUTH_CLIENT_SECRET,
      scopes: ["openid", "profile"],
      tokenEndpoint: "https://provider.com/oauth/token",
    });
    expect(auth.issuer).toBe("https://your-server.com");
  });
});

describe("Configuration Options", () => {
  test("Redirect URI Patterns", async () => {
    const authProxy = new OAuthProxy({
      ...config,
      allowedRedirectUriPatterns: [
        "https://*.example.com/*", // Wildcard subdomain
        "http://localhost:*", // Any localhost port
        "https://app.example.com/callback", // Exact match
      ],
    });
    const redirect_uris = ["https://a.example.com/x/y", "http://localhost:5173/cb", "https://app.example.com/callback"];
    expect((await authProxy.registerClient({ redirect_uris })).redirect_uris).toEqual(redirect_uris);
  });

  test("TTL Configuration", () => {
    const authProxy = new OAuthProxy({
      ...config,
      transactionTtl: 600, // 10 minutes for authorization flow
      authorizationCodeTtl: 300, // 5 minutes for code exchange
      accessTokenTtl: 3600, // 1 hour for access tokens
      refreshTokenTtl: 2592000, // 30 days for refresh tokens
    });
    expect(authProxy).toBeInstanceOf(OAuthProxy);
  });

  test("Disabling Consent for Development", () => {
    const authProxy = new OAuthProxy({
      ...config,
      baseUrl: "http://localhost:3000",
      consentRequired: false, // ⚠️ Development only!
    });
    expect(authProxy.issuer).toBe("http://localhost:3000");
  });
});

describe("Token Swap Pattern", () => {
  test("a derived signing key and a storage of one's own", async () => {
    const authProxy = new OAuthProxy({
      baseUrl: "https://your-server.com",
      upstreamAuthorizationEndpoint: "https://provider.com/oauth/authorize",
      upstreamTokenEndpoint: "https://provider.com/oauth/token",
      upstreamClientId: process.env.OAUTH_CLIENT_ID,
      upstreamClientSecret: process.env.OAUTH_CLIENT_SECRET,

      // Token swap is enabled by default
      // Optionally provide your own signing key (recommended for production)
      jwtSigningKey: await JWTIssuer.deriveKey(process.env.JWT_SECRET, 100000),

      // Use persistent storage
      tokenStorage: new MemoryTokenStorage(),
    });
    expect(authProxy).toBeInstanceOf(OAuthProxy);
  });

  test("Loading upstream tokens in your tools", async () => {
    const { auth: authProxy, tokens } = await signedIn();
    const fetch = async (url: string, init: { headers: Record<string, string> }) =>
      Response.json({ url, ...init.headers });

    server.addTool({
      name: "call-api",
      description: "Call upstream API with user's token",
      execute: async (_args, { session }) => {
        const clientToken = session?.headers?.["authorization"]?.replace("Bearer ", "");

        // Load the upstream tokens
        const upstreamTokens = await authProxy.loadUpstreamTokens(clientToken);

        if (upstreamTokens) {
          const response = await fetch("https://api.provider.com/user", {
            headers: {
              Authorization: `Bearer ${upstreamTokens.accessToken}`,
            },
          });

          const data = await response.json();
          return {
            content: [{ type: "text", text: JSON.stringify(data) }],
          };
        }

        throw new Error("No valid token");
      },
    });

    const call = (headers: Record<string, string>) => tools.get("call-api")?.execute({}, { session: { headers } });
    const answer = JSON.stringify(await call({ authorization: `Bearer ${tokens.access_token}` }));
    expect(answer).toContain("Bearer upstream-access-1");
    expect(answer).not.toContain(tokens.access_token);
    await expect(call({})).rejects.toThrow("No valid token");
    await expect(call({ authorization: "Bearer expired" })).rejects.toThrow("No valid token");
  });
});

/** A server at which somebody with roles has signed in. */
async function signedIn() {
  const world = new World();
  const claims = { roles: ["admin"], permissions: ["resource:delete"] };
  const id = idToken({ sub: "alice", aud: "our-app", exp: world.now + 60, ...claims });
  world.answer = () => world.tokens({ id_token: id });
  const own = world.server();
  const { tokens } = await own.signIn();
  return { auth: own.auth, tokens };
}

describe("Custom Claims Passthrough", () => {
  test("Custom configuration, and none", () => {
    const authProxy = new OAuthProxy({
      ...config,
      customClaimsPassthrough: {
        // Extract from access token (default: true)
        fromAccessToken: true,

        // Extract from ID token (default: true)
        fromIdToken: true,

        // No prefix by default for RBAC compatibility
        claimPrefix: false,

        // Optional: Only allow specific claims
        allowedClaims: ["role", "roles", "permissions", "email", "groups"],

        // Optional: Block specific claims
        blockedClaims: ["internal_id", "debug_info"],

        // Maximum claim value size (default: 2000 chars)
        maxClaimValueSize: 2000,

        // Allow complex objects/arrays (default: false)
        allowComplexClaims: false,
      },
    });
    const authProxyNoClaims = new OAuthProxy({
      ...config,
      customClaimsPassthrough: false,
    });
    expect([authProxy, authProxyNoClaims]).toEqual([expect.any(OAuthProxy), expect.any(OAuthProxy)]);
  });

  test("Using claims for authorization", async () => {
    const { tokens } = await signedIn();
    server.addTool({
      name: "admin-dashboard",
      description: "Access admin dashboard",
      canAccess: async ({ session }) => {
        const token = session?.headers?.["authorization"]?.replace("Bearer ", "");
        if (!token) return false;

        // Decode the proxy JWT
        const payload = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());

        // Check role claim from upstream IDP
        return (
          (payload.role === "admin" || payload.roles?.includes("admin")) &&
          // Check fine-grained permissions
          payload.permissions?.includes("resource:delete")
        );
      },
      execute: async () => {
        return {
          content: [{ type: "text", text: "Admin dashboard data..." }],
        };
      },
    });
    const canAccess = (headers: Record<string, string>) =>
      tools.get("admin-dashboard")?.canAccess?.({ session: { headers } });
    expect(await canAccess({ authorization: `Bearer ${tokens.access_token}` })).toBe(true);
    expect(await canAccess({})).toBe(false);
  });
});

describe("Encrypted Token Storage", () => {
  test("a key that is derived with a suffix for its purpose", async () => {
    const authProxy = new OAuthProxy({
      ...config,
      tokenStorage: new MemoryTokenStorage(),
      // ← Automatically encrypted!

      // Optional: Provide custom encryption key (recommended for production)
      encryptionKey: await JWTIssuer.deriveKey(`${process.env.ENCRYPTION_SECRET}:storage`, 100000),
    });
    expect(authProxy).toBeInstanceOf(OAuthProxy);
  });

  test("To disable encryption", () => {
    const authProxy = new OAuthProxy({
      ...config,
      tokenStorage: new MemoryTokenStorage(),
      encryptionKey: false, // Explicitly disable encryption
    });
    expect(authProxy).toBeInstanceOf(OAuthProxy);
  });

  test("Use Persistent Encrypted Storage: wrapped by hand it is sealed once, and still decides races", async () => {
    const encryptionKey = await JWTIssuer.deriveKey(process.env.ENCRYPTION_SECRET, 100000);
    const backend = new MemoryTokenStorage();
    const storage = new EncryptedTokenStorage(backend, encryptionKey);

    const world = new World();
    world.now = Math.floor(Date.now() / 1000);
    const { tokens } = await world.server({ tokenStorage: storage }).signIn();
    expect(await world.server({ tokenStorage: storage }).auth.loadUpstreamTokens(tokens.access_token)).toHaveProperty(
      "accessToken",
    );
    expect(world.eventsOf("warning")).toEqual([]);
    const { keys } = await backend.list("grant:");
    const record = await storage.get(keys[0] ?? "");
    expect(JSON.parse(String(record))).toMatchObject({ upstream: { accessToken: "upstream-access-1" } });
  });
});

describe("Custom Token Storage", () => {
  /** As much of a client for Redis as the program uses. */
  class RedisClient {
    readonly #values = new Map<string, string>();
    async set(key: string, value: string): Promise<void> {
      this.#values.set(key, value);
    }
    async setex(key: string, _ttl: number, value: string): Promise<void> {
      this.#values.set(key, value);
    }
    async get(key: string): Promise<string | null> {
      return this.#values.get(key) ?? null;
    }
    async del(key: string): Promise<void> {
      this.#values.delete(key);
    }
  }

  class RedisTokenStorage implements TokenStorage {
    private redis: RedisClient;

    constructor(redisClient: RedisClient) {
      this.redis = redisClient;
    }

    async save(key: string, value: unknown, ttl?: number): Promise<void> {
      const serialized = JSON.stringify(value);
      if (ttl) {
        await this.redis.setex(key, ttl, serialized);
      } else {
        await this.redis.set(key, serialized);
      }
    }

    async get(key: string): Promise<unknown | null> {
      const value = await this.redis.get(key);
      return value ? JSON.parse(value) : null;
    }

    async delete(key: string): Promise<void> {
      await this.redis.del(key);
    }

    async cleanup(): Promise<void> {
      // Redis handles TTL automatically
    }
  }

  /** The same with the fifth verb: Redis has a command for it. */
  class TakingTokenStorage extends RedisTokenStorage {
    readonly #redis: RedisClient;

    constructor(redisClient: RedisClient) {
      super(redisClient);
      this.#redis = redisClient;
    }

    async take(key: string): Promise<unknown | null> {
      const value = await this.#redis.get(key);
      await this.#redis.del(key);
      return value ? JSON.parse(value) : null;
    }
  }

  describe.each([
    ["four verbs", RedisTokenStorage],
    ["four verbs and take", TakingTokenStorage],
  ])("with %s", (_, CustomStorage) => {
    const opened = () => {
      const world = new World();
      return { world, server: world.server({ tokenStorage: new CustomStorage(new RedisClient()) }) };
    };

    test("it is enough for a whole sign-in, a refresh and a revocation", async () => {
      const { server } = opened();
      const { client, tokens } = await server.signIn();
      expect(await server.call(tokens.access_token)).toBe(200);
      const refreshed = await jsonOf(await server.refresh(client, tokens.refresh_token));
      expect(await server.auth.loadUpstreamTokens(String(refreshed.access_token))).not.toBeNull();
      const { clientId } = client;
      await server.post("/oauth/revoke", { token: String(refreshed.refresh_token), client_id: clientId });
      expect(await server.call(String(refreshed.access_token))).toBe(401);
    });

    test("of 32 who redeem one code at once one is paid, and 32 who refresh at once agree", async () => {
      const { world, server } = opened();
      const authorized = await server.authorize();
      const answers = await Promise.all(Array.from({ length: 32 }, () => server.redeem(authorized)));
      const paid = answers.filter(({ status }) => status === 200);
      expect(paid).toHaveLength(1);
      const tokens = await jsonOf(paid[0] ?? new Response("{}"));
      const refreshed = await Promise.all(
        Array.from({ length: 32 }, async () =>
          jsonOf(await server.refresh(authorized.client, String(tokens.refresh_token))),
        ),
      );
      expect(new Set(refreshed.map((body) => body.refresh_token)).size).toBe(1);
      for (const body of refreshed) expect(await server.call(String(body.access_token))).toBe(200);
      expect(world.eventsOf("grant.revoked")).toEqual([]);
    });

    test("the operator is told once, and loudly, that several processes must not share it", async () => {
      const console = vi.spyOn(globalThis.console, "warn").mockImplementation(() => undefined);
      onTestFinished(() => console.mockRestore());
      const { world, server } = opened();
      await server.signIn();
      expect(world.eventsOf("warning")).toMatchObject([{ message: expect.stringMatching(/must not share it/) }]);
      expect(console).not.toHaveBeenCalled();

      const { upstreamAuthorizationEndpoint, upstreamTokenEndpoint, upstreamClientId, upstreamClientSecret, baseUrl } =
        config;
      const authProxy = new OAuthProxy({
        ...{ upstreamAuthorizationEndpoint, upstreamTokenEndpoint, upstreamClientId, upstreamClientSecret, baseUrl },
        tokenStorage: new CustomStorage(new RedisClient()),
      });
      await authProxy.fetch(new Request("https://your-server.com/.well-known/oauth-authorization-server"));
      expect(console.mock.calls).toEqual([[expect.stringMatching(/Several processes must not share it/)]]);
    });

    test("who is connected can't be listed, and the answer says why", async () => {
      const { server } = opened();
      await server.signIn();
      await expect(server.auth.listGrants()).rejects.toThrow(/^tokenStorage: has no list/);
    });
  });
});

describe("JWKS Token Verification", () => {
  test("any object with verify is a tokenVerifier", async () => {
    class Verifier {
      async verify(token: string) {
        return token.startsWith("upstream-")
          ? { valid: true, claims: { sub: "alice" } }
          : { valid: false, error: "unknown" };
      }
    }
    const world = new World();
    const { tokens } = await world.server({ tokenVerifier: new Verifier() }).signIn();
    expect(tokens).toHaveProperty("access_token");
  });
});

describe("Protecting Tools with OAuth", () => {
  const session = { accessToken: "upstream", scopes: ["read:data", "write:data"], role: "moderator" };

  test("checks alone and combined", () => {
    const canAccess = {
      auth: requireAuth,
      scopes: requireScopes("read:data", "write:data"),
      role: requireRole("admin"),
      staff: requireAll(requireAuth, requireAny(requireRole("admin"), requireRole("moderator"))),
    };
    const answers = Object.values(canAccess).map((check) => [check(session), check(undefined)]);
    expect(answers).toEqual([
      [true, false],
      [true, false],
      [false, false],
      [true, false],
    ]);
  });

  test("getAuthSession throws if session is not authenticated", async () => {
    const execute = async (_args: object, { session }: { session?: object }) => {
      const { accessToken } = getAuthSession(session);
      return { Authorization: `Bearer ${accessToken}` };
    };
    expect(await execute({}, { session })).toEqual({ Authorization: "Bearer upstream" });
    await expect(execute({}, {})).rejects.toThrow();
  });
});

describe("Security Best Practices", () => {
  test("Use Different Keys for Different Purposes", async () => {
    const jwtKey = await JWTIssuer.deriveKey(`${process.env.SECRET}:jwt`, 100000);
    const storageKey = await JWTIssuer.deriveKey(`${process.env.SECRET}:storage`, 100000);
    const consentKey = await JWTIssuer.deriveKey(`${process.env.SECRET}:consent`, 100000);
    expect(new Set([jwtKey, storageKey, consentKey]).size).toBe(3);
    const keys = { jwtSigningKey: jwtKey, encryptionKey: storageKey, consentSigningKey: consentKey };
    expect((await new World().server(keys).signIn()).tokens).toHaveProperty("access_token");
  });

  test("Secret Generation", async () => {
    // Generate a strong secret (32 bytes = 256 bits)
    const secret = randomBytes(32).toString("base64");
    expect((await new World().server({ secret }).signIn()).tokens).toHaveProperty("access_token");
  });
});

test("Manual Testing Flow: what the guide posts with curl", async () => {
  const { auth } = new World().server({ baseUrl: "http://localhost:3000", resources: [RESOURCE] });
  const registered = await auth.fetch(
    new Request("http://localhost:3000/oauth/register", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: `{
    "client_name": "Test Client",
    "redirect_uris": ["http://localhost:8080/callback"]
  }`,
    }),
  );
  const { client_id } = await jsonOf(registered);
  const query = `client_id=${client_id}&response_type=code&redirect_uri=http://localhost:8080/callback&code_challenge=${"c".repeat(43)}&code_challenge_method=S256`;
  const page = await auth.fetch(new Request(`http://localhost:3000/oauth/authorize?${query}`));
  expect([registered.status, page.status]).toEqual([201, 200]);
  const answer = await auth.fetch(
    new Request("http://localhost:3000/oauth/token", {
      method: "POST",
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
      body: `grant_type=authorization_code&code=x&redirect_uri=http://localhost:8080/callback&code_verifier=${"v".repeat(43)}&client_id=${client_id}`,
    }),
  );
  expect(await jsonOf(answer)).toMatchObject({ error: "invalid_grant" });
});
