import { describe, expect, test } from "vitest";
import { Issuer, newKey } from "../test/issuer.ts";
import { KeySetError } from "./index.ts";

const FAILED = { valid: false, error: "keys_unavailable", temporary: true };

/** An answer that comes when it is let go. */
function held(): { answer: () => Promise<Response>; release: (response: Response) => void } {
  let release: (response: Response) => void = () => undefined;
  const response = new Promise<Response>((resolve) => {
    release = resolve;
  });
  return { answer: () => response, release };
}

describe("one request", () => {
  test("is under way for any number of tokens that come at once, and none is made before the first", async () => {
    const issuer = await Issuer.create();
    const verifier = issuer.verifier();
    const token = await issuer.token();
    expect(issuer.requests).toBe(0);
    const results = await Promise.all(Array.from({ length: 32 }, () => verifier.verify(token)));
    expect(results.every(({ valid }) => valid)).toBe(true);
    expect(issuer.requests).toBe(1);
  });

  test("is under way when the keys have grown old, and when they did not verify 32 tokens at once", async () => {
    const issuer = await Issuer.create();
    const verifier = issuer.verifier();
    const token = await issuer.token();
    await verifier.verify(token);
    issuer.now += 600;
    await Promise.all(Array.from({ length: 32 }, () => verifier.verify(token)));
    expect(issuer.requests).toBe(2);

    issuer.now += 30;
    const next = await newKey("next");
    issuer.published = [...issuer.published, next.jwk];
    const ofNext = await issuer.token({}, {}, next);
    const results = await Promise.all(Array.from({ length: 32 }, () => verifier.verify(ofNext)));
    expect(results.every(({ valid }) => valid)).toBe(true);
    expect(issuer.requests).toBe(3);
  });

  test("is enough for cacheDuration, of which the last millisecond counts", async () => {
    const issuer = await Issuer.create();
    const verifier = issuer.verifier({ cacheDuration: 1500 });
    const verify = async () => (await verifier.verify(await issuer.token())).valid;
    expect(await verify()).toBe(true);
    issuer.now += 1.499;
    expect(await verify()).toBe(true);
    expect(issuer.requests).toBe(1);
    issuer.now += 0.001;
    expect(await verify()).toBe(true);
    expect(issuer.requests).toBe(2);
  });

  test("is not made for a token that would be refused with any key", async () => {
    const issuer = await Issuer.create();
    const verifier = issuer.verifier();
    await verifier.verify(await issuer.token({ iss: "https://other.example" }));
    await verifier.verify(await issuer.token({ aud: "other" }));
    await verifier.verify(await issuer.token({ exp: issuer.now - 60 }));
    await verifier.verify("nonsense");
    expect(issuer.requests).toBe(0);
  });
});

describe("rotation", () => {
  test("a key that is new is found by the first token that it signed", async () => {
    const issuer = await Issuer.create();
    const verifier = issuer.verifier();
    await verifier.verify(await issuer.token());
    const next = await newKey("next");
    issuer.published = [next.jwk];
    issuer.now += 30;
    expect(await verifier.verify(await issuer.token({}, {}, next))).toMatchObject({ valid: true });
    expect(await verifier.verify(await issuer.token())).toEqual({ valid: false, error: "token_key_unknown" });
  });

  test("a new key under the old name is found as well, and one without a name", async () => {
    for (const name of ["one", undefined]) {
      const issuer = new Issuer(await newKey(name));
      const verifier = issuer.verifier();
      await verifier.verify(await issuer.token());
      const next = await newKey(name);
      issuer.published = [next.jwk];
      issuer.now += 30;
      expect(await verifier.verify(await issuer.token({}, {}, next))).toMatchObject({ valid: true });
    }
  });

  test("tokens that nobody signed make us ask no more than once per cooldownDuration", async () => {
    const issuer = await Issuer.create();
    const verifier = issuer.verifier();
    const mallory = await newKey("mallory");
    for (let second = 0; second < 90; second++) {
      expect(await verifier.verify(await issuer.token({ jti: second }, {}, mallory))).toEqual({
        valid: false,
        error: "token_key_unknown",
      });
      issuer.now++;
    }
    expect(issuer.requests).toBe(3);
  });

  test("while one verification waits for its keys, they rotate, and both the old and the new token find theirs", async () => {
    const [one, two] = [await newKey("one"), await newKey("two")];
    const issuer = new Issuer(one);
    const verifier = issuer.verifier({ cooldownDuration: 0 });
    const first = held();
    const second = held();
    issuer.answer = () => (issuer.requests === 1 ? first.answer() : second.answer());
    const results = [verifier.verify(await issuer.token()), verifier.verify(await issuer.token({}, {}, two))];
    first.release(Response.json({ keys: [one.jwk] }));
    expect(await results[0]).toMatchObject({ valid: true });
    second.release(Response.json({ keys: [two.jwk] }));
    expect(await results[1]).toMatchObject({ valid: true });
    expect(issuer.requests).toBe(2);
  });
});

