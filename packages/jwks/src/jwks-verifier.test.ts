import { createHmac, createPublicKey } from "node:crypto";
import type { TokenVerifier } from "@sallyport/oauth-core";
import { describe, expect, test } from "vitest";
import { AUDIENCE, ISSUER, Issuer, JWKS_URI, newKey } from "../test/issuer.ts";
import { type AsymmetricAlgorithm, JWKSVerifier } from "./index.ts";

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("a good token", () => {
  test("is valid, with its claims, and fits where a TokenVerifier does", async () => {
    const issuer = await Issuer.create();
    const verifier: TokenVerifier = issuer.verifier();
    expect(await verifier.verify(await issuer.token({ scope: "read" }))).toEqual({
      valid: true,
      claims: issuer.claims({ scope: "read" }),
    });
  });

  test.each<AsymmetricAlgorithm>([
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
  ])("of %s", async (alg) => {
    const issuer = await Issuer.create(alg);
    expect(await issuer.verifier({ algorithms: [alg] }).verify(await issuer.token())).toMatchObject({ valid: true });
  });

  test("for one of several audiences, of one of several issuers", async () => {
    const issuer = await Issuer.create();
    const verifier = issuer.verifier({ issuer: ["https://other.example", ISSUER], audience: ["other", AUDIENCE] });
    expect(await verifier.verify(await issuer.token({ aud: ["x", AUDIENCE] }))).toMatchObject({ valid: true });
  });

  test("without a kid, where several keys might have signed it", async () => {
    const key = await newKey(undefined);
    const issuer = new Issuer(key);
    issuer.published = [(await newKey("other")).jwk, key.jwk];
    expect(await issuer.verifier().verify(await issuer.token())).toMatchObject({ valid: true });
  });

  test("of a tenant that a check of the operator's admits", async () => {
    const issuer = await Issuer.create();
    const verifier = issuer.verifier({ issuer: (iss, { tid }) => iss === `https://login.example/${tid}` });
    const of = (iss: string) => issuer.token({ iss, tid: "t1" });
    expect(await verifier.verify(await of("https://login.example/t1"))).toMatchObject({ valid: true });
    expect(await verifier.verify(await of("https://login.example/t2"))).toEqual({
      valid: false,
      error: "token_issuer",
    });
  });

  test("its claims are frozen: what one caller could change, another would believe", async () => {
    const issuer = await Issuer.create();
    const { claims } = await issuer.verifier().verify(await issuer.token({ roles: ["reader"] }));
    expect(() => Object.assign(claims ?? {}, { sub: "mallory" })).toThrow(TypeError);
    expect(() => Object.assign(claims?.["roles"] ?? {}, ["admin"])).toThrow(TypeError);
  });
});

