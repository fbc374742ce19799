import { jwtVerify, SignJWT } from "jose";
import { describe, expect, test } from "vitest";
import { CLIENT_ID, DomainWorld, ISSUER, type ProcessOptions, RESOURCE } from "../../test/domain-process.ts";
import { OAuthProxyError } from "../protocol/errors.ts";
import type { NewGrant } from "./grants.ts";
import { HmacSigner, type Signer } from "./signer.ts";

const KEY = Buffer.from("the key that signs access tokens here...");
const GRANT = "AbCdEfGhIjKlMnOpQrStUvAbCdEfGhIjKlMnOpQrStUv";
const refusal = (reason: string) => expect.objectContaining({ name: "OAuthProxyError", code: "invalid_token", reason });

/** Counts how often a signature is really checked. */
class CountingSigner implements Signer {
  opened = 0;
  known = true;
  readonly #signer = new HmacSigner([KEY]);

  ready(): void {
    this.#signer.ready();
  }

  recognises(): boolean {
    return this.known;
  }

  sign(typ: string, claims: Readonly<Record<string, unknown>>): string {
    return this.#signer.sign(typ, claims);
  }

  open(token: string) {
    this.opened++;
    return this.#signer.open(token);
  }
}

async function arranged(options: ProcessOptions = {}, change: Partial<NewGrant> = {}) {
  const world = new DomainWorld();
  const signer = new CountingSigner();
  const process = world.process({ signer, ...options });
  const grant = { ...world.newGrant(change), redemption: "first" };
  await process.grants.create(GRANT, grant);
  const issue = async (scope: readonly string[] = ["read"], resources: readonly string[] = [RESOURCE]) =>
    (await process.accessTokens.issue(GRANT, grant, scope, resources)).token;
  return { world, process, signer, issue, accessTokens: process.accessTokens };
}

/** A token signed with our key, by somebody who knows it and not what belongs in it. */
const signed = (claims: Readonly<Record<string, unknown>>, header: Readonly<Record<string, unknown>> = {}) =>
  new SignJWT(claims).setProtectedHeader({ alg: "HS256", typ: "at+jwt", ...header }).sign(KEY);

const usual = {
  iss: ISSUER,
  sub: "alice",
  aud: RESOURCE,
  client_id: CLIENT_ID,
  jti: `${GRANT}.abcdefghijkl`,
  iat: 1_800_000_000,
  exp: 1_800_003_600,
};

describe("RFC 9068 §2.2: an access token", () => {
  test("has every claim that it must have, and jose verifies it", async () => {
    const { world, issue } = await arranged();
    const { payload } = await jwtVerify(await issue(["read", "write"]), KEY, {
      issuer: ISSUER,
      audience: RESOURCE,
      typ: "at+jwt",
      subject: "alice",
      requiredClaims: ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"],
      currentDate: new Date(world.now * 1000),
    });
    expect(payload).toMatchObject({ client_id: CLIENT_ID, scope: "read write", exp: world.now + 3600, iat: world.now });
    expect(payload.jti).toMatch(new RegExp(`^${GRANT}\\.`));
  });

  test("is a new one each time", async () => {
    const { issue } = await arranged();
    expect(await issue()).not.toBe(await issue());
  });

  test("for several resources names them all, and no scope is no claim", async () => {
    const { issue, accessTokens } = await arranged();
    const token = await issue([], [RESOURCE, `${ISSUER}/other`]);
    const { claims } = await accessTokens.verify(token, `${ISSUER}/other`);
    expect(claims.aud).toEqual([RESOURCE, `${ISSUER}/other`]);
    expect(claims).not.toHaveProperty("scope");
  });

  test("carries the upstream's claims, and none of them displaces ours", async () => {
    const foreign = { iss: "x", sub: "x", aud: "x", client_id: "x", scope: "admin", jti: "x", iat: 1, exp: 9e9 };
    const { issue, accessTokens } = await arranged({}, { claims: { ...foreign, roles: ["admin"] } });
    const { claims } = await accessTokens.verify(await issue(["read"]), RESOURCE);
    expect(claims).toMatchObject({ iss: ISSUER, sub: "alice", aud: RESOURCE, client_id: CLIENT_ID, scope: "read" });
    expect(claims).toMatchObject({ roles: ["admin"], exp: 1_800_003_600 });
  });

  test("tells which grant it hangs from", async () => {
    const { issue, accessTokens } = await arranged();
    expect((await accessTokens.verify(await issue(), RESOURCE)).grantId).toBe(GRANT);
  });
});

