import { createHmac, generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { exportSPKI, generateKeyPair, jwtVerify, SignJWT } from "jose";
import { describe, expect, test } from "vitest";
import { keyId } from "./keys.ts";
import { HmacSigner } from "./signer.ts";

const KEY = Buffer.from("the first signing key, of 32 bytes or more");
const OTHER = Buffer.from("another signing key, of 32 bytes or more too");
const signer = new HmacSigner([KEY]);

const refusal = (reason: string) => expect.objectContaining({ name: "OAuthProxyError", code: "invalid_token", reason });
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A token with a signature that is right for its header, whatever the header says. */
function forged(
  header: Record<string, unknown>,
  key: Uint8Array,
  claims: Record<string, unknown> = { sub: "mallory" },
) {
  const input = `${part(header)}.${part(claims)}`;
  return `${input}.${createHmac("sha256", key).update(input).digest("base64url")}`;
}

/** Claims of all shapes; those that `jose` has an opinion about are left out. */
const claims = fc.dictionary(
  fc.string({ minLength: 1, maxLength: 20 }).filter((name) => !["exp", "nbf", "iat", "__proto__"].includes(name)),
  fc.jsonValue({ maxDepth: 3 }),
  { maxKeys: 8 },
);
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe("RFC 7515: the same tokens as jose", () => {
  test("what is signed here, jose verifies", async () => {
    await fc.assert(
      fc.asyncProperty(claims, fc.constantFrom("at+jwt", "rt+jwt"), async (payload, typ) => {
        const verified = await jwtVerify(signer.sign(typ, payload), KEY, { algorithms: ["HS256"], typ });
        expect(verified.payload).toEqual(asJson(payload));
        expect(verified.protectedHeader).toEqual({ alg: "HS256", typ, kid: keyId(KEY) });
      }),
    );
  });

  test("what jose signs, is opened here", async () => {
    await fc.assert(
      fc.asyncProperty(claims, async (payload) => {
        const token = await new SignJWT(payload as Record<string, unknown>)
          .setProtectedHeader({ alg: "HS256", typ: "at+jwt" })
          .sign(KEY);
        expect(signer.open(token)).toEqual({ header: { alg: "HS256", typ: "at+jwt" }, claims: asJson(payload) });
      }),
    );
  });
});

describe("RFC 8725 §3.1: the algorithm is ours to say", () => {
  test.each(["none", "None", "NONE", "nOnE", "", "HS384", "HS512", "RS256", "ES256", "EdDSA", "hs256"])(
    "alg %j, also over a signature that is right",
    (alg) => {
      expect(() => signer.open(forged({ alg, typ: "at+jwt" }, KEY))).toThrow(refusal("token_signature"));
    },
  );

  test.each([undefined, null, 256, ["HS256"], { alg: "HS256" }])("alg %j is none", (alg) => {
    expect(() => signer.open(forged({ alg, typ: "at+jwt" }, KEY))).toThrow(refusal("token_signature"));
  });

  test("RFC 7519 §6: a token without a signature is none", () => {
    const token = `${part({ alg: "none", typ: "at+jwt" })}.${part({ sub: "mallory" })}.`;
    expect(() => signer.open(token)).toThrow(refusal("token_malformed"));
  });

  test("HS256 with a public key as the secret", async () => {
    const { publicKey } = await generateKeyPair("RS256", { extractable: true });
    const pem = Buffer.from(await exportSPKI(publicKey));
    for (const key of [pem, Buffer.from(pem.toString().trim())]) {
      expect(() => signer.open(forged({ alg: "HS256", typ: "at+jwt" }, key))).toThrow(refusal("token_signature"));
    }
  });

  test("a token that is well signed with an asymmetric key", async () => {
    const { privateKey } = generateKeyPairSync("ed25519");
    const token = await new SignJWT({ sub: "mallory" }).setProtectedHeader({ alg: "EdDSA" }).sign(privateKey);
    expect(() => signer.open(token)).toThrow(refusal("token_signature"));
  });
});

describe("a signature that is not ours", () => {
  const token = signer.sign("at+jwt", { sub: "alice", scope: "read" });
  const [header = "", payload = "", signature = ""] = token.split(".");

  test("is of another key", () => {
    expect(() => signer.open(forged({ alg: "HS256" }, OTHER))).toThrow(refusal("token_signature"));
    expect(() => signer.open(forged({ alg: "HS256" }, Buffer.alloc(32)))).toThrow(refusal("token_signature"));
    expect(() => signer.open(forged({ alg: "HS256" }, Buffer.alloc(0)))).toThrow(refusal("token_signature"));
  });

  test("is over other claims, or another header", () => {
    expect(() => signer.open(`${header}.${part({ sub: "alice", scope: "admin" })}.${signature}`)).toThrow(
      refusal("token_signature"),
    );
    expect(() => signer.open(`${part({ alg: "HS256", typ: "rt+jwt" })}.${payload}.${signature}`)).toThrow(
      refusal("token_signature"),
    );
  });

  test("is cut short, or longer than it should be", () => {
    const bytes = Buffer.from(signature, "base64url");
    for (const other of [bytes.subarray(0, 16), bytes.subarray(0, 1), Buffer.concat([bytes, Buffer.of(0)])]) {
      expect(() => signer.open(`${header}.${payload}.${other.toString("base64url")}`)).toThrow(
        refusal("token_signature"),
      );
    }
  });

  test("differs in any one character", () => {
    const characters = fc.constantFrom(..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=");
    fc.assert(
      fc.property(fc.nat({ max: token.length - 1 }), characters, (at, character) => {
        fc.pre(token[at] !== character);
        expect(() => signer.open(token.slice(0, at) + character + token.slice(at + 1))).toThrow(
          expect.objectContaining({ code: "invalid_token" }),
        );
      }),
      { numRuns: 500 },
    );
  });
});

describe("RFC 8725 §3.10: kid chooses among our keys and nothing else", () => {
  test.each(["", "../../dev/null", "' OR 1=1 --", "x".repeat(5000), keyId(OTHER), 0, null, ["x"], { $ne: "" }])(
    "kid %j is no key of ours, whatever the signature",
    (kid) => {
      expect(() => signer.open(forged({ alg: "HS256", kid }, KEY))).toThrow(refusal("token_signature"));
    },
  );

  test("a key that the token brings along is not looked at", () => {
    const jwk = { kty: "oct", k: OTHER.toString("base64url") };
    for (const brought of [{ jwk }, { jku: "https://evil.example/keys" }, { x5u: "https://evil.example/cert" }]) {
      expect(() => signer.open(forged({ alg: "HS256", ...brought }, OTHER))).toThrow(refusal("token_signature"));
    }
  });

  test("the name of one of our keys does not let another's signature pass", () => {
    const both = new HmacSigner([KEY, OTHER]);
    expect(() => both.open(forged({ alg: "HS256", kid: keyId(KEY) }, OTHER))).toThrow(refusal("token_signature"));
    expect(both.open(forged({ alg: "HS256", kid: keyId(OTHER) }, OTHER)).claims).toEqual({ sub: "mallory" });
    expect(both.open(forged({ alg: "HS256" }, OTHER)).claims).toEqual({ sub: "mallory" });
  });
});

test.each([["exp"], [], "exp", null, 1])("RFC 7515 §4.1.11: crit %j is not understood and refused", (crit) => {
  expect(() => signer.open(forged({ alg: "HS256", crit }, KEY))).toThrow(
    expect.objectContaining({ code: "invalid_token" }),
  );
});

test("keys are rotated: the new one signs, the old one still verifies until it is taken away", () => {
  const before = new HmacSigner([KEY]).sign("at+jwt", { sub: "alice" });
  const rotated = new HmacSigner([OTHER, KEY]);
  expect(rotated.open(before).claims).toEqual({ sub: "alice" });
  expect(new HmacSigner([OTHER]).open(rotated.sign("at+jwt", { sub: "alice" })).claims).toEqual({ sub: "alice" });
  expect(() => new HmacSigner([OTHER]).open(before)).toThrow(refusal("token_signature"));
});

test("characters of any alphabet survive", () => {
  const name = "Zoë 組 👩‍🚀";
  expect(signer.open(signer.sign("at+jwt", { name })).claims).toEqual({ name });
});