describe("claims", () => {
  test.each([
    ["another issuer", { iss: "https://id.example.com/" }, "token_issuer"],
    ["no issuer", { iss: undefined }, "token_issuer"],
    ["a list of issuers", { iss: [ISSUER] }, "token_issuer"],
    ["another audience", { aud: "https://mcp.example.com/other" }, "token_audience"],
    ["no audience", { aud: undefined }, "token_audience"],
    ["an empty list of audiences", { aud: [] }, "token_audience"],
    ["an audience in a list in a list", { aud: [[AUDIENCE]] }, "token_audience"],
    ["no end", { exp: undefined }, "token_claim_missing"],
    ["an end in words", { exp: "9999999999" }, "token_malformed"],
    ["an end before now", { exp: 1_799_999_990 }, "token_expired"],
    ["a beginning after now", { nbf: 1_800_000_060 }, "token_not_yet_valid"],
    ["a beginning in words", { nbf: "0" }, "token_malformed"],
    ["a subject that is no text", { sub: { id: 1 } }, "token_malformed"],
    ["an empty subject", { sub: "" }, "token_malformed"],
  ])("with %s a token is refused", async (_, claims, error) => {
    const issuer = await Issuer.create();
    expect(await issuer.verifier().verify(await issuer.token(claims))).toEqual({ valid: false, error });
  });

  test("an infinite end, which JSON can write, is none", async () => {
    const issuer = await Issuer.create();
    const [header = "", , signature = ""] = (await issuer.token()).split(".");
    const claims = JSON.stringify(issuer.claims()).replace(/"exp":\d+/, '"exp":1e999');
    const token = `${header}.${Buffer.from(claims).toString("base64url")}.${signature}`;
    expect(await issuer.verifier().verify(token)).toEqual({ valid: false, error: "token_malformed" });
  });

  test("claims that are required have to be there", async () => {
    const issuer = await Issuer.create();
    const verifier = issuer.verifier({ requiredClaims: ["scp"] });
    expect(await verifier.verify(await issuer.token())).toEqual({ valid: false, error: "token_claim_missing" });
    expect(await verifier.verify(await issuer.token({ scp: "read" }))).toMatchObject({ valid: true });
  });

  test("the audience stands in another claim where the operator says so", async () => {
    const issuer = await Issuer.create();
    const verifier = issuer.verifier({ audienceClaim: "client_id", audience: "app" });
    const token = await issuer.token({ aud: undefined, client_id: "app" });
    expect(await verifier.verify(token)).toMatchObject({ valid: true });
    expect(await verifier.verify(await issuer.token({ aud: "app" }))).toEqual({
      valid: false,
      error: "token_audience",
    });
  });

  test("the clocks may differ by as much as was said, and no more", async () => {
    const issuer = await Issuer.create();
    const token = await issuer.token({ nbf: issuer.now + 5, exp: issuer.now + 10 });
    const verifier = issuer.verifier();
    expect(await verifier.verify(token)).toMatchObject({ valid: true });
    issuer.now += 14;
    expect(await verifier.verify(token)).toMatchObject({ valid: true });
    issuer.now += 1;
    expect(await verifier.verify(token)).toEqual({ valid: false, error: "token_expired" });
    issuer.now -= 16;
    expect(await issuer.verifier({ clockTolerance: 5 }).verify(token)).toEqual({
      valid: false,
      error: "token_not_yet_valid",
    });
  });
});

