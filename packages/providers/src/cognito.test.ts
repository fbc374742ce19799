/** Amazon Cognito, against a stand-in that behaves as Cognito does. */
import { requireRole } from "@sallyport/oauth-core";
import { ConfigurationError } from "@sallyport/oauth-core/upstream";
import { expect, test } from "vitest";
import { openVendor, personLike, VENDORS } from "../test/vendors.ts";
import { CLIENT_ID, CLIENT_SECRET } from "../test/world.ts";
import { CognitoProvider, cognito, cognitoTokenVerifier } from "./cognito.ts";

const ISSUER = VENDORS.cognito.upstream.issuer;
const ACCESS = { client_id: CLIENT_ID, token_use: "access" };

test.each([
  ["of another application", { client_id: "another-app", token_use: "access" }],
  ["without client_id", { token_use: "access" }],
  ["that is an ID token", { client_id: CLIENT_ID, aud: CLIENT_ID, token_use: "id" }],
])("an access token %s is refused, because it has no aud to tell", async (_what, claims) => {
  const world = await openVendor(VENDORS.cognito, { accessToken: () => claims });
  expect(await world.signIn()).toMatchObject({ tokens: undefined, reason: "upstream_identity" });
});

test("groups of the pool are roles", async () => {
  const world = await openVendor(VENDORS.cognito);
  const { claims } = await world.signIn();
  expect(requireRole("tools")({ claims })).toBe(true);
});

test("groups that only the access token has are groups", async () => {
  const world = await openVendor(VENDORS.cognito, {
    person: personLike(VENDORS.cognito, { "cognito:groups": undefined }),
    accessToken: () => ({ ...ACCESS, "cognito:groups": ["late"] }),
  });
  expect((await world.signIn()).claims).toMatchObject({ groups: ["late"], roles: ["late"] });
});

test("an address counts as verified also where Cognito writes it as text", async () => {
  const world = await openVendor(VENDORS.cognito, { person: personLike(VENDORS.cognito, { email_verified: "true" }) });
  expect((await world.signIn()).claims["email_verified"]).toBe(true);
});

test("cognitoTokenVerifier takes our application's access tokens, and neither another's nor ID tokens", async () => {
  const world = await openVendor(VENDORS.cognito, { algorithm: "RS256" });
  const { fetch } = world.upstream;
  const verifier = cognitoTokenVerifier({
    userPoolId: "eu-central-1_Ab12Cd34E",
    clientId: CLIENT_ID,
    runtime: { now: () => world.now, fetch },
  });
  const token = (claims: object) => world.upstream.sign({ iss: ISSUER, sub: "alice", exp: world.now + 60, ...claims });
  expect(await verifier.verify(token(ACCESS))).toMatchObject({ valid: true });
  expect(await verifier.verify(token({ ...ACCESS, client_id: "another-app" }))).toMatchObject({ valid: false });
  expect(await verifier.verify(token({ aud: CLIENT_ID, token_use: "id" }))).toMatchObject({ valid: false });
  expect(await verifier.verify(token({ ...ACCESS, iss: "https://evil.example" }))).toMatchObject({ valid: false });
});

test("a pool in China has its issuer there", async () => {
  const issuer = "https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_Ab12Cd34E";
  const auth = (common: ConstructorParameters<typeof CognitoProvider>[0]) => new CognitoProvider(common);
  const world = await openVendor(VENDORS.cognito, { issuer, endpoints: {} }, (common) =>
    auth({ ...common, userPoolId: "cn-north-1_Ab12Cd34E" }),
  );
  expect((await world.signIn()).tokens).toBeDefined();
});

test.each(["", "Ab12Cd34E", "eu-central-1_", "eu-central-1_a/../b", "evil.example/x_1"])(
  "%j is no user pool, and an error at the start",
  (userPoolId) => {
    expect(() => cognito({ clientId: CLIENT_ID, clientSecret: CLIENT_SECRET, userPoolId })).toThrow(ConfigurationError);
    expect(() => cognitoTokenVerifier({ clientId: CLIENT_ID, userPoolId })).toThrow(/userPoolId/);
  },
);
