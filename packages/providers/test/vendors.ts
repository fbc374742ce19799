/** Stand-ins that behave as the vendors do, and the presets that are made for them. */
import { generateKeyPairSync, randomUUID } from "node:crypto";
import type { UpstreamOptions, UpstreamRequest, UpstreamSession } from "@sallyport/contracts/upstream";
import type { OAuthProxy } from "@sallyport/oauth-core";
import {
  AppleProvider,
  type Application,
  AtlassianProvider,
  Auth0Provider,
  AuthentikProvider,
  CognitoProvider,
  DexProvider,
  DiscordProvider,
  GitLabProvider,
  KeycloakProvider,
  LinkedInProvider,
  OktaProvider,
  SalesforceProvider,
  SlackProvider,
  ZitadelProvider,
} from "../src/index.ts";
import { CLIENT_ID, type Common, open, type World } from "./world.ts";

type Members = Readonly<Record<string, unknown>>;

/** One vendor: how it behaves, the preset that copes with it, and what is to come of it. */
export interface Vendor {
  readonly upstream: UpstreamOptions;
  readonly make: (common: Common & Pick<Application, "scopes">) => OAuthProxy;
  readonly expected: {
    readonly authorization: string;
    /** Of the authorization request. */
    readonly scope: string;
    readonly params: Readonly<Record<string, string>>;
    readonly pkce: boolean;
    readonly subject: string;
    /** Of our access token; `undefined` for one that must not be there. */
    readonly claims: Members;
    /** Whether the ID token is what says who it is. */
    readonly openid: boolean;
    /** Whether the default scopes bring a refresh token. */
    readonly refreshes: boolean;
    /** The kinds of token that are named when a grant ends, each in a request of its own; or the address where the vendor wants the access token. */
    readonly revokes: readonly string[];
  };
}

/** Seconds for which the stand-ins' access tokens are good. */
export const TTL = 600;

const asksOffline = ({ scope }: UpstreamSession): boolean => scope.includes("offline_access");

/** What UserInfo has and the ID token has not, in the way that OpenID Connect Core §5.4 means it. */
const thinIdToken: UpstreamOptions["idToken"] = (token) => {
  const { name, email, email_verified, picture, groups, organization_id, ...claims } = token.claims;
  const urns = Object.keys(claims).filter((claim) => claim.startsWith("urn:zitadel:"));
  return { ...token, claims: { ...claims, ...Object.fromEntries(urns.map((claim) => [claim, undefined])) } };
};

const ALICE = {
  sub: "alice",
  name: "Alice Example",
  email: "alice@example.com",
  email_verified: true,
  picture: "https://id.example.com/alice.png",
} as const;
const PROFILE = { name: ALICE.name, email: ALICE.email, email_verified: true, picture: ALICE.picture };

export const APPLE_KEYS = generateKeyPairSync("ec", { namedCurve: "P-256" });

const POOL = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab12Cd34E";
const POOL_DOMAIN = "https://acme.auth.eu-central-1.amazoncognito.com/oauth2";
const REALM = "https://id.example.com/realms/tools";
const ZITADEL_ROLES = "urn:zitadel:iam:org:project:roles";
const ZITADEL_OWNER = "urn:zitadel:iam:user:resourceowner:id";