describe("an endpoint that is down", () => {
  test("is asked again after five seconds, and not by each token", async () => {
    const issuer = await Issuer.create();
    const verifier = issuer.verifier();
    const works = issuer.answer;
    issuer.answer = () => Promise.reject(new TypeError("fetch failed"));
    const token = await issuer.token();
    for (let at = 0; at < 5; at++) {
      const results = await Promise.all(Array.from({ length: 8 }, () => verifier.verify(token)));
      expect(results).toEqual(Array.from({ length: 8 }, () => expect.objectContaining(FAILED)));
      issuer.now++;
    }
    expect(issuer.requests).toBe(1);
    issuer.answer = works;
    expect(await verifier.verify(token)).toMatchObject({ valid: true });
    expect(issuer.requests).toBe(2);
  });

  test("leaves the old keys in use for staleDuration, and then none", async () => {
    const issuer = await Issuer.create();
    const verifier = issuer.verifier();
    const verify = async () => verifier.verify(await issuer.token());
    await verify();
    issuer.answer = () => new Response("down", { status: 503 });
    issuer.now += 600 + 3599;
    expect(await verify()).toMatchObject({ valid: true });
    issuer.now += 1;
    const { cause, ...result } = await verify();
    expect(result).toEqual(FAILED);
    expect(cause).toBeInstanceOf(KeySetError);
    expect(cause).toMatchObject({ reason: "status" });
  });

  test("lets nobody wait twice: with old keys at hand, further attempts are made in the background", async () => {
    const issuer = await Issuer.create();
    const verifier = issuer.verifier();
    const verify = async () => verifier.verify(await issuer.token());
    await verify();
    issuer.now += 600;
    issuer.answer = () => new Response(null, { status: 500 });
    expect(await verify()).toMatchObject({ valid: true });
    issuer.now += 5;
    const hanging = held();
    issuer.answer = hanging.answer;
    // It would wait forever here if it waited for that request.
    expect(await verify()).toMatchObject({ valid: true });
    expect(await verify()).toMatchObject({ valid: true });
    expect(issuer.requests).toBe(3);
    hanging.release(Response.json({ keys: [(await newKey("next")).jwk] }));
    await expect.poll(verify).toEqual({ valid: false, error: "token_key_unknown" });
  });

  test("can't tell whether an unknown key is one, and says so", async () => {
    const issuer = await Issuer.create();
    const verifier = issuer.verifier();
    await verifier.verify(await issuer.token());
    issuer.answer = () => new Response(null, { status: 500 });
    issuer.now += 30;
    const ofNext = await issuer.token({}, {}, await newKey("next"));
    expect(await verifier.verify(ofNext)).toMatchObject(FAILED);
    expect(await verifier.verify(await issuer.token())).toMatchObject({ valid: true });
    expect(issuer.requests).toBe(2);
  });

  test("a clock that is set back by a day does not keep old keys for a day", async () => {
    const issuer = await Issuer.create();
    const verifier = issuer.verifier();
    await verifier.verify(await issuer.token());
    issuer.now -= 86_400;
    await verifier.verify(await issuer.token());
    expect(issuer.requests).toBe(2);
  });
});

describe("documents", () => {
  const rsa = { kty: "RSA", n: "AQAB", e: "AQAB" };
  test.each([
    ["HTML", "<!doctype html><title>Sign in</title>", "malformed"],
    ["nothing", "", "malformed"],
    ["a list", "[]", "malformed"],
    ["null", "null", "malformed"],
    ["keys that are no list", '{"keys":{"0":{}}}', "malformed"],
    ["200 000 brackets", "[".repeat(200_000), "malformed"],
    ["200 000 nested keys", `{"keys":${"[".repeat(100_000)}${"]".repeat(100_000)}}`, "no_usable_key"],
    ["no keys", '{"keys":[]}', "no_usable_key"],
    ["secret keys only", JSON.stringify({ keys: [{ kty: "oct", k: "AAAA" }] }), "no_usable_key"],
    ["private keys only", JSON.stringify({ keys: [{ ...rsa, d: "AQAB" }] }), "no_usable_key"],
    ["keys for encryption only", JSON.stringify({ keys: [{ ...rsa, use: "enc" }] }), "no_usable_key"],
    ["keys that may not verify", JSON.stringify({ keys: [{ ...rsa, key_ops: ["wrapKey"] }] }), "no_usable_key"],
    ["a modulus of 100 000 bits", JSON.stringify({ keys: [{ ...rsa, n: "f".repeat(16_667) }] }), "no_usable_key"],
    ["a huge exponent", JSON.stringify({ keys: [{ ...rsa, e: "f".repeat(342) }] }), "no_usable_key"],
    ["numbers for numbers", JSON.stringify({ keys: [{ kty: "RSA", n: 1, e: [65_537] }] }), "no_usable_key"],
    ["a kind called __proto__", '{"keys":[{"kty":"__proto__"}]}', "no_usable_key"],
    [
      "101 keys",
      JSON.stringify({ keys: Array.from({ length: 101 }, (_, kid) => ({ ...rsa, kid: `${kid}` })) }),
      "no_usable_key",
    ],
  ])("%s in place of a key set", async (_, body, reason) => {
    const issuer = await Issuer.create();
    issuer.answer = () => new Response(body);
    const { cause, ...result } = await issuer.verifier().verify(await issuer.token());
    expect(result).toEqual(FAILED);
    expect(cause).toBeInstanceOf(KeySetError);
    expect(cause).toMatchObject({ reason });
  });

  test("what is unusable in a key set takes nothing from what is usable", async () => {
    const issuer = await Issuer.create();
    const [good] = issuer.published;
    const bad = { kty: "EC", crv: "P-256", kid: "one", x: "AAAA", y: "AAAA" };
    issuer.answer = () => Response.json({ keys: [null, 1, "x", [], {}, { kty: "AKP" }, bad, good], more: {} });
    expect(await issuer.verifier().verify(await issuer.token())).toMatchObject({ valid: true });
  });

  test("a name that more than eight keys share is nobody's: each would cost a verification", async () => {
    const issuer = await Issuer.create();
    const others = await Promise.all(Array.from({ length: 8 }, async () => (await newKey("one")).jwk));
    issuer.published = [...others, ...issuer.published];
    expect(await issuer.verifier().verify(await issuer.token())).toEqual({ valid: false, error: "token_key_unknown" });
    issuer.published = issuer.published.slice(1);
    expect(await issuer.verifier().verify(await issuer.token())).toMatchObject({ valid: true });
  });
});
