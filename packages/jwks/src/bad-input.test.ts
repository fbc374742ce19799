import { randomInt } from "node:crypto";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { Issuer, type IssuerKey, newKey } from "../test/issuer.ts";
import { KeySetError, type TokenFault } from "./index.ts";
import { KeySet } from "./key-set.ts";

/** Printed, so that a run can be had again. */
const seed = Number(process.env["FUZZ_SEED"] ?? randomInt(2 ** 31));
afterAll(() => console.log(`bad-input: FUZZ_SEED=${seed}`));
const RUNS = { seed, numRuns: 500 };

const FAULTS: readonly TokenFault[] = [
  "token_malformed",
  "token_algorithm",
  "token_type_wrong",
  "token_issuer",
  "token_audience",
  "token_claim_missing",
  "token_expired",
  "token_not_yet_valid",
  "token_key_unknown",
  "token_signature",
];

const base64url = (text: string) => Buffer.from(text).toString("base64url");
const json = fc.jsonValue({ maxDepth: 6, noUnicodeString: false }).map((value) => JSON.stringify(value));

/** Objects with the names that mean something here, and values that mean something, nearly something, or nothing. */
const members = (names: readonly string[], values: readonly unknown[]) =>
  fc.dictionary(
    fc.oneof(fc.constantFrom(...names, "__proto__", "constructor", "toString"), fc.string()),
    fc.oneof(fc.constantFrom(...values), fc.jsonValue()),
    { noNullPrototype: true },
  );
const header = members(
  ["alg", "kid", "typ", "crit", "b64", "jwk", "jku", "x5u", "x5c", "zip", "enc"],
  ["ES256", "none", "HS256", "RS256", "one", "at+jwt", "JWT", ["b64"], true, null],
);
const claims = members(
  ["iss", "aud", "sub", "exp", "nbf", "iat", "jti", "cnf"],
  ["https://id.example.com", "https://mcp.example.com/mcp", 1_800_003_600, -1, 1e308, "alice", [], {}, null],
);