describe("RFC 9068 §4: what is no access token for us, though our key signed it", () => {
  test.each([
    ["token_expired", "that has expired", { exp: 1_800_000_000 }],
    ["token_malformed", "whose exp is text", { exp: "1800003600" }],
    ["token_malformed", "whose exp is huge text", { exp: "99999999999" }],
    ["token_malformed", "without exp", { exp: undefined }],
    ["token_malformed", "whose exp is no finite number", { exp: null }],
    ["token_not_yet_valid", "for the future", { nbf: 1_800_000_001 }],
    ["token_malformed", "whose nbf is text", { nbf: "1800000001" }],
    ["token_issuer", "of another issuer", { iss: "https://evil.example" }],
    ["token_issuer", "of an issuer that has our name as its beginning", { iss: `${ISSUER}.evil.example` }],
    ["token_issuer", "of our issuer with a slash", { iss: `${ISSUER}/` }],
    ["token_malformed", "without an issuer", { iss: undefined }],
    ["token_audience", "for another resource", { aud: `${ISSUER}/other` }],
    ["token_audience", "for a resource below ours", { aud: `${RESOURCE}/admin` }],
    ["token_audience", "for several others", { aud: [`${ISSUER}/a`, `${ISSUER}/b`] }],
    ["token_malformed", "for nobody", { aud: [] }],
    ["token_malformed", "without an audience", { aud: undefined }],
    ["token_malformed", "without a subject", { sub: undefined }],
    ["token_malformed", "without a client", { client_id: "" }],
    ["token_malformed", "whose scope is a list", { scope: ["admin"] }],
    ["token_malformed", "without an id", { jti: undefined }],
    ["token_malformed", "whose id leads to no grant", { jti: "5f2b7c8e-0000-4000-8000-000000000000" }],
    ["token_malformed", "whose id is only a grant", { jti: GRANT }],
  ])("%s: one %s", async (reason, _, change) => {
    const { accessTokens } = await arranged();
    const claims = Object.fromEntries(
      Object.entries({ ...usual, ...change }).filter(([, value]) => value !== undefined),
    );
    await expect(accessTokens.verify(await signed(claims), RESOURCE)).rejects.toThrow(refusal(reason));
  });

  test.each([undefined, "JWT", "rt+jwt", "jwt", "at+jwt;x", 1, null])("token_type_wrong: typ %j", async (typ) => {
    const { accessTokens } = await arranged();
    const header = typ === undefined ? { typ: undefined } : { typ };
    await expect(accessTokens.verify(await signed(usual, header), RESOURCE)).rejects.toThrow(
      refusal("token_type_wrong"),
    );
  });

  test.each(["at+jwt", "application/at+jwt", "AT+JWT"])("typ %s is one", async (typ) => {
    const { accessTokens } = await arranged();
    await expect(accessTokens.verify(await signed(usual, { typ }), RESOURCE)).resolves.toMatchObject({
      grantId: GRANT,
    });
  });
});

