/** The presets as the documents show them: short options, and every option of the server beside them. */
import { OAuthProxy, type OAuthProxyConfig, type PresetConfig } from "@sallyport/oauth-core";
import { describe, expect, expectTypeOf, test } from "vitest";
import {
  AzureProvider,
  EntraProvider,
  entra,
  GitHubProvider,
  GoogleProvider,
  github,
  google,
  OAuthProvider,
  OIDCProvider,
  oidc,
} from "./index.ts";

const COMMON = {
  baseUrl: "https://your-server.com",
  clientId: "xxx",
  clientSecret: "your-secret",
  // A client secret as short as this one is worth a warning.
  onEvent: () => undefined,
};
const ISSUER = "https://id.example.com";

const PRESETS = {
  Google: (more = {}) => new GoogleProvider({ ...COMMON, ...more }),
  GitHub: (more = {}) => new GitHubProvider({ ...COMMON, ...more }),
  Azure: (more = {}) => new AzureProvider({ ...COMMON, tenantId: "common", ...more }),
  Entra: (more = {}) => new EntraProvider({ ...COMMON, ...more }),
  OIDC: (more = {}) => new OIDCProvider({ ...COMMON, issuer: ISSUER, ...more }),
  OAuth: (more = {}) =>
    new OAuthProvider({
      ...COMMON,
      authorizationEndpoint: `${ISSUER}/authorize`,
      tokenEndpoint: `${ISSUER}/token`,
      ...more,
    }),
};

describe.each(Object.entries(PRESETS))("%sProvider", (_, make) => {
  test("is a server of its own with the documented options alone", () => {
    const auth = make();

    expect(auth).toBeInstanceOf(OAuthProxy);
    expect(auth.getAuthorizationServerMetadata()).toMatchObject({
      issuer: "https://your-server.com",
      authorizationEndpoint: "https://your-server.com/oauth/authorize",
      tokenEndpoint: "https://your-server.com/oauth/token",
    });
  });

  test("takes the options of the server beside its own", () => {
    const auth = make({
      scopes: ["openid"],
      basePath: "/auth",
      resourceScopes: ["mcp:tools"],
      extraAuthorizationParams: { ui_locales: "de" },
    });

    const { tokenEndpoint, scopesSupported } = auth.getAuthorizationServerMetadata();
    expect(tokenEndpoint).toBe("https://your-server.com/auth/token");
    expect(scopesSupported).toEqual(expect.arrayContaining(["openid", "mcp:tools"]));
  });

  test.each(["clientId", "clientSecret"])("names %s where the environment does not have it", (option) => {
    expect(() => make({ [option]: undefined })).toThrow(expect.objectContaining({ name: "ConfigurationError" }));
    expect(() => make({ [option]: "" })).toThrow(expect.objectContaining({ name: "ConfigurationError" }));
  });
});

test("nothing that the server can do is out of a preset's reach", () => {
  type OfTheUpstream = Extract<
    keyof OAuthProxyConfig,
    `upstream${string}Endpoint` | `upstreamClient${string}` | "upstreamTokenEndpointAuthMethod" | "upstreamIssuer"
  >;
  type Unreached = Exclude<keyof OAuthProxyConfig, keyof PresetConfig | OfTheUpstream>;

  expectTypeOf<Unreached>().toEqualTypeOf<"provider" | "providers" | "scopes" | "extraAuthorizationParams">();
});

test("several providers on one server, each with a callback of its own, and one vendor twice by another id", () => {
  const application = { clientId: "xxx", clientSecret: "your-secret" };
  const providers = [
    google(application),
    github(application),
    entra(application),
    oidc({ ...application, issuer: ISSUER }),
    github({ ...application, id: "github-enterprise" }),
  ];

  expect(providers.map(({ id }) => id)).toEqual(["google", "github", "entra", "oidc", "github-enterprise"]);
  expect(
    new OAuthProxy({ baseUrl: COMMON.baseUrl, secret: "kY7pQ2vX9mB4nR8tW1zC6dF3gH5jL0sA", providers }),
  ).toBeInstanceOf(OAuthProxy);
});
