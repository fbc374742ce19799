import { OAuthProxyError } from "@sallyport/oauth-core";
import { compactVerify, createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from "jose";
import { describe, expect, test } from "vitest";
import { DAY, RECORD, Replicas, TOKEN_TTL } from "../test/replicas.ts";
import type { AsymmetricSigner, SigningAlgorithm } from "./index.ts";

const kidOf = (token: string) => decodeProtectedHeader(token).kid;
const kidsOf = async (signer: AsymmetricSigner) => (await signer.jwks()).keys.map(({ kid }) => kid);
const documentOf = async (signer: AsymmetricSigner): Promise<JSONWebKeySet> =>
  JSON.parse(JSON.stringify(await signer.jwks()));

describe("the first key", () => {
  test.each<SigningAlgorithm>(["ES256", "EdDSA", "RS256"])(
    "of %s: another service verifies with jose and the document alone",
    async (alg) => {
      const replicas = new Replicas();
      const signer = replicas.replica({ alg });
      const token = await signer.sign("at+jwt", replicas.claims());
      const document = await documentOf(signer);
      const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(document), {
        issuer: "https://mcp.example.com",
        audience: "https://mcp.example.com/mcp",
        typ: "at+jwt",
        currentDate: new Date(replicas.now * 1000),
      });
      expect(payload).toEqual(replicas.claims());
      expect(protectedHeader).toEqual({ alg, typ: "at+jwt", kid: document.keys[0]?.kid });
      expect(await signer.open(token)).toEqual({ header: protectedHeader, claims: payload });
    },
  );

  test("is published by its public half, and by nothing else of it", async () => {
    const names: Record<SigningAlgorithm, string[]> = {
      ES256: ["alg", "crv", "kid", "kty", "use", "x", "y"],
      EdDSA: ["alg", "crv", "kid", "kty", "use", "x"],
      RS256: ["alg", "e", "kid", "kty", "n", "use"],
    };
    for (const alg of ["ES256", "EdDSA", "RS256"] as const) {
      const { keys } = await new Replicas().replica({ alg }).jwks();
      expect(keys.map((key) => Object.keys(key).sort())).toEqual([names[alg]]);
    }
  });

  test("is sealed in the storage", async () => {
    const replicas = new Replicas();
    await replicas.replica().sign("at+jwt", {});
    expect(await replicas.storage.get(RECORD)).toMatch(/^s1\./);
  });

  test("of 32 replicas that start at once, one makes the key, and all sign with it and know its tokens", async () => {
    const replicas = new Replicas();
    const all = Array.from({ length: 32 }, () => replicas.replica());
    const tokens = await Promise.all(all.map((signer) => signer.sign("at+jwt", replicas.claims())));
    expect(new Set(tokens.map(kidOf)).size).toBe(1);
    await Promise.all(tokens.map((token, index) => all[(index + 1) % 32]?.open(token)));
    expect(replicas.told("signing_key.published")).toHaveLength(1);
  });

  test("is the same after a restart, and read once for any number of tokens", async () => {
    const replicas = new Replicas();
    const token = await replicas.replica().sign("at+jwt", replicas.claims());
    const restarted = replicas.replica();
    replicas.calls = 0;
    await Promise.all(Array.from({ length: 32 }, () => restarted.open(token)));
    expect(replicas.calls).toBe(1);
    expect(kidOf(await restarted.sign("at+jwt", replicas.claims()))).toBe(kidOf(token));
  });
});

