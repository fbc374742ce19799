import { pbkdf2Sync } from "node:crypto";
import { decodeJwt, jwtVerify } from "jose";
import { describe, expect, test } from "vitest";
import { BASE_URL, RESOURCE, World } from "../test/harness.ts";
import { JWTIssuer } from "./jwt-issuer.ts";
import { ConfigurationError } from "./protocol/errors.ts";

const CONFIG = {
  issuer: "https://a.example",
  audience: "https://a.example/mcp",
  signingKey: "a-signing-key-of-at-least-32-bytes",
};
const issuer = new JWTIssuer(CONFIG);

describe("tokens", () => {
  test("RFC 9068 §2: an access token verifies here and with another library", async () => {
    const token = issuer.issueAccessToken("client", ["read", "write"], { role: "admin" });
    const { payload, protectedHeader } = await jwtVerify(token, Buffer.from(CONFIG.signingKey), {
      issuer: CONFIG.issuer,
      audience: CONFIG.audience,
      typ: "at+jwt",
    });
    expect(protectedHeader).toMatchObject({ alg: "HS256", typ: "at+jwt" });
    expect(payload).toMatchObject({ sub: "client", client_id: "client", scope: "read write", role: "admin" });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(3600);
    expect(await issuer.verify(token)).toEqual({ valid: true, claims: payload });
  });

  test("additional claims never displace ours, except for who it is about", async () => {
    const ours = { iss: "x", aud: "x", client_id: "x", jti: "x", iat: 1, exp: 1, scope: "root" };
    const { claims } = await issuer.verify(issuer.issueAccessToken("client", ["read"], { ...ours, sub: "alice" }));
    expect(claims).toMatchObject({
      iss: CONFIG.issuer,
      aud: CONFIG.audience,
      client_id: "client",
      scope: "read",
      sub: "alice",
    });
  });

  test("without scopes there is no scope", async () => {
    expect((await issuer.verify(issuer.issueAccessToken("client", []))).claims).not.toHaveProperty("scope");
  });

  test("a refresh token is not accepted as access token", async () => {
    expect(await issuer.verify(issuer.issueRefreshToken("client", ["read"]))).toEqual({
      valid: false,
      error: "token_type_wrong",
    });
  });

  test("lifetimes are seconds: of the issuer, or of one token", async () => {
    const short = new JWTIssuer({ ...CONFIG, accessTokenTtl: 60, refreshTokenTtl: 120 });
    const life = (token: string) => {
      const { exp = 0, iat = 0 } = decodeJwt(token);
      return exp - iat;
    };
    expect(life(short.issueAccessToken("c", []))).toBe(60);
    expect(life(short.issueRefreshToken("c", []))).toBe(120);
    expect(life(issuer.issueRefreshToken("c", []))).toBe(2_592_000);
    expect(life(short.issueAccessToken("c", [], {}, 5))).toBe(5);
    expect(await issuer.verify(issuer.issueAccessToken("c", [], {}, 0))).toEqual({
      valid: false,
      error: "token_expired",
    });
  });

  test.each([
    ["another issuer", { issuer: "https://b.example" }, "token_issuer"],
    ["another audience", { audience: "https://b.example" }, "token_audience"],
    ["another key", { signingKey: "another-key-of-at-least-32-bytes!!" }, "token_signature"],
  ])("a token of %s is refused, and nothing is thrown", async (_, config, error) => {
    const token = new JWTIssuer({ ...CONFIG, ...config }).issueAccessToken("client", []);
    expect(await issuer.verify(token)).toEqual({ valid: false, error });
  });

  test.each(["", "x", "a.b.c", "e30.e30.e30"])("what is no token is refused: %j", async (token) => {
    expect((await issuer.verify(token)).valid).toBe(false);
  });

  test("it verifies the tokens of a server with the same key, issuer and resource", async () => {
    const world = new World();
    world.now = Math.floor(Date.now() / 1000);
    const { tokens } = await world.server({ jwtSigningKey: CONFIG.signingKey }).signIn();
    const elsewhere = new JWTIssuer({ ...CONFIG, issuer: BASE_URL, audience: RESOURCE });
    expect(await elsewhere.verify(tokens.access_token)).toMatchObject({ valid: true, claims: { scope: "read" } });
  });
});

test.each(["short-key", "", "k3y-".repeat(16)])(
  "RFC 7518 §3.2: a key shorter than the hash, or one that repeats itself, is refused, and the message does not show it: %s",
  (signingKey) => {
    const make = () => new JWTIssuer({ ...CONFIG, signingKey });
    expect(make).toThrow(ConfigurationError);
    expect(make).toThrow(/^signingKey: (?!.*(short|k3y))/);
  },
);

describe("deriveKey", () => {
  test("RFC 8018 §5.2: PBKDF2, the same in every process, 256 bits in base64", async () => {
    const key = await JWTIssuer.deriveKey("passphrase", 1000);
    expect(key).toBe(await JWTIssuer.deriveKey("passphrase", 1000));
    expect(key).toBe(pbkdf2Sync("passphrase", "sallyport/derived-key", 1000, 32, "sha256").toString("base64"));
    expect(Buffer.from(key, "base64")).toHaveLength(32);
  });

  test("another passphrase, suffix or number of iterations is another key", async () => {
    const keys = await Promise.all([
      JWTIssuer.deriveKey("a", 1000),
      JWTIssuer.deriveKey("b", 1000),
      JWTIssuer.deriveKey("a:storage", 1000),
      JWTIssuer.deriveKey("a", 1001),
    ]);
    expect(new Set(keys).size).toBe(4);
  });

  test("100,000 iterations by default", async () => {
    expect(await JWTIssuer.deriveKey("a")).toBe(await JWTIssuer.deriveKey("a", 100_000));
  });

  test("an empty passphrase is refused", async () => {
    await expect(JWTIssuer.deriveKey("")).rejects.toThrow(ConfigurationError);
  });
});