describe("header", () => {
  test("RFC 8725 §3.1: `none`, and HS256 with the public key as its secret, are no algorithms", async () => {
    const issuer = await Issuer.create("RS256");
    const verifier = issuer.verifier();
    const [jwk] = issuer.published;
    const pem = createPublicKey({ key: { ...jwk }, format: "jwk" }).export({ type: "spki", format: "pem" });
    const unsigned = `${base64url({ alg: "HS256", kid: "one" })}.${base64url(issuer.claims())}`;
    const forged = `${unsigned}.${createHmac("sha256", pem).update(unsigned).digest("base64url")}`;
    expect(await verifier.verify(forged)).toEqual({ valid: false, error: "token_algorithm" });
    const none = `${base64url({ alg: "none" })}.${base64url(issuer.claims())}`;
    expect(await verifier.verify(`${none}.AA`)).toEqual({ valid: false, error: "token_algorithm" });
    expect(await verifier.verify(`${none}.`)).toEqual({ valid: false, error: "token_malformed" });
    expect(issuer.requests).toBe(0);
  });

  test("an algorithm outside of the list is refused", async () => {
    const issuer = await Issuer.create("ES256");
    const verifier = issuer.verifier({ algorithms: ["RS256"] });
    expect(await verifier.verify(await issuer.token())).toEqual({ valid: false, error: "token_algorithm" });
  });

  test("RFC 8725 §3.1: a key that was published for one algorithm is used for no other", async () => {
    const issuer = await Issuer.create("RS256");
    issuer.published = issuer.published.map((jwk) => ({ ...jwk, alg: "PS256" }));
    expect(await issuer.verifier().verify(await issuer.token())).toEqual({ valid: false, error: "token_key_unknown" });
  });

  test("RFC 7515 §4.1.11: a critical extension is refused", async () => {
    const issuer = await Issuer.create();
    const [, claims = "", signature = ""] = (await issuer.token()).split(".");
    const token = `${base64url({ alg: "ES256", kid: "one", crit: ["exp"] })}.${claims}.${signature}`;
    expect(await issuer.verifier().verify(token)).toEqual({ valid: false, error: "token_malformed" });
  });

  test("RFC 8725 §3.11: logout tokens, proofs and events of the same issuer are no access tokens", async () => {
    const issuer = await Issuer.create();
    const verifier = issuer.verifier();
    for (const typ of ["logout+jwt", "dpop+jwt", "secevent+jwt", "application/token-introspection+jwt"])
      expect(await verifier.verify(await issuer.token({}, { typ }))).toEqual({
        valid: false,
        error: "token_type_wrong",
      });
    for (const typ of ["JWT", "jwt", "at+jwt", "application/at+jwt"])
      expect(await verifier.verify(await issuer.token({}, { typ }))).toMatchObject({ valid: true });
  });

  test("RFC 9068 §4: where a type is demanded, every other one and none are refused", async () => {
    const issuer = await Issuer.create();
    const verifier = issuer.verifier({ tokenType: "at+jwt" });
    expect(await verifier.verify(await issuer.token({}, { typ: "application/AT+JWT" }))).toMatchObject({ valid: true });
    expect(await verifier.verify(await issuer.token())).toEqual({ valid: false, error: "token_type_wrong" });
    expect(await verifier.verify(await issuer.token({}, { typ: "" }))).toEqual({
      valid: false,
      error: "token_type_wrong",
    });
  });

  test("keys and addresses in a token's header are not read", async () => {
    const issuer = await Issuer.create();
    const mallory = await newKey("one");
    const token = await issuer.token({}, { jwk: mallory.jwk, jku: "https://evil.example/keys" }, mallory);
    expect(await issuer.verifier().verify(token)).toEqual({ valid: false, error: "token_signature" });
  });
});

describe("signatures", () => {
  test("of another key with the same name are refused", async () => {
    const issuer = await Issuer.create();
    const token = await issuer.token({}, {}, await newKey("one"));
    expect(await issuer.verifier().verify(token)).toEqual({ valid: false, error: "token_signature" });
  });

  test("over other claims are refused, also after the token was seen with its own", async () => {
    const issuer = await Issuer.create();
    const verifier = issuer.verifier();
    const token = await issuer.token();
    expect(await verifier.verify(token)).toMatchObject({ valid: true });
    const [header = "", , signature = ""] = token.split(".");
    const changed = `${header}.${base64url(issuer.claims({ sub: "mallory" }))}.${signature}`;
    expect(await verifier.verify(changed)).toEqual({ valid: false, error: "token_signature" });
  });

  test("RFC 7518 §3.3: a key of 1024 bits verifies nothing", async () => {
    const { generateKeyPairSync, sign } = await import("node:crypto");
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
    const issuer = await Issuer.create("RS256");
    issuer.published = [{ ...publicKey.export({ format: "jwk" }), kty: "RSA", kid: "weak" }];
    const unsigned = `${base64url({ alg: "RS256", kid: "weak" })}.${base64url(issuer.claims())}`;
    const token = `${unsigned}.${sign("sha256", Buffer.from(unsigned), privateKey).toString("base64url")}`;
    expect(await issuer.verifier().verify(token)).toEqual({ valid: false, error: "token_signature" });
  });
});

