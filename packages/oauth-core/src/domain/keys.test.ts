import { jwtVerify, SignJWT } from "jose";
import { describe, expect, test } from "vitest";
import { deriveKeys, equal, type KeyPurpose, type KeySources, type Keys, keyId, mac, sign, verify } from "./keys.ts";
import { HmacSigner } from "./signer.ts";

const SECRET = "kY7pQ2vX9mB4nR8tW1zC6dF3gH5jL0sA";
const OTHER = "s0L5jH3gF6dC1zW8tR4nB9mX2vQ7pYkA";
const PURPOSES: readonly KeyPurpose[] = [
  "access-token",
  "storage",
  "consent",
  "transaction",
  "client-id",
  "client-secret",
  "refresh-token",
];

const sources = (change: Partial<KeySources> = {}): KeySources => ({
  secrets: [SECRET],
  jwtSigningKey: undefined,
  encryptionKey: undefined,
  consentSigningKey: undefined,
  upstreamClientSecret: "upstream-client-secret-0123456789abcdef",
  issuer: "https://mcp.example.com",
  ...change,
});
const hex = (key: Uint8Array) => Buffer.from(key).toString("hex");
const firsts = (change?: Partial<KeySources>) => {
  const keys = deriveKeys(sources(change));
  return PURPOSES.map((purpose) => hex(keys[purpose][0]));
};
const overlap = (one: readonly string[], other: readonly string[]) => one.filter((key) => other.includes(key));

describe("independence", () => {
  test("each purpose has a key of its own, of 256 bits", () => {
    const all = firsts();
    expect(new Set(all).size).toBe(PURPOSES.length);
    for (const key of all) expect(key).toHaveLength(64);
  });

  test("one string for every option still makes one key per purpose, but for the signing key, which stands as it is", () => {
    const all = firsts({ jwtSigningKey: [SECRET], encryptionKey: [SECRET], consentSigningKey: [SECRET] });
    expect(new Set(all).size).toBe(PURPOSES.length);
  });

  test("restarts and replicas derive the same keys", () => {
    expect(firsts()).toEqual(firsts());
  });

  test("two servers that share a secret share no key", () => {
    expect(overlap(firsts(), firsts({ issuer: "https://other.example.com" }))).toEqual([]);
  });

  test("another secret changes every key", () => {
    expect(overlap(firsts(), firsts({ secrets: [OTHER] }))).toEqual([]);
  });

  test.each([
    ["jwtSigningKey", "access-token"],
    ["encryptionKey", "storage"],
    ["consentSigningKey", "consent"],
  ] as const)("%s replaces the key of %s and no other", (option, purpose) => {
    const [before, after] = [deriveKeys(sources()), deriveKeys(sources({ [option]: [OTHER] }))];
    const changed = PURPOSES.filter((each) => hex(before[each][0]) !== hex(after[each][0]));
    expect(changed).toEqual([purpose]);
  });
});

describe("rotation", () => {
  test("the first of several secrets is the first of every purpose, and the others follow", () => {
    const both = deriveKeys(sources({ secrets: [OTHER, SECRET] }));
    const [fresh, old] = [deriveKeys(sources({ secrets: [OTHER] })), deriveKeys(sources())];
    for (const purpose of PURPOSES) {
      expect(both[purpose].map(hex)).toEqual([hex(fresh[purpose][0]), hex(old[purpose][0])]);
    }
  });

  test("the first key signs, all verify, one that was taken away does not", () => {
    const [old, fresh]: readonly [Keys, Keys] = [[Buffer.from(SECRET)], [Buffer.from(OTHER)]];
    const rotated: Keys = [...fresh, ...old];
    expect(sign(rotated, "a", "b")).toBe(sign(fresh, "a", "b"));
    expect(verify(rotated, sign(old, "a", "b"), "a", "b")).toBe(true);
    expect(verify(fresh, sign(old, "a", "b"), "a", "b")).toBe(false);
  });
});