export const VENDORS = {
  auth0: {
    upstream: {
      issuer: "https://acme.eu.auth0.com/",
      endpoints: {
        token: "https://acme.eu.auth0.com/oauth/token",
        revocation: "https://acme.eu.auth0.com/oauth/revoke",
      },
      person: { ...ALICE, sub: "auth0|65a1", org_id: "org_acme" },
      accessTokenTtl: TTL,
      givesRefreshToken: asksOffline,
    },
    make: (common) =>
      new Auth0Provider({ ...common, domain: "acme.eu.auth0.com", audience: "https://api.acme.example" }),
    expected: {
      authorization: "https://acme.eu.auth0.com/authorize",
      scope: "openid profile email offline_access",
      params: { audience: "https://api.acme.example" },
      pkce: true,
      subject: "auth0|auth0|65a1",
      claims: { ...PROFILE, roles: undefined, groups: undefined },
      openid: true,
      refreshes: true,
      revokes: ["refresh_token"],
    },
  },
  okta: {
    upstream: {
      issuer: "https://acme.okta.com/oauth2/default",
      endpoints: {
        authorization: "https://acme.okta.com/oauth2/default/v1/authorize",
        token: "https://acme.okta.com/oauth2/default/v1/token",
      },
      person: { ...ALICE, sub: "00uixa271s6x7qt8I0h7", groups: ["Everyone", "IT"] },
      idToken: thinIdToken,
      accessTokenTtl: TTL,
      givesRefreshToken: asksOffline,
    },
    make: (common) => new OktaProvider({ ...common, domain: "acme.okta.com" }),
    expected: {
      authorization: "https://acme.okta.com/oauth2/default/v1/authorize",
      scope: "openid profile email offline_access",
      params: {},
      pkce: true,
      subject: "okta|00uixa271s6x7qt8I0h7",
      claims: { ...PROFILE, groups: ["Everyone", "IT"], roles: ["Everyone", "IT"] },
      openid: true,
      refreshes: true,
      revokes: ["refresh_token", "access_token"],
    },
  },
  keycloak: {
    upstream: {
      issuer: REALM,
      endpoints: {
        authorization: `${REALM}/protocol/openid-connect/auth`,
        token: `${REALM}/protocol/openid-connect/token`,
        revocation: `${REALM}/protocol/openid-connect/revoke`,
      },
      person: { ...ALICE, sub: "b7e1c0de-0000-4000-8000-000000000001" },
      accessToken: ({ person }) => ({
        sub: person["sub"],
        jti: randomUUID(),
        azp: CLIENT_ID,
        realm_access: { roles: ["staff"] },
        resource_access: { [CLIENT_ID]: { roles: ["editor"] }, account: { roles: ["admin"] } },
      }),
      token: (answer) => ({
        json: { ...answer, refresh_expires_in: 1800, "not-before-policy": 0, session_state: "s" },
      }),
      accessTokenTtl: TTL,
    },
    make: (common) => new KeycloakProvider({ ...common, realmUrl: REALM }),
    expected: {
      authorization: `${REALM}/protocol/openid-connect/auth`,
      scope: "openid profile email",
      params: {},
      pkce: true,
      subject: "keycloak|b7e1c0de-0000-4000-8000-000000000001",
      claims: { ...PROFILE, roles: ["staff", "editor"] },
      openid: true,
      refreshes: true,
      revokes: ["refresh_token", "access_token"],
    },
  },
  cognito: {
    upstream: {
      issuer: POOL,
      endpoints: {
        authorization: `${POOL_DOMAIN}/authorize`,
        token: `${POOL_DOMAIN}/token`,
        userinfo: `${POOL_DOMAIN}/userInfo`,
        revocation: `${POOL_DOMAIN}/revoke`,
        jwks: `${POOL}/.well-known/jwks.json`,
      },
      person: { ...ALICE, sub: "a3c4e5f6-1111", "cognito:groups": ["tools"], "cognito:username": "alice" },
      accessToken: ({ person }) => ({
        sub: person["sub"],
        jti: randomUUID(),
        iss: POOL,
        client_id: CLIENT_ID,
        token_use: "access",
        exp: 1_900_000_000,
        "cognito:groups": ["tools"],
      }),
      revocation: ({ form }) =>
        form.get("token_type_hint") === "refresh_token"
          ? { status: 200 }
          : { status: 400, json: { error: "unsupported_token_type" } },
      accessTokenTtl: TTL,
      rotatesRefreshTokens: false,
    },
    make: (common) => new CognitoProvider({ ...common, userPoolId: "eu-central-1_Ab12Cd34E" }),
    expected: {
      authorization: `${POOL_DOMAIN}/authorize`,
      scope: "openid profile email",
      params: {},
      pkce: true,
      subject: "cognito|a3c4e5f6-1111",
      claims: { ...PROFILE, groups: ["tools"], roles: ["tools"] },
      openid: true,
      refreshes: true,
      revokes: ["refresh_token"],
    },
  },
  gitlab: {
    upstream: {
      issuer: "https://gitlab.com",
      endpoints: {
        authorization: "https://gitlab.com/oauth/authorize",
        token: "https://gitlab.com/oauth/token",
        userinfo: "https://gitlab.com/oauth/userinfo",
        revocation: "https://gitlab.com/oauth/revoke",
      },
      person: { ...ALICE, sub: "1234567", groups: ["acme", "acme/tools"] },
      idToken: (token, request) => {
        const thin = thinIdToken?.(token, request);
        return typeof thin === "object" ? { ...thin, claims: { ...thin.claims, groups_direct: ["acme/tools"] } } : thin;
      },
      accessTokenTtl: TTL,
    },
    make: (common) => new GitLabProvider(common),
    expected: {
      authorization: "https://gitlab.com/oauth/authorize",
      scope: "openid profile email",
      params: {},
      pkce: true,
      subject: "gitlab|1234567",
      claims: { ...PROFILE, groups: ["acme", "acme/tools"], roles: undefined },
      openid: true,
      refreshes: true,
      revokes: ["refresh_token", "access_token"],
    },
  },
  slack: {
    upstream: {
      issuer: "https://slack.com",
      endpoints: {
        authorization: "https://slack.com/openid/connect/authorize",
        token: "https://slack.com/api/openid.connect.token",
        userinfo: "https://slack.com/api/openid.connect.userInfo",
        revocation: false,
      },
      routes: { "https://slack.com/api/auth.revoke": () => ({ json: { ok: true, revoked: true } }) },
      authMethod: "client_secret_post",
      person: {
        ...ALICE,
        sub: "U0R7MFMJM",
        "https://slack.com/team_id": "T0R7GR4EE",
        "https://slack.com/user_id": "U0R7MFMJM",
      },
      token: (answer) => ({ json: { ok: true, ...answer } }),
      refusal: (answer) => ({
        json: { ok: false, error: answer["error"] === "invalid_grant" ? "invalid_code" : answer["error"] },
      }),
      userinfo: (answer) => ({ json: { ok: true, ...answer } }),
      accessTokenTtl: TTL,
    },
    make: (common) => new SlackProvider(common),
    expected: {
      authorization: "https://slack.com/openid/connect/authorize",
      scope: "openid profile email",
      params: {},
      pkce: false,
      subject: "slack|T0R7GR4EE.U0R7MFMJM",
      claims: PROFILE,
      openid: true,
      refreshes: true,
      revokes: ["https://slack.com/api/auth.revoke"],
    },
  },
  discord: {
    upstream: {
      issuer: "https://discord.com",
      endpoints: {
        authorization: "https://discord.com/oauth2/authorize",
        token: "https://discord.com/api/oauth2/token",
        userinfo: "https://discord.com/api/users/@me",
        revocation: "https://discord.com/api/oauth2/token/revoke",
        discovery: false,
        jwks: false,
      },
      person: {
        id: "80351110224678912",
        username: "nelly",
        global_name: "Nelly",
        avatar: "8342729096ea3675442027381ff50dfe",
        email: "nelly@example.com",
        verified: true,
        locale: "en-US",
        mfa_enabled: true,
      },
      accessTokenTtl: TTL,
    },
    make: (common) => new DiscordProvider(common),
    expected: {
      authorization: "https://discord.com/oauth2/authorize",
      scope: "identify email",
      params: {},
      pkce: true,
      subject: "discord|80351110224678912",
      claims: {
        name: "Nelly",
        email: "nelly@example.com",
        email_verified: true,
        picture: "https://cdn.discordapp.com/avatars/80351110224678912/8342729096ea3675442027381ff50dfe.png",
      },
      openid: false,
      refreshes: true,
      revokes: ["refresh_token"],
    },
  },
  linkedin: {
    upstream: {
      issuer: "https://www.linkedin.com/oauth",
      endpoints: {
        authorization: "https://www.linkedin.com/oauth/v2/authorization",
        token: "https://www.linkedin.com/oauth/v2/accessToken",
        userinfo: "https://api.linkedin.com/v2/userinfo",
        revocation: false,
      },
      authMethod: "client_secret_post",
      person: { ...ALICE, sub: "782bbtaQ", locale: { country: "US", language: "en" } },
      // No nonce, whatever was sent; and PKCE is for applications of another kind.
      idToken: (token) => ({ ...token, claims: { ...token.claims, nonce: undefined } }),
      token: (answer, { form }) =>
        form.has("code_verifier")
          ? { status: 401, json: { error: "invalid_client" } }
          : { json: { ...answer, scope: "email,openid,profile" } },
      accessTokenTtl: TTL,
      givesRefreshToken: () => false,
    },
    make: (common) => new LinkedInProvider(common),
    expected: {
      authorization: "https://www.linkedin.com/oauth/v2/authorization",
      scope: "openid profile email",
      params: {},
      pkce: false,
      subject: "linkedin|782bbtaQ",
      claims: { ...PROFILE, locale: undefined },
      openid: false,
      refreshes: false,
      revokes: [],
    },
  },
  atlassian: {
    upstream: {
      issuer: "https://auth.atlassian.com",
      endpoints: {
        token: "https://auth.atlassian.com/oauth/token",
        userinfo: "https://api.atlassian.com/me",
        revocation: false,
        discovery: false,
        jwks: false,
      },
      authMethod: "client_secret_post",
      person: {
        account_type: "atlassian",
        account_id: "112233aa-bb11-cc22-33dd-445566abcabc",
        email: "mia@example.com",
        name: "Mia Example",
        picture: "https://avatar.example.com/mia",
        account_status: "active",
      },
      accessToken: () => ({
        jti: randomUUID(),
        sub: "another-name-of-hers",
        aud: "api.atlassian.com",
        name: "not hers",
      }),
      token: (answer) => ({ json: { ...answer, scope: "offline_access read:me" } }),
      accessTokenTtl: TTL,
      givesRefreshToken: asksOffline,
    },
    make: (common) => new AtlassianProvider(common),
    expected: {
      authorization: "https://auth.atlassian.com/authorize",
      scope: "read:me offline_access",
      params: { audience: "api.atlassian.com", prompt: "consent" },
      pkce: true,
      subject: "atlassian|112233aa-bb11-cc22-33dd-445566abcabc",
      claims: { name: "Mia Example", email: "mia@example.com", email_verified: undefined },
      openid: false,
      refreshes: true,
      revokes: [],
    },
  },
  salesforce: {
    upstream: {
      issuer: "https://login.salesforce.com",
      endpoints: {
        authorization: "https://login.salesforce.com/services/oauth2/authorize",
        token: "https://login.salesforce.com/services/oauth2/token",
        userinfo: "https://login.salesforce.com/services/oauth2/userinfo",
        revocation: "https://login.salesforce.com/services/oauth2/revoke",
        jwks: "https://login.salesforce.com/id/keys",
      },
      person: {
        ...ALICE,
        sub: "https://login.salesforce.com/id/00Dx0000000BV7z/005x00000012Q9P",
        user_id: "005x00000012Q9P",
        organization_id: "00Dx0000000BV7z",
      },
      idToken: thinIdToken,
      token: ({ expires_in, ...answer }) => ({
        json: {
          ...answer,
          scope: "refresh_token openid email profile",
          instance_url: "https://acme.my.salesforce.com",
          id: "https://login.salesforce.com/id/00Dx0000000BV7z/005x00000012Q9P",
          issued_at: "1800000000000",
          signature: "c2lnbmF0dXJl",
        },
      }),
      givesRefreshToken: asksOffline,
    },
    make: (common) => new SalesforceProvider({ ...common, sessionTimeout: TTL }),
    expected: {
      authorization: "https://login.salesforce.com/services/oauth2/authorize",
      scope: "openid profile email offline_access",
      params: {},
      pkce: true,
      subject: "salesforce|https://login.salesforce.com/id/00Dx0000000BV7z/005x00000012Q9P",
      claims: { ...PROFILE, instance_url: "https://acme.my.salesforce.com" },
      openid: true,
      refreshes: true,
      revokes: ["refresh_token", "access_token"],
    },
  },
  apple: {
    upstream: {
      issuer: "https://appleid.apple.com",
      endpoints: {
        authorization: "https://appleid.apple.com/auth/authorize",
        token: "https://appleid.apple.com/auth/token",
        userinfo: false,
        revocation: "https://appleid.apple.com/auth/revoke",
        jwks: "https://appleid.apple.com/auth/keys",
      },
      authMethod: "client_secret_post",
      clientSecret: undefined,
      person: {
        sub: "001234.5b3a3bdf.0001",
        email: "a1b2c3@privaterelay.appleid.com",
        email_verified: "true",
        is_private_email: "true",
      },
      authorization: (parameters) => ({
        ...parameters,
        user: '{"name":{"firstName":"Alice","lastName":"Example"},"email":"a1b2c3@privaterelay.appleid.com"}',
      }),
      accessTokenTtl: TTL,
      rotatesRefreshTokens: false,
    },
    make: ({ clientSecret, ...common }) =>
      new AppleProvider({
        ...common,
        secret: common.secret ?? "",
        teamId: "TEAM123456",
        keyId: "KEY1234567",
        privateKey: APPLE_KEYS.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
      }),
    expected: {
      authorization: "https://appleid.apple.com/auth/authorize",
      scope: "openid name email",
      params: { response_mode: "form_post" },
      pkce: false,
      subject: "apple|001234.5b3a3bdf.0001",
      claims: { email: "a1b2c3@privaterelay.appleid.com", email_verified: true, name: undefined },
      openid: true,
      refreshes: true,
      revokes: ["refresh_token", "access_token"],
    },
  },
  zitadel: {
    upstream: {
      issuer: "https://acme.zitadel.cloud",
      endpoints: {
        authorization: "https://acme.zitadel.cloud/oauth/v2/authorize",
        token: "https://acme.zitadel.cloud/oauth/v2/token",
        userinfo: "https://acme.zitadel.cloud/oidc/v1/userinfo",
        revocation: "https://acme.zitadel.cloud/oauth/v2/revoke",
      },
      person: {
        ...ALICE,
        sub: "163840776835432705",
        [ZITADEL_OWNER]: "160001",
        [ZITADEL_ROLES]: { editor: { "160001": "acme.zitadel.cloud" }, viewer: { "170002": "other.zitadel.cloud" } },
      },
      idToken: thinIdToken,
      accessTokenTtl: TTL,
      givesRefreshToken: asksOffline,
    },
    make: (common) => new ZitadelProvider({ ...common, instanceUrl: "https://acme.zitadel.cloud/" }),
    expected: {
      authorization: "https://acme.zitadel.cloud/oauth/v2/authorize",
      scope: "openid urn:zitadel:iam:user:resourceowner profile email offline_access",
      params: {},
      pkce: true,
      subject: "zitadel|163840776835432705",
      claims: { ...PROFILE, roles: ["editor", "viewer"] },
      openid: true,
      refreshes: true,
      revokes: ["refresh_token", "access_token"],
    },
  },
  authentik: {
    upstream: {
      issuer: "https://sso.example.com/application/o/tools/",
      endpoints: {
        authorization: "https://sso.example.com/application/o/authorize/",
        token: "https://sso.example.com/application/o/token/",
        userinfo: "https://sso.example.com/application/o/userinfo/",
        revocation: "https://sso.example.com/application/o/revoke/",
      },
      person: { ...ALICE, sub: "9d3f8a", email_verified: false, groups: ["authentik Admins"] },
      accessTokenTtl: TTL,
      givesRefreshToken: asksOffline,
    },
    make: (common) =>
      new AuthentikProvider({ ...common, authentikUrl: "https://sso.example.com", application: "tools" }),
    expected: {
      authorization: "https://sso.example.com/application/o/authorize/",
      scope: "openid profile email offline_access",
      params: {},
      pkce: true,
      subject: "authentik|9d3f8a",
      claims: { ...PROFILE, email_verified: false, groups: ["authentik Admins"], roles: ["authentik Admins"] },
      openid: true,
      refreshes: true,
      revokes: ["refresh_token", "access_token"],
    },
  },
  dex: {
    upstream: {
      issuer: "https://dex.example.com/dex",
      endpoints: {
        authorization: "https://dex.example.com/dex/auth",
        token: "https://dex.example.com/dex/token",
        revocation: false,
      },
      person: {
        ...ALICE,
        sub: "CgU0Njg5NhIGZ2l0aHVi",
        groups: ["acme:tools"],
        federated_claims: { connector_id: "github", user_id: "46896" },
      },
      accessTokenTtl: TTL,
      givesRefreshToken: asksOffline,
    },
    make: (common) => new DexProvider({ ...common, issuer: "https://dex.example.com/dex" }),
    expected: {
      authorization: "https://dex.example.com/dex/auth",
      scope: "openid federated:id groups profile email offline_access",
      params: {},
      pkce: true,
      subject: "dex|CgU0Njg5NhIGZ2l0aHVi",
      claims: { ...PROFILE, groups: ["acme:tools"], roles: undefined },
      openid: true,
      refreshes: true,
      revokes: [],
    },
  },
} as const satisfies Readonly<Record<string, Vendor>>;

/** A server with a vendor's preset, or another preset for it, before a stand-in that behaves as the vendor does, but for what is named. */
export function openVendor(
  vendor: Vendor,
  upstream: UpstreamOptions = {},
  make: Vendor["make"] = vendor.make,
): Promise<World> {
  // Keys of elliptic curves are made faster; which algorithm it is comes from the discovery document.
  return open({ algorithm: "ES256", ...vendor.upstream, ...upstream }, make);
}

/** The claims of a vendor's person, with some changed. A member that is `undefined` is left out. */
export function personLike({ upstream }: Vendor, claims: Members): Members {
  const person: Members = typeof upstream.person === "object" ? upstream.person : {};
  return JSON.parse(JSON.stringify({ ...person, ...claims })) as Members;
}

/** The kinds of token that revocation requests named. */
export function kindsOf(requests: readonly UpstreamRequest[]): readonly (string | null)[] {
  return requests.map(({ form }) => form.get("token_type_hint"));
}