describe("remembered tokens", () => {
  test("cost no second look at their signature, and are told apart by all of their characters", async () => {
    const issuer = await Issuer.create();
    const verifier = issuer.verifier();
    const token = await issuer.token();
    const first = await verifier.verify(token);
    expect((await verifier.verify(token)).claims).toBe(first.claims);
    expect(await verifier.verify(`${token.slice(0, -2)}${token.endsWith("AA") ? "BB" : "AA"}`)).toMatchObject({
      valid: false,
    });
  });

  test("expire all the same", async () => {
    const issuer = await Issuer.create();
    const verifier = issuer.verifier();
    const token = await issuer.token({ exp: issuer.now + 60 });
    expect(await verifier.verify(token)).toMatchObject({ valid: true });
    issuer.now += 65;
    expect(await verifier.verify(token)).toEqual({ valid: false, error: "token_expired" });
  });

  test("are forgotten with the key that signed them, and with no other", async () => {
    const [one, two] = [await newKey("one"), await newKey("two")];
    const issuer = new Issuer(one);
    issuer.published = [one.jwk, two.jwk];
    const verifier = issuer.verifier({ staleDuration: 0 });
    const [ofOne, ofTwo] = [await issuer.token(), await issuer.token({}, {}, two)];
    const { claims } = await verifier.verify(ofTwo);
    expect(await verifier.verify(ofOne)).toMatchObject({ valid: true });

    issuer.published = [two.jwk];
    issuer.now += 600;
    expect(await verifier.verify(ofOne)).toEqual({ valid: false, error: "token_key_unknown" });
    expect((await verifier.verify(ofTwo)).claims).toBe(claims);
  });
});

describe("options", () => {
  const good = { jwksUri: JWKS_URI, issuer: ISSUER, audience: AUDIENCE };
  test.each([
    ["jwksUri", { jwksUri: undefined }],
    ["jwksUri", { jwksUri: "keys.json" }],
    ["jwksUri", { jwksUri: "http://id.example.com/keys" }],
    ["jwksUri", { jwksUri: "http://127.0.0.1.example.com/keys" }],
    ["jwksUri", { jwksUri: "file:///etc/keys.json" }],
    ["jwksUri", { jwksUri: "https://user:pass@id.example.com/keys" }],
    ["issuer", { issuer: undefined }],
    ["issuer", { issuer: "" }],
    ["issuer", { issuer: [] }],
    ["audience", { audience: undefined }],
    ["audience", { audience: "" }],
    ["audience", { audience: [AUDIENCE, undefined] }],
    ["algorithms", { algorithms: ["HS256"] }],
    ["algorithms", { algorithms: ["none"] }],
    ["algorithms", { algorithms: [] }],
    ["algorithms", { algorithms: ["toString"] }],
    ["tokenType", { tokenType: "" }],
    ["cacheDuration", { cacheDuration: 0 }],
    ["cacheDuration", { cacheDuration: Number.POSITIVE_INFINITY }],
    ["cooldownDuration", { cooldownDuration: -1 }],
    ["staleDuration", { staleDuration: 0.5 }],
    ["requestTimeoutMs", { requestTimeoutMs: 0 }],
    ["clockTolerance", { clockTolerance: 86_400 }],
    ["requiredClaims", { requiredClaims: [""] }],
    ["audienceClaim", { audienceClaim: "" }],
  ])("%s: what can't work is refused at once: %j", (option, change) => {
    const config = JSON.parse(JSON.stringify(good));
    expect(() => new JWKSVerifier(Object.assign(config, change))).toThrow(expect.objectContaining({ option }));
  });

  test.each(["http://localhost:8080/keys", "http://127.0.0.1/keys", "http://[::1]:8080/keys"])(
    "%s is near enough for http",
    (jwksUri) => {
      expect(new JWKSVerifier({ ...good, jwksUri })).toBeInstanceOf(JWKSVerifier);
    },
  );

  test("a check of the operator's that throws lets nobody in, and does not throw at the caller", async () => {
    const issuer = await Issuer.create();
    const cause = new Error("broken");
    const verifier = issuer.verifier({
      issuer: () => {
        throw cause;
      },
    });
    expect(await verifier.verify(await issuer.token())).toEqual({ valid: false, error: "internal", cause });
  });
});
