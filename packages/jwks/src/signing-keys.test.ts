import { generateKeyPairSync } from "node:crypto";
import type { PublishingSigner } from "@sallyport/oauth-core";
import { createLocalJWKSet, exportJWK, generateKeyPair, type JSONWebKeySet, jwtVerify } from "jose";
import { describe, expect, test } from "vitest";
import { DAY } from "../test/replicas.ts";
import { type Jwk, SigningKeys, type SigningKeysConfig } from "./index.ts";
import { SigningKey } from "./signing-key.ts";

async function given(alg: string, kid?: string): Promise<Jwk> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), ...(kid === undefined ? {} : { kid }) };
}

const publicHalf = ({ d: _, ...jwk }: Jwk): Jwk => jwk;

function signerOf(config: SigningKeysConfig, tokenTtl = 3600): PublishingSigner {
  const untouched = () => Promise.reject(new Error("given keys need no storage"));
  return new SigningKeys(config).signer({
    records: { get: untouched, claim: untouched, replace: untouched },
    runtime: { now: () => 1_800_000_000 },
    tokenTtl,
    observe: () => undefined,
  });
}

describe("given keys", () => {
  test.each(["ES256", "EdDSA", "RS256"])(
    "of %s: the first signs, all are published by halves, and nothing is stored",
    async (alg) => {
      const [first, second] = [await given(alg, "first"), await given("ES256", "second")];
      const signer = signerOf({ keys: [first, second] });
      const token = await signer.sign("at+jwt", { sub: "alice" });
      const document: JSONWebKeySet = JSON.parse(JSON.stringify(await signer.jwks()));
      expect(document.keys.map(({ kid }) => kid)).toEqual(["first", "second"]);
      expect(document.keys.some((key) => "d" in key || "p" in key)).toBe(false);
      const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(document));
      expect(payload).toEqual({ sub: "alice" });
      expect(protectedHeader).toEqual({ alg, kid: "first", typ: "at+jwt" });
    },
  );

  test("rotate by their order, and the last needs only its public half", async () => {
    const [old, next] = [await given("ES256"), await given("ES256")];
    const before = signerOf({ keys: [old, next] });
    const after = signerOf({ keys: [next, publicHalf(old)] });
    const tokens = [await before.sign("at+jwt", {}), await after.sign("at+jwt", {})];
    for (const token of tokens) {
      await before.open(token);
      await after.open(token);
    }
  });

  test("RFC 8725 §3.1, RFC 7515 §4.1.11: what the key signed under another algorithm or an extension is not opened", async () => {
    const jwk = await given("ES256", "first");
    const [key, signer] = [new SigningKey(jwk), signerOf({ keys: [jwk] })];
    const signed = (header: object): string => {
      const input = [header, { sub: "alice" }]
        .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
        .join(".");
      return `${input}.${Buffer.from(key.sign(Buffer.from(input))).toString("base64url")}`;
    };
    const good = { alg: "ES256", kid: "first" };
    await expect(signer.open(signed(good))).resolves.toEqual({ header: good, claims: { sub: "alice" } });
    for (const more of [
      { alg: "EdDSA" },
      { alg: "HS256" },
      { alg: undefined },
      { crit: ["x"] },
      { b64: false },
      { kid: undefined },
    ])
      await expect(signer.open(signed({ ...good, ...more }))).rejects.toMatchObject({ reason: "token_signature" });
  });

  test("without a name have that of RFC 7638", async () => {
    // The key of RFC 8037 appendix A.1, and its thumbprint of appendix A.3.
    const key = {
      kty: "OKP",
      crv: "Ed25519",
      d: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
      x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    };
    expect((await signerOf({ keys: [key] }).jwks()).keys[0]?.["kid"]).toBe(
      "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
    );
  });
});

describe("options", () => {
  const weak = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey.export({ format: "jwk" });
  const curve = generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey.export({ format: "jwk" });

  test("keys that can't sign are refused at the start, each by its place in the list", async () => {
    const [good, other] = [await given("ES256", "good"), await given("ES256", "good")];
    const wrong: readonly [string, readonly unknown[]][] = [
      ["signing.keys", []],
      ["signing.keys[0]", [publicHalf(good)]],
      ["signing.keys[0]", ["secret"]],
      ["signing.keys[0]", [null]],
      ["signing.keys[0]", [{ kty: "oct", k: "c2VjcmV0" }]],
      ["signing.keys[0]", [{ ...weak }]],
      ["signing.keys[0]", [{ ...curve }]],
      ["signing.keys[0]", [{ ...good, d: other["d"] }]],
      ["signing.keys[0]", [{ ...good, d: "AAAA" }]],
      ["signing.keys[0]", [{ ...good, d: 7 }]],
      ["signing.keys[0]", [{ ...good, use: "enc" }]],
      ["signing.keys[0]", [{ ...good, alg: "ES512" }]],
      ["signing.keys[0]", [{ ...good, kid: "" }]],
      ["signing.keys[1]", [good, other]],
      ["signing.keys[1]", [good, { ...weak }]],
    ];
    for (const [option, keys] of wrong)
      expect(() => new SigningKeys({ keys: keys as readonly Jwk[] })).toThrow(
        expect.objectContaining({ name: "ConfigurationError", option }),
      );
    expect(() => new SigningKeys({ keys: [good], alg: "EdDSA" })).toThrow(
      expect.objectContaining({ option: "signing.keys[0]" }),
    );
  });

  test("keys that are made need a sealed storage, given ones need none and are taken back by leaving them out", async () => {
    const parts = { records: undefined, runtime: { now: () => 0 }, tokenTtl: 3600, observe: () => undefined };
    expect(() => new SigningKeys().signer(parts)).toThrow(expect.objectContaining({ option: "encryptionKey" }));
    const signing = new SigningKeys({ keys: [await given("ES256", "first")] });
    await expect(signing.signer(parts).sign("at+jwt", {})).resolves.toBeTypeOf("string");
    await expect(signing.retire("first")).rejects.toMatchObject({ option: "signing.keys" });
  });

  test("no message says anything of a key", async () => {
    const key = await given("ES256");
    const ruined = { ...key, x: "AAAA" };
    const message = (() => {
      try {
        return String(new SigningKeys({ keys: [ruined] }));
      } catch (error) {
        return String(error);
      }
    })();
    expect(message).toContain("ConfigurationError");
    expect(message).not.toContain(String(key["d"]));
  });

  test.each<[string, object]>([
    ["signing.alg", { alg: "HS256" }],
    ["signing.alg", { alg: "none" }],
    ["signing.alg", { alg: "toString" }],
    ["signing.publishBefore", { publishBefore: 60 }],
    ["signing.publishBefore", { publishBefore: "1d" }],
    ["signing.rotationInterval", { rotationInterval: DAY }],
    ["signing.rotationInterval", { rotationInterval: Number.POSITIVE_INFINITY }],
  ])("%s: what can't work is refused at once: %j", (option, config) => {
    expect(() => new SigningKeys(config)).toThrow(expect.objectContaining({ option }));
  });

  test("tokens that live for far longer than keys sign are refused: their keys would pile up", () => {
    const config = { publishBefore: 600, rotationInterval: 1200 };
    expect(() => signerOf(config, 16 * 1200)).not.toThrow();
    expect(() => signerOf(config, 16 * 1200 + 1)).toThrow(
      expect.objectContaining({ option: "signing.rotationInterval" }),
    );
  });
});