describe("rotation", () => {
  test("goes unnoticed: for a hundred days, every token is known to every replica, and to whoever fetched the key set a day ago", async () => {
    const replicas = new Replicas();
    const all = [replicas.replica(), replicas.replica({}, { clock: 120 })];
    const used = new Set<string | undefined>();
    const fetched: JSONWebKeySet[] = [];
    for (let quarter = 0; quarter < 400; quarter++) {
      for (const signer of all) {
        const token = await signer.sign("at+jwt", { ...replicas.claims(), quarter });
        used.add(kidOf(token));
        fetched.push(await documentOf(signer));
        await compactVerify(token, createLocalJWKSet(fetched.at(-8) ?? fetched[0] ?? { keys: [] }));
        replicas.now += TOKEN_TTL - 1;
        await Promise.all(all.map((other) => other.open(token)));
        await compactVerify(token, createLocalJWKSet(await documentOf(signer)));
      }
      replicas.now += DAY / 4 - 2 * (TOKEN_TTL - 1);
    }
    expect(used.size).toBe(4);
    expect(replicas.told("signing_key.published")).toHaveLength(4);
    expect(replicas.told("signing_key.retired")).toHaveLength(3);
    expect(replicas.told("signing_keys.unavailable")).toEqual([]);
  });

  test("publishes the next key a day before it signs, and keeps the last until its last token has expired", async () => {
    const replicas = new Replicas();
    const signer = replicas.replica();
    const [first] = await kidsOf(signer);
    replicas.now += 29 * DAY - 1;
    expect(await kidsOf(signer)).toEqual([first]);
    replicas.now += 61;
    const [, second] = await kidsOf(signer);
    expect(second).toBeTypeOf("string");
    const { signsFrom } = replicas.told("signing_key.published").at(-1) ?? { signsFrom: 0 };
    expect(signsFrom).toBe(replicas.now + DAY);

    replicas.now = signsFrom - 1;
    expect(kidOf(await signer.sign("at+jwt", {}))).toBe(first);
    replicas.now = signsFrom;
    expect(kidOf(await signer.sign("at+jwt", {}))).toBe(second);
    replicas.now = signsFrom + TOKEN_TTL + 299;
    expect(await kidsOf(signer)).toEqual([first, second]);
    replicas.now += 1;
    expect(await kidsOf(signer)).toEqual([second]);
  });

  test("of 32 replicas that find it due, one makes the next key", async () => {
    const replicas = new Replicas();
    const all = Array.from({ length: 32 }, () => replicas.replica());
    await Promise.all(all.map((signer) => signer.jwks()));
    replicas.now += 29 * DAY;
    const documents = await Promise.all(all.map((signer) => signer.jwks()));
    expect(new Set(documents.map((document) => JSON.stringify(document))).size).toBe(1);
    expect(documents[0]?.keys).toHaveLength(2);
    expect(replicas.told("signing_key.published")).toHaveLength(2);
  });

  test("a new algorithm is a next key: tokens of the old one go on, and both are published", async () => {
    const replicas = new Replicas();
    const before = replicas.replica({ alg: "RS256" });
    const token = await before.sign("at+jwt", replicas.claims());
    const after = replicas.replica({ alg: "EdDSA" });
    expect((await after.jwks()).keys.map(({ alg }) => alg)).toEqual(["RS256", "EdDSA"]);
    await after.open(token);
    expect(kidOf(await after.sign("at+jwt", {}))).toBe(kidOf(token));
    // Replicas that still run with the old configuration do not take it back.
    replicas.now += 60;
    expect(await kidsOf(before)).toEqual(await kidsOf(after));
    replicas.now += DAY - 60;
    expect(decodeProtectedHeader(await after.sign("at+jwt", {})).alg).toBe("EdDSA");
  });

  test("a key that another replica made is looked for as soon as a token names it, and not for every name", async () => {
    const replicas = new Replicas();
    const stays = replicas.replica();
    await stays.jwks();
    await replicas.storage.delete(RECORD);
    const token = await replicas.replica().sign("at+jwt", replicas.claims());
    await expect(stays.open(token)).rejects.toMatchObject({ reason: "token_signature" });
    replicas.now += 5;
    await expect(stays.open(token)).resolves.toBeDefined();
    replicas.calls = 0;
    const other = await new Replicas().replica().sign("at+jwt", {});
    for (let each = 0; each < 20; each++)
      await expect(stays.open(other)).rejects.toMatchObject({ reason: "token_signature" });
    expect(replicas.calls).toBe(0);
  });
});