describe("verified tokens are remembered", () => {
  test("so that a signature is checked once", async () => {
    const { signer, issue, accessTokens } = await arranged();
    const token = await issue();
    const first = await accessTokens.verify(token, RESOURCE);
    expect(await accessTokens.verify(token, RESOURCE)).toEqual(first);
    expect(signer.opened).toBe(1);
  });

  test("and never beyond their expiry", async () => {
    const { world, issue, accessTokens } = await arranged();
    const token = await issue();
    world.now += 3599;
    await accessTokens.verify(token, RESOURCE);
    world.now += 1;
    await expect(accessTokens.verify(token, RESOURCE)).rejects.toThrow(refusal("token_expired"));
  });

  test("and never beyond their revocation", async () => {
    const { process, issue, accessTokens } = await arranged();
    const token = await issue();
    await accessTokens.verifyLiving(token, RESOURCE);
    await process.sessions.end(GRANT, await process.grants.living(GRANT), "client");
    await expect(accessTokens.verifyLiving(token, RESOURCE)).rejects.toThrow(refusal("token_revoked"));
  });

  test("and not where their key has been taken back", async () => {
    const { accessTokens, issue, signer } = await arranged();
    const token = await issue();
    await accessTokens.verify(token, RESOURCE);
    signer.known = false;
    await accessTokens.verify(token, RESOURCE);
    expect(signer.opened).toBe(2);
    signer.open = () => {
      throw new OAuthProxyError("token_signature");
    };
    await expect(accessTokens.verify(token, RESOURCE)).rejects.toThrow(refusal("token_signature"));
    signer.known = true;
    await expect(accessTokens.verify(token, RESOURCE)).rejects.toThrow(refusal("token_signature"));
  });

  test("and not for another resource", async () => {
    const { issue, accessTokens } = await arranged();
    const token = await issue();
    await accessTokens.verify(token, RESOURCE);
    await expect(accessTokens.verify(token, `${ISSUER}/other`)).rejects.toThrow(refusal("token_audience"));
  });

  test("as a whole: with another signature, or without one, it is not the one that is remembered", async () => {
    const { issue, accessTokens } = await arranged();
    const token = await issue();
    await accessTokens.verify(token, RESOURCE);
    for (const other of [token.slice(0, token.lastIndexOf(".") + 1), `${token.slice(0, -3)}AAA`, `${token} `]) {
      await expect(accessTokens.verify(other, RESOURCE)).rejects.toThrow(
        expect.objectContaining({ code: "invalid_token" }),
      );
    }
  });

  test("those that are refused are not", async () => {
    const { signer, accessTokens } = await arranged();
    const token = await signed({ ...usual, aud: "https://elsewhere.example" });
    for (let count = 0; count < 2; count++) {
      await expect(accessTokens.verify(token, RESOURCE)).rejects.toThrow(refusal("token_audience"));
    }
    expect(signer.opened).toBe(2);
  });

  test("up to 10,000, the oldest go first", async () => {
    const { signer, issue, accessTokens } = await arranged();
    const first = await issue();
    await accessTokens.verify(first, RESOURCE);
    let last = first;
    for (let count = 0; count < 10_000; count++) {
      last = await issue();
      await accessTokens.verify(last, RESOURCE);
    }
    const before = signer.opened;
    await accessTokens.verify(last, RESOURCE);
    expect(signer.opened - before).toBe(0);
    await accessTokens.verify(first, RESOURCE);
    expect(signer.opened - before).toBe(1);
  });

  test("and none that is very long", async () => {
    const { signer, issue, accessTokens } = await arranged({}, { claims: { groups: "x".repeat(8000) } });
    const token = await issue();
    await accessTokens.verify(token, RESOURCE);
    await accessTokens.verify(token, RESOURCE);
    expect(signer.opened).toBe(2);
  });
});

test("a token of a grant that never was opens nothing", async () => {
  const { accessTokens } = await arranged();
  const token = await signed({ ...usual, jti: "vUtSrQpOnMlKjIhGfEdCbAvUtSrQpOnMlKjIhGfEdCbA.abcdefghijkl" });
  await expect(accessTokens.verifyLiving(token, RESOURCE)).rejects.toThrow(refusal("token_revoked"));
});
