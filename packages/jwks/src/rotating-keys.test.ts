import { OAuthProxyError, type PublishingSigner } from "@sallyport/oauth-core";
import { compactVerify, createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from "jose";
import { describe, expect, test } from "vitest";
import { Gate } from "../../oauth-core/test/gate.ts";
import { DAY, RECORD, Replicas, TOKEN_TTL } from "../test/replicas.ts";
import { type SigningAlgorithm, SigningKeys, StoredKeysError } from "./index.ts";

/** Lets everything go on that waits for nothing but its turn. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 8; turn++) await new Promise((resolve) => setImmediate(resolve));
}

const kidOf = (token: string) => decodeProtectedHeader(token).kid;
const kidsOf = async (signer: PublishingSigner) => (await signer.jwks()).keys.map(({ kid }) => kid);
const documentOf = async (signer: PublishingSigner): Promise<JSONWebKeySet> =>
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

describe("a key that is taken back", () => {
  test("signs no more, verifies no more and is published no more, and another one signs at once", async () => {
    const replicas = new Replicas();
    const signing = new SigningKeys();
    const signer = replicas.replica(signing);
    const token = await signer.sign("at+jwt", replicas.claims());
    const kid = String(kidOf(token));
    const { header } = await signer.open(token);
    expect(signer.recognises(header)).toBe(true);

    expect(await signing.retire(kid)).toBe(true);
    expect(signer.recognises(header)).toBe(false);
    await expect(signer.open(token)).rejects.toMatchObject({ reason: "token_signature" });
    const next = await signer.sign("at+jwt", replicas.claims());
    expect(await kidsOf(signer)).toEqual([kidOf(next)]);
    expect(kidOf(next)).not.toBe(kid);
    await expect(signer.open(next)).resolves.toBeDefined();
    expect(replicas.told("signing_key.retired")).toEqual([{ type: "signing_key.retired", kid }]);
    expect(replicas.told("signing_key.published").at(-1)).toMatchObject({ kid: kidOf(next), signsFrom: replicas.now });
    expect(await signing.retire(kid)).toBe(false);
  });

  test("which is known to other replicas within a minute, and they know the next one as soon as a token names it", async () => {
    const replicas = new Replicas();
    const signing = new SigningKeys();
    const [one, two] = [replicas.replica(signing), replicas.replica()];
    const token = await one.sign("at+jwt", replicas.claims());
    const { header } = await two.open(token);
    await signing.retire(String(kidOf(token)));
    replicas.now += 5;
    await expect(two.open(await one.sign("at+jwt", replicas.claims()))).resolves.toBeDefined();
    expect(await two.recognises(header)).toBe(false);

    const three = replicas.replica();
    const last = await three.open(await one.sign("at+jwt", replicas.claims()));
    await signing.retire(String(last.header["kid"]));
    expect(await three.recognises(last.header)).toBe(true);
    replicas.now += 60;
    expect(await three.recognises(last.header)).toBe(false);
  });

  test("gives way to the next one where that is published already, and the next one can be taken back before it signs", async () => {
    for (const which of [0, 1] as const) {
      const replicas = new Replicas();
      const signing = new SigningKeys();
      const signer = replicas.replica(signing);
      await signer.jwks();
      replicas.now += 29 * DAY;
      const kids = await kidsOf(signer);
      expect(kids).toHaveLength(2);
      await signing.retire(String(kids[which]));
      expect(kidOf(await signer.sign("at+jwt", {}))).toBe(kids[1 - which]);
      expect(await kidsOf(signer)).not.toContain(kids[which]);
    }
  });

  test("stays taken back, whatever is looked up meanwhile, and of 32 replicas that do it at once one finds it", async () => {
    const replicas = new Replicas();
    const keys = Array.from({ length: 32 }, () => new SigningKeys());
    const all = keys.map((signing) => replicas.replica(signing));
    const signer = replicas.replica();
    const { header } = await signer.open(await signer.sign("at+jwt", replicas.claims()));
    replicas.now += 60;
    const looking = all.map((each) => each.jwks());
    const found = await Promise.all(keys.map((signing) => signing.retire(String(header["kid"]))));
    await Promise.all(looking);
    expect(found.filter(Boolean)).toHaveLength(1);
    for (const each of all) expect(await each.recognises(header)).toBe(false);
    expect(new Set(await Promise.all(all.map(async (each) => (await kidsOf(each)).join()))).size).toBe(1);
  });

  test("is not brought back by a look that saw it before and is answered later", async () => {
    const replicas = new Replicas();
    const signing = new SigningKeys();
    const signer = replicas.replica(signing);
    const { header } = await signer.open(await signer.sign("at+jwt", {}));
    replicas.now += 60;
    const gate = new Gate();
    const reached = new Gate();
    replicas.afterGet = () => {
      replicas.afterGet = () => undefined;
      reached.open();
      return gate.opened;
    };
    const looking = signer.jwks();
    await reached.opened;
    const retiring = signing.retire(String(header["kid"]));
    await turns();
    gate.open();
    await looking;
    expect(await retiring).toBe(true);
    expect(signer.recognises(header)).toBe(false);
  });

  test("nor by one that begins while it is being taken back", async () => {
    const replicas = new Replicas();
    const signing = new SigningKeys();
    const signer = replicas.replica(signing);
    const { header } = await signer.open(await signer.sign("at+jwt", {}));
    replicas.now += 60;
    const [reached, written, answered] = [new Gate(), new Gate(), new Gate()];
    replicas.before = (verb) => {
      if (verb !== "replace") return undefined;
      reached.open();
      return written.opened;
    };
    const retiring = signing.retire(String(header["kid"]));
    await reached.opened;
    replicas.afterGet = () => answered.opened;
    const looking = signer.jwks();
    await turns();
    written.open();
    expect(await retiring).toBe(true);
    answered.open();
    await looking;
    expect(signer.recognises(header)).toBe(false);
  });

  test("is not, where the storage fails, and says so", async () => {
    const replicas = new Replicas();
    const signing = new SigningKeys();
    const signer = replicas.replica(signing);
    const { header } = await signer.open(await signer.sign("at+jwt", {}));
    const down = new Error("the storage is down");
    replicas.before = () => Promise.reject(down);
    await expect(signing.retire(String(header["kid"]))).rejects.toBe(down);
    replicas.before = () => undefined;
    expect(await signing.retire(String(header["kid"]))).toBe(true);
    expect(signer.recognises(header)).toBe(false);
  });

  test("has to be one of a server's, and one that was not given", async () => {
    const given = await new Replicas().replica().jwks();
    expect(given.keys).toHaveLength(1);
    await expect(new SigningKeys().retire("any")).rejects.toMatchObject({ option: "signing" });
  });
});

describe("while the key that seals the record is rotated", () => {
  const [OLD, NEW] = ["the old secret, of at least 32 bytes....", "the new secret, of at least 32 bytes...."];

  test("the record is sealed anew by the first look, so that the old one can be taken away long before the next rotation", async () => {
    const replicas = new Replicas();
    const token = await replicas.replica({}, { secrets: [OLD] }).sign("at+jwt", replicas.claims());
    await replicas.replica({}, { secrets: [NEW, OLD] }).open(token);
    await expect(replicas.replica({}, { secrets: [NEW] }).open(token)).resolves.toBeDefined();
    expect(replicas.told("signing_key.published")).toHaveLength(1);
    expect(replicas.told("signing_keys.unavailable")).toEqual([]);
  });

  test("a record that is sealed with the first key is only read", async () => {
    const replicas = new Replicas();
    await replicas.replica({}, { secrets: [NEW, OLD] }).jwks();
    replicas.calls = 0;
    await replicas.replica({}, { secrets: [NEW, OLD] }).jwks();
    expect(replicas.calls).toBe(1);
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
    const other = replicas.replica({}, { secrets: ["another secret of at least 32 bytes..."] });
    const unreadable = expect.objectContaining({ reason: "storage_unavailable", cause: expect.any(StoredKeysError) });
    await expect(other.sign("at+jwt", {})).rejects.toEqual(unreadable);
    await expect(other.jwks()).rejects.toEqual(unreadable);
    await expect(other.ready()).rejects.toEqual(unreadable);
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
    await expect(replicas.replica().open(token)).rejects.toMatchObject({ reason: "storage_unavailable" });
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