describe("tokens", () => {
  test("whatever is sent, verify answers with a word of its own, lets nobody in and asks the issuer at most once", async () => {
    const issuer = await Issuer.create();
    const verifier = issuer.verifier();
    const part = fc.oneof(
      json.map(base64url),
      fc.oneof(header, claims).map((value) => base64url(JSON.stringify(value))),
      fc.string({ unit: "binary" }),
      fc.uint8Array().map((bytes) => Buffer.from(bytes).toString("base64url")),
      fc.constant(""),
    );
    const token = fc.oneof(
      fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(".")),
      fc
        .tuple(header, claims, part)
        .map(([head, body, tail]) => `${base64url(JSON.stringify(head))}.${base64url(JSON.stringify(body))}.${tail}`),
      fc.string({ unit: "binary", maxLength: 300 }),
    );
    await fc.assert(
      fc.asyncProperty(token, async (text) => {
        const result = await verifier.verify(text);
        expect(result).toEqual({ valid: false, error: expect.any(String) });
        expect(FAULTS).toContain(result.error);
      }),
      RUNS,
    );
    expect(issuer.requests).toBeLessThanOrEqual(1);
  });

  test("what is no text is no token", async () => {
    const verifier = (await Issuer.create()).verifier();
    await fc.assert(
      fc.asyncProperty(fc.anything(), async (value) => {
        fc.pre(typeof value !== "string");
        // What a program without types hands in.
        const verify: (token: never) => Promise<unknown> = (token) => verifier.verify(token);
        expect(await verify(value as never)).toEqual({ valid: false, error: "token_malformed" });
      }),
      RUNS,
    );
  });

  test("any change to any character of a good token makes it a bad one", async () => {
    const issuer = await Issuer.create();
    const verifier = issuer.verifier({ cooldownDuration: 86_400_000 });
    const token = await issuer.token({ scope: "read" });
    expect((await verifier.verify(token)).valid).toBe(true);
    const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    // The last character of an ES256 signature has four unused bits: RFC 4648 §3.5.
    const unsure = token.length - 1;
    await fc.assert(
      fc.asyncProperty(fc.nat(unsure - 1), fc.constantFrom(...letters, ".", "=", " ", "%"), async (at, letter) => {
        fc.pre(token[at] !== letter);
        const { valid } = await verifier.verify(`${token.slice(0, at)}${letter}${token.slice(at + 1)}`);
        expect(valid).toBe(false);
      }),
      RUNS,
    );
  });

  test.each([
    ["16 KiB and a character", (good: string) => `${good}${"A".repeat(16_385 - good.length)}`],
    ["10 MB of letters", () => "A".repeat(10_000_000)],
    ["10 MB of dots", () => ".".repeat(10_000_000)],
    ["three parts of 3 MB", () => Array.from({ length: 3 }, () => "A".repeat(3_000_000)).join(".")],
    ["a header of 5000 brackets", () => `${base64url("[".repeat(5000))}.e30.AA`],
    [
      "claims that are 33 deep",
      () => `${base64url('{"alg":"ES256"}')}.${base64url(`${'{"a":'.repeat(33)}1${"}".repeat(33)}`)}.AA`,
    ],
    ["claims that are 5000 deep", () => `e30.${base64url(`{"a":${"[".repeat(5000)}${"]".repeat(5000)}}`)}.AA`],
    ["a claim called __proto__", () => `${base64url('{"alg":"ES256"}')}.${base64url('{"__proto__":{"iss":"x"}}')}.AA`],
    ["an encrypted token", () => "e30.e30.e30.e30.AA"],
  ])("%s: malformed, and nothing is fetched", async (_, of) => {
    const issuer = await Issuer.create();
    expect(await issuer.verifier().verify(of(await issuer.token()))).toEqual({
      valid: false,
      error: "token_malformed",
    });
    expect(issuer.requests).toBe(0);
  });
});

describe("key sets", () => {
  const key = members(
    ["kty", "crv", "x", "y", "n", "e", "d", "kid", "alg", "use", "key_ops", "x5c", "k"],
    [
      "EC",
      "RSA",
      "OKP",
      "oct",
      "P-256",
      "Ed25519",
      "one",
      "ES256",
      "sig",
      "enc",
      ["verify"],
      "AQAB",
      "A".repeat(86),
      7,
    ],
  );

  test("whatever is fetched, it is a key set, or malformed, or of no use", () => {
    const text = fc.oneof(
      json,
      fc.string({ unit: "binary" }),
      fc.array(fc.oneof(key, fc.jsonValue()), { maxLength: 12 }).map((keys) => JSON.stringify({ keys })),
    );
    fc.assert(
      fc.property(text, (document) => {
        try {
          expect(KeySet.parse(document).keys.length).toBeGreaterThan(0);
        } catch (error) {
          if (!(error instanceof KeySetError)) throw error;
          expect(["malformed", "no_usable_key"]).toContain(error.reason);
        }
      }),
      RUNS,
    );
  });

  test("hostile entries around a good key neither help nor harm: its token is valid, another's is not", async () => {
    const [good, mallory]: readonly IssuerKey[] = await Promise.all([newKey("good"), newKey("one")]);
    if (good === undefined || mallory === undefined) throw new Error("no keys");
    const issuer = new Issuer(good);
    const [valid, forged] = [await issuer.token(), await issuer.token({}, {}, mallory)];
    await fc.assert(
      fc.asyncProperty(fc.array(key, { maxLength: 6 }), fc.nat(6), async (entries, at) => {
        issuer.answer = () => Response.json({ keys: entries.toSpliced(at, 0, good.jwk) });
        const verifier = issuer.verifier();
        expect(await verifier.verify(valid)).toMatchObject({ valid: true });
        expect(await verifier.verify(forged)).toMatchObject({ valid: false });
      }),
      RUNS,
    );
  });
});