describe("RFC 7518 §3.2: what is too weak is refused, by the name of its option and without its value", () => {
  const weak = { empty: "", short: "only-thirty-one-bytes-in-here..", "of few different bytes": "abcdefg".repeat(8) };

  for (const [kind, value] of Object.entries(weak)) {
    test.each([
      ["secret", { secrets: [value] }],
      ["secret[1]", { secrets: [SECRET, value] }],
      ["jwtSigningKey", { jwtSigningKey: [value] }],
      ["encryptionKey", { encryptionKey: [value] }],
      ["encryptionKey", { encryptionKey: [Buffer.from(value)] }],
      ["consentSigningKey[0]", { consentSigningKey: [value, OTHER] }],
    ])(`a key that is ${kind}: %s`, (option, change) => {
      const attempt = () => deriveKeys(sources(change));
      expect(attempt).toThrow(expect.objectContaining({ name: "ConfigurationError", option }));
      if (value !== "") expect(attempt).not.toThrow(value);
    });
  }

  test.each([
    ["secret[1]", { secrets: [SECRET, SECRET] }],
    ["jwtSigningKey[2]", { jwtSigningKey: [SECRET, OTHER, SECRET] }],
    ["encryptionKey[1]", { encryptionKey: [SECRET, Buffer.from(SECRET)] }],
  ])("a key that stands in the list twice: %s", (option, change) => {
    expect(() => deriveKeys(sources(change))).toThrow(expect.objectContaining({ option }));
  });

  test.each(["jwtSigningKey", "encryptionKey", "consentSigningKey"])("an empty list: %s", (option) => {
    expect(() => deriveKeys(sources({ [option]: [] }))).toThrow(expect.objectContaining({ option }));
  });
});

describe("without a secret of our own", () => {
  const from = (upstreamClientSecret: string) => deriveKeys(sources({ secrets: [], upstreamClientSecret }));

  test("keys derive from the upstream's client secret, and that is said", () => {
    expect(from(OTHER).fromUpstreamSecret).toBe(true);
    expect(deriveKeys(sources()).fromUpstreamSecret).toBe(false);
    expect(from(OTHER)).toEqual(from(OTHER));
    expect(from(OTHER)).not.toEqual(from(SECRET));
  });

  test("a short one is stretched, stable over restarts and different per server", () => {
    const short = "short-secret";
    expect(from(short)).toEqual(from(short));
    const elsewhere = deriveKeys(sources({ secrets: [], upstreamClientSecret: short, issuer: "https://b.example" }));
    expect(hex(from(short).storage[0])).not.toBe(hex(elsewhere.storage[0]));
  });

  test.each(["", "1234567"])("one of %j is no secret at all", (upstreamClientSecret) => {
    expect(() => from(upstreamClientSecret)).toThrow(expect.objectContaining({ option: "secret" }));
  });
});

test("RFC 7515: the operator's signing key signs as it stands, so that any JOSE library verifies with it", async () => {
  const signer = new HmacSigner(deriveKeys(sources({ jwtSigningKey: [OTHER] }))["access-token"]);
  const verified = await jwtVerify(signer.sign("at+jwt", { sub: "alice" }), Buffer.from(OTHER));
  expect(verified.payload.sub).toBe("alice");

  const theirs = await new SignJWT({ sub: "bob" }).setProtectedHeader({ alg: "HS256" }).sign(Buffer.from(OTHER));
  expect(signer.open(theirs).claims.sub).toBe("bob");
});

describe("mac", () => {
  const key = Buffer.from(SECRET);

  test("parts can't run into each other", () => {
    const splits = [["ab", "c"], ["a", "bc"], ["abc"], ["abc", ""], ["", "abc"], ["a", "b", "c"], ["1:a", "bc"]];
    expect(new Set(splits.map((parts) => hex(mac(key, ...parts)))).size).toBe(splits.length);
  });

  test("is compared whole: neither a beginning of it nor a longer one is it", () => {
    const signature = sign([key], "a");
    for (const other of ["", signature.slice(0, -1), `${signature}A`, signature.toLowerCase()]) {
      expect(verify([key], other, "a")).toBe(false);
    }
    expect(verify([key], signature, "a")).toBe(true);
  });
});

test("texts are equal only as a whole, also where their lengths differ", () => {
  expect(equal("secret", "secret")).toBe(true);
  for (const other of ["", "secre", "secret ", "Secret"]) expect(equal("secret", other)).toBe(false);
});

test("a key's public name is stable, its own, and not a part of the key", () => {
  const [one, other] = [Buffer.from(SECRET), Buffer.from(OTHER)];
  expect(keyId(one)).toBe(keyId(Buffer.from(SECRET)));
  expect(keyId(one)).not.toBe(keyId(other));
  expect(keyId(one)).toMatch(/^[A-Za-z0-9_-]{8}$/);
  expect(one.toString("base64url")).not.toContain(keyId(one));
});
