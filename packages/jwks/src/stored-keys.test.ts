import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Replicas } from "../test/replicas.ts";
import { SigningKeys } from "./index.ts";
import { type Jwk, newSigningKey, SigningKey } from "./signing-key.ts";
import { formatKeys, parseKeys, StoredKeysError, type TimedKey } from "./stored-keys.ts";

async function timedKey(signsFrom: number): Promise<TimedKey> {
  const jwk = await newSigningKey("ES256");
  return { key: new SigningKey(jwk), jwk, alg: "ES256", signsFrom, tokenTtl: 3600 };
}

interface Stored {
  readonly version: number;
  readonly keys: readonly { readonly jwk: Jwk; readonly signsFrom: number; readonly tokenTtl: number }[];
}

/** The record with other members in its second entry, or in that one's key. */
const withSecond = ({ keys: [first, second], ...stored }: Stored, change: object | undefined) => ({
  ...stored,
  keys: [first, { ...second, signsFrom: 3, ...change }],
});
const withMembers = (stored: Stored, change: object) =>
  withSecond(stored, { jwk: { ...stored.keys[1]?.jwk, ...change } });

test("what was written is read, and keys that were read before are not read again", async () => {
  const keys = [await timedKey(1), await timedKey(2)];
  const stored = JSON.parse(JSON.stringify(formatKeys(keys)));
  const fresh = parseKeys(stored, []);
  expect(fresh.map(({ key, signsFrom }) => [key.kid, signsFrom])).toEqual(
    keys.map(({ key, signsFrom }) => [key.kid, signsFrom]),
  );
  expect(parseKeys(stored, keys).map(({ key }) => key)).toEqual(keys.map(({ key }) => key));
  expect(parseKeys(stored, keys)[0]?.key).toBe(keys[0]?.key);
});

describe("a record that nobody wrote", async () => {
  const stored: Stored = JSON.parse(JSON.stringify(formatKeys([await timedKey(1), await timedKey(2)])));
  test("but which differs in nothing that matters is read", () => {
    expect(parseKeys(withSecond(stored, {}), [])).toHaveLength(2);
  });

  const ruin: readonly [string, (stored: Stored) => unknown][] = [
    ["nothing", () => null],
    ["a text", () => "keys"],
    ["another version", (stored) => ({ ...stored, version: 2 })],
    ["no keys", (stored) => ({ ...stored, keys: [] })],
    ["65 keys", (stored) => ({ ...stored, keys: Array.from({ length: 65 }, () => stored.keys[0]) })],
    ["keys out of order", (stored) => ({ ...stored, keys: stored.keys.toReversed() })],
    ["the same key twice", (stored) => withSecond(stored, { jwk: stored.keys[0]?.jwk })],
    ["an instant in words", (stored) => withSecond(stored, { signsFrom: "3" })],
    ["an instant before time", (stored) => withSecond(stored, { signsFrom: -1 })],
    ["half an instant", (stored) => withSecond(stored, { signsFrom: 2.5 })],
    ["no lifetime", (stored) => withSecond(stored, { tokenTtl: undefined })],
    ["a key that is a list", (stored) => withSecond(stored, { jwk: [] })],
    ["a key under another name", (stored) => withMembers(stored, { kid: "other" })],
    ["a key without a name", (stored) => withMembers(stored, { kid: undefined })],
    ["a public key", (stored) => withMembers(stored, { d: undefined })],
    ["halves of two keys", (stored) => withMembers(stored, { d: stored.keys[0]?.jwk["d"] })],
    ["a key for another algorithm", (stored) => withMembers(stored, { alg: "EdDSA" })],
    ["a secret key", (stored) => withSecond(stored, { jwk: { kty: "oct", k: "AAAA", kid: "k", alg: "HS256" } })],
  ];
  test.each(ruin)("%s: it is damaged, and says so", async (_, change) => {
    expect(() => parseKeys(change(structuredClone(stored)), [])).toThrow(StoredKeysError);
  });

  test("whatever JSON it is", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        expect(() => parseKeys(value, [])).toThrow(StoredKeysError);
      }),
    );
  });

  test("in an unsealed storage: nothing is signed, nothing is put in its place, and the operator hears of it", async () => {
    const replicas = new Replicas();
    const writes: string[] = [];
    const signer = new SigningKeys().signer({
      records: {
        get: async () => ({ value: { version: 1, keys: [] }, raw: "" }),
        claim: async (_, value) => ({ value, raw: writes.push("claim") }),
        replace: async (_, __, value) => ({ value, raw: writes.push("replace") }),
      },
      runtime: { now: () => replicas.now },
      tokenTtl: 3600,
      observe: (happening) => replicas.happenings.push(happening),
    });
    await expect(signer.sign("at+jwt", {})).rejects.toMatchObject({ cause: expect.any(StoredKeysError) });
    expect(writes).toEqual([]);
    expect(replicas.told("signing_keys.unavailable")).toHaveLength(1);
  });
});
