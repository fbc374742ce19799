/** Apple, against a stand-in that behaves as Apple does. */
import { generateKeyPairSync, verify } from "node:crypto";
import { expect, test } from "vitest";
import { APPLE_KEYS, openVendor, personLike, VENDORS } from "../test/vendors.ts";
import { BASE_URL, CLIENT_ID } from "../test/world.ts";
import { type AppleOptions, AppleProvider, apple } from "./apple.ts";

const pem = APPLE_KEYS.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const OPTIONS: AppleOptions = { clientId: CLIENT_ID, teamId: "TEAM123456", keyId: "KEY1234567", privateKey: pem };

/** Checked as Apple checks it. */
function readSecret(jwt: string): { header: Record<string, unknown>; claims: Record<string, unknown>; good: boolean } {
  const [header = "", claims = "", signature = ""] = jwt.split(".");
  const read = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString()) as Record<string, unknown>;
  const key = { key: APPLE_KEYS.publicKey, dsaEncoding: "ieee-p1363" as const };
  const good = verify("sha256", Buffer.from(`${header}.${claims}`), key, Buffer.from(signature, "base64url"));
  return { header: read(header), claims: read(claims), good };
}

test("the client secret is a JWT that is signed with our key, and short-lived", async () => {
  const world = await openVendor(VENDORS.apple);
  await world.signIn();
  const [request] = world.upstream.requestsTo("token");
  const { header, claims, good } = readSecret(request?.form.get("client_secret") ?? "");
  expect(good).toBe(true);
  expect(header).toEqual({ alg: "ES256", kid: "KEY1234567" });
  expect(claims).toEqual({
    iss: "TEAM123456",
    sub: CLIENT_ID,
    aud: "https://appleid.apple.com",
    iat: world.now,
    exp: world.now + 300,
  });
});

test("each request has a secret of its own time: also long after the start, and when tokens are revoked", async () => {
  const world = await openVendor(VENDORS.apple);
  await world.signIn();
  world.pass(595);
  await world.upstreamTokens();
  await world.revoke();
  const requests = [...world.upstream.requestsTo("token").slice(1), ...world.upstream.requestsTo("revocation")];
  expect(requests).toHaveLength(3);
  for (const { form } of requests) expect(readSecret(form.get("client_secret") ?? "").claims["iat"]).toBe(world.now);
});

test("the answer is posted; the name that Apple tells once beside it is not carried", async () => {
  const world = await openVendor(VENDORS.apple);
  const { url } = await world.begin();
  const { form } = await world.upstream.visit(url.href);
  expect(form?.get("user")).toContain("Alice");
  const { claims, shown } = await world.signIn();
  expect(claims["sub"]).toBe("apple|001234.5b3a3bdf.0001");
  expect(shown).not.toContain("Alice");
});

test.each([
  ["true", true],
  [true, true],
  ["false", false],
  [false, false],
  ["1", false],
])("email_verified %j is %j", async (said, meant) => {
  const world = await openVendor(VENDORS.apple, { person: personLike(VENDORS.apple, { email_verified: said }) });
  expect((await world.signIn()).claims["email_verified"]).toBe(meant);
});

test("a key that came through an environment variable, with its line breaks written out, is a key", () => {
  expect(() => apple({ ...OPTIONS, privateKey: pem.replaceAll("\n", "\\n") })).not.toThrow();
});

test.each([
  ["teamId", { teamId: "" }],
  ["keyId", { keyId: "" }],
  ["privateKey", { privateKey: "" }],
  ["privateKey", { privateKey: "-----BEGIN PRIVATE KEY-----\nc2VjcmV0LXRoaW5n\n-----END PRIVATE KEY-----" }],
  ["privateKey", { privateKey: APPLE_KEYS.publicKey.export({ type: "spki", format: "pem" }).toString() }],
  [
    "privateKey",
    {
      privateKey: generateKeyPairSync("ec", { namedCurve: "P-384" })
        .privateKey.export({ type: "pkcs8", format: "pem" })
        .toString(),
    },
  ],
  [
    "privateKey",
    { privateKey: generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString() },
  ],
])("an unusable %s is an error at the start, which does not quote it", (option, wrong) => {
  const make = () => apple({ ...OPTIONS, ...wrong });
  expect(make).toThrow(option);
  expect(make).not.toThrow(/c2VjcmV0|BEGIN/);
});

test("without a secret of ours there is nothing to derive keys from, and that is an error at the start", () => {
  expect(() => new AppleProvider({ ...OPTIONS, baseUrl: BASE_URL, secret: [] })).toThrow(/secret/);
});
