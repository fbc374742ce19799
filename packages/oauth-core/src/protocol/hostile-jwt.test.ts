import { createHmac, randomInt } from "node:crypto";
import fc from "fast-check";
import { compactVerify, decodeJwt, decodeProtectedHeader } from "jose";
import { afterAll, expect, test } from "vitest";
import { HmacSigner } from "../domain/signer.ts";
import { checkAccessTokenClaims } from "./access-token.ts";
import { OAuthProxyError } from "./errors.ts";
import { parseJwt, readJwtClaims } from "./jwt.ts";

/** Printed, so that a run can be had again. */
const seed = Number(process.env.FUZZ_SEED ?? randomInt(2 ** 31));
afterAll(() => console.log(`hostile-jwt: FUZZ_SEED=${seed}`));
const RUNS = { seed, numRuns: 1500 };

const KEY = Buffer.from("the key that signs tokens in this test..");
const base64url = (value: string | Uint8Array) => Buffer.from(value).toString("base64url");

/** Objects with the names that mean something here, and values that mean something, nearly something, or nothing. */
const members = (names: readonly string[], values: readonly unknown[]) =>
  fc
    .dictionary(
      fc.oneof(fc.constantFrom(...names, "constructor", "toString"), fc.string()),
      fc.oneof(fc.constantFrom(...values), fc.jsonValue()),
      { noNullPrototype: true },
    )
    .map((value) => JSON.stringify(value));
const header = members(
  ["alg", "kid", "typ", "crit", "b64", "jwk", "jku", "zip", "enc", "cty"],
  ["HS256", "none", "RS256", "at+jwt", "JWT", ["b64"], true, null, ""],
);
const claims = members(
  ["iss", "aud", "sub", "exp", "nbf", "iat", "jti", "client_id", "scope"],
  ["https://mcp.example.com", "https://mcp.example.com/mcp", 1_800_003_600, -1, 1e308, "alice", [], {}, null],
);

/** JSON that no `JSON.stringify` writes: names twice, numbers beyond numbers, depth, bytes that are no text. */
const oddJson = fc.oneof(
  fc.constantFrom(
    '{"alg":"HS256","alg":"none"}',
    '{"sub":"alice","sub":"mallory"}',
    '{"exp":1e999}',
    '{"exp":-0}',
    '{"a":"\\ud800"}',
    '{"__proto__":{"sub":"admin"}}',
    '{"\\u005f_proto__":{}}',
    "\ufeff{}",
    " {} ",
    "{}\0",
  ),
  fc.nat({ max: 4000 }).map((depth) => `{"a":${"[".repeat(depth)}${"]".repeat(depth)}}`),
  fc.nat({ max: 13_000 }).map((length) => `{"a":"${"a".repeat(length)}"}`),
  fc.json(),
);

const part = fc.oneof(
  fc.oneof(header, claims, oddJson).map((text) => base64url(text)),
  fc.uint8Array().map((bytes) => base64url(bytes)),
  fc.string({ unit: "binary" }),
  fc.constantFrom("", "=", "e30=", "e3 0", "e30\n", "-_-_", "+/+/"),
);
/** Often enough a header that is right, so that what is behind it is looked at. */
const soundHeader = fc.constantFrom(
  '{"alg":"HS256","typ":"at+jwt"}',
  '{"typ":"at+jwt","alg":"HS256","jku":"https://e.example"}',
);
const wellSigned = fc.tuple(fc.oneof(soundHeader, header, oddJson), fc.oneof(claims, oddJson)).map(([head, body]) => {
  const input = `${base64url(head)}.${base64url(body)}`;
  return `${input}.${createHmac("sha256", KEY).update(input).digest("base64url")}`;
});
/** A sound token with a piece of it taken out, doubled, or replaced. */
const torn = fc
  .tuple(wellSigned, fc.nat(), fc.nat({ max: 40 }), fc.oneof(fc.constant(""), part))
  .map(([token, at, length, piece]) => {
    const start = at % (token.length + 1);
    return token.slice(0, start) + piece + token.slice(start + length);
  });
const hostile = fc.oneof(
  fc.array(part, { maxLength: 6 }).map((parts) => parts.join(".")),
  wellSigned,
  torn,
  fc.string({ unit: "binary" }),
);

/** What `attempt` answers; `undefined` for a refusal, which is the only thing that may be thrown. */
function unlessRefused<T>(attempt: () => T): T | undefined {
  try {
    return attempt();
  } catch (error) {
    expect(error).toBeInstanceOf(OAuthProxyError);
    expect(error).toMatchObject({ code: "invalid_token" });
    return undefined;
  }
}

test("RFC 7515 §5.2: whatever is sent, it is taken apart or malformed, and what is taken apart says the same to jose", () => {
  fc.assert(
    fc.property(hostile, (token) => {
      const jwt = unlessRefused(() => parseJwt(token));
      expect(readJwtClaims(token)).toEqual(jwt?.claims);
      if (jwt === undefined) return;
      expect(decodeProtectedHeader(token)).toEqual(jwt.header);
      expect(decodeJwt(token)).toEqual(jwt.claims);
      // One spelling: what was read leads back to the very text.
      expect(`${jwt.signingInput}.${base64url(jwt.signature)}`).toBe(token);
      expect(({} as Record<string, unknown>).sub).toBeUndefined();
    }),
    RUNS,
  );
});

test("RFC 8725 §3.1: nothing is opened that jose does not verify with the same key as HS256", async () => {
  const signer = new HmacSigner([KEY]);
  let opened = 0;
  await fc.assert(
    fc.asyncProperty(hostile, async (token) => {
      const found = unlessRefused(() => signer.open(token));
      if (found === undefined) return;
      opened++;
      const verified = await compactVerify(token, KEY, { algorithms: ["HS256"] });
      expect(JSON.parse(Buffer.from(verified.payload).toString())).toEqual(found.claims);
      const expected = { issuer: "https://mcp.example.com", audience: undefined, now: 1_800_000_000 };
      unlessRefused(() => checkAccessTokenClaims(found.header, found.claims, expected));
    }),
    RUNS,
  );
  // A generator that never gets so far would prove nothing.
  expect(opened).toBeGreaterThan(0);
});