describe("a storage that fails", () => {
  const down = new Error("the storage is down");
  const fail = () => Promise.reject(down);

  test("at the start: nothing is signed, its own words arrive, and it works as soon as it works", async () => {
    const replicas = new Replicas();
    const signer = replicas.replica();
    replicas.before = fail;
    await expect(signer.sign("at+jwt", {})).rejects.toBe(down);
    await expect(signer.jwks()).rejects.toBe(down);
    expect(replicas.told("signing_keys.unavailable")).toEqual([{ type: "signing_keys.unavailable", cause: down }]);
    replicas.before = () => undefined;
    replicas.now += 5;
    await expect(signer.sign("at+jwt", {})).resolves.toBeTypeOf("string");
  });

  test("later: keys in memory serve for as long as no other can be in use, and then none", async () => {
    const replicas = new Replicas();
    const signer = replicas.replica();
    const token = await signer.sign("at+jwt", {});
    const readAt = replicas.now;
    replicas.before = fail;
    replicas.now = readAt + DAY - 1;
    expect(kidOf(await signer.sign("at+jwt", {}))).toBe(kidOf(token));
    await signer.open(token);
    replicas.now += 1;
    await expect(signer.sign("at+jwt", {})).rejects.toBe(down);
    await expect(signer.open(token)).rejects.toBe(down);
    replicas.now += 5;
    await expect(signer.open(token)).rejects.toBe(down);
    // Told once, and not with every attempt.
    expect(replicas.told("signing_keys.unavailable")).toHaveLength(1);
  });

  test("between read and write, or with a write whose outcome nobody knows: one key set in the end", async () => {
    for (const verb of ["claim", "replace"] as const) {
      const replicas = new Replicas();
      const [one, two] = [replicas.replica(), replicas.replica()];
      if (verb === "replace") {
        await one.jwks();
        replicas.now += 29 * DAY;
      }
      let failed = false;
      replicas.before = (called) => {
        if (called !== verb || failed) return undefined;
        failed = true;
        return fail();
      };
      await Promise.allSettled([one.jwks(), two.jwks()]);
      expect(failed).toBe(true);
      replicas.now += 60;
      expect(await kidsOf(one)).toEqual(await kidsOf(two));
      expect(await kidsOf(one)).toHaveLength(verb === "claim" ? 1 : 2);
    }
  });
});

describe("a record that can't be used", () => {
  test("because it is sealed with another key: reported once, left alone, and nothing is signed in its place", async () => {
    const replicas = new Replicas();
    await replicas.replica({ alg: "RS256" }).sign("at+jwt", {});
    const record = await replicas.storage.get(RECORD);
    const other = replicas.replica({}, { secret: "another secret of at least 32 bytes..." });
    await expect(other.sign("at+jwt", {})).rejects.toThrow("can not be read");
    await expect(other.jwks()).rejects.toThrow("can not be read");
    expect(await replicas.storage.get(RECORD)).toBe(record);
    expect(replicas.told("signing_keys.unavailable")).toHaveLength(1);
  });

  test("because it was overwritten: who has the keys in memory goes on, who starts does not, and nobody replaces it", async () => {
    const replicas = new Replicas();
    const runs = replicas.replica();
    const token = await runs.sign("at+jwt", replicas.claims());
    await replicas.storage.save(RECORD, "garbage");
    replicas.now += 60;
    await runs.open(token);
    await expect(replicas.replica().open(token)).rejects.toThrow("can not be read");
    expect(await replicas.storage.get(RECORD)).toBe("garbage");
  });
});

describe("open", () => {
  test("tokens of others, changed tokens and no tokens are told apart in the words of the core", async () => {
    const replicas = new Replicas();
    const signer = replicas.replica();
    const token = await signer.sign("at+jwt", replicas.claims());
    const [header = "", claims = "", signature = ""] = token.split(".");
    const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const { kid } = decodeProtectedHeader(token);
    const wrong: readonly [string, string][] = [
      [await new Replicas().replica().sign("at+jwt", replicas.claims()), "token_signature"],
      [`${header}.${base64url({ ...replicas.claims(), sub: "mallory" })}.${signature}`, "token_signature"],
      [`${base64url({ alg: "HS256", typ: "at+jwt", kid })}.${claims}.${signature}`, "token_signature"],
      [`${base64url({ alg: "none", typ: "at+jwt", kid })}.${claims}.${signature}`, "token_signature"],
      [`${base64url({ alg: "ES256", typ: "at+jwt" })}.${claims}.${signature}`, "token_signature"],
      [`${base64url({ alg: "ES256", kid, crit: ["b64"], b64: false })}.${claims}.${signature}`, "token_signature"],
      [`${header}.${claims}.AA`, "token_signature"],
      [`${header}.${claims}.`, "token_malformed"],
      ["nonsense", "token_malformed"],
    ];
    for (const [text, reason] of wrong) {
      const refused = signer.open(text);
      await expect(refused).rejects.toBeInstanceOf(OAuthProxyError);
      await expect(refused).rejects.toMatchObject({ reason, code: "invalid_token" });
    }
  });
});
