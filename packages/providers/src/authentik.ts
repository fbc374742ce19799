/** authentik: an issuer for each application. */
import { OAuthProxy, type PresetConfig } from "@sallyport/oauth-core";
import { defineUpstream, type UpstreamProvider } from "@sallyport/oauth-core/upstream";
import { withProvider } from "./application.ts";
import { verifySignature } from "./id-token-signature.ts";
import { personByIdToken } from "./openid-person.ts";
import { type VendorOptions, vendor } from "./vendor.ts";
import { baseOf, given } from "./vendor-address.ts";

/** The options of {@link authentik}. Default scopes: `openid profile email offline_access`, of which the provider in authentik needs the mappings. */
export interface AuthentikOptions extends VendorOptions {
  /** The server: `https://sso.example.com`. */
  readonly authentikUrl: string;
  /** The slug of the application. */
  readonly application: string;
  /** The provider's issuer mode. `global`: all applications share one issuer. Default: `per_provider`, as is authentik's. */
  readonly issuerMode?: "per_provider" | "global" | undefined;
}

/**
 * Signs people in with authentik.
 *
 * Roles are those of the scope `entitlements`; where there are none, groups are roles as well, because only administrators can make one. Leave the subject
 * mode at an id: by address or user name, a person who takes another's old one becomes them.
 *
 * Danger: before its 2025.10 authentik called every address verified, also where people write their own. Look at its mapping before you let in by address.
 *
 * @throws {ConfigurationError} naming the option that can't work
 * @see {@link https://docs.goauthentik.io/add-secure-apps/providers/oauth2/ authentik: OAuth 2.0 provider}
 * @see {@link https://docs.goauthentik.io/add-secure-apps/providers/oauth2/verify-email-address/ authentik: verify email addresses}
 */
export function authentik(options: AuthentikOptions): UpstreamProvider {
  const { authentikUrl, application, issuerMode = "per_provider" } = options;
  const base = baseOf("authentikUrl", authentikUrl);
  // The slash is part of the issuer, which tokens are compared with character by character.
  const place = `${base}/application/o/${encodeURIComponent(given("application", application))}/`;
  const scopes = ["openid", "profile", "email", "offline_access"];
  return defineUpstream({
    ...vendor(options, { id: "authentik", name: "authentik", scopes, needs: ["openid"] }),
    discovery: {
      issuer: issuerMode === "global" ? `${base}/` : place,
      url: `${place}.well-known/openid-configuration`,
    },
    idTokenVerifier: verifySignature,
    identify: (sources) => {
      const { groups, roles = groups, ...person } = personByIdToken(sources);
      return { ...person, groups, roles };
    },
  });
}

/** The options of {@link AuthentikProvider}: every one of the server, and those of {@link authentik}. */
export interface AuthentikProviderConfig extends PresetConfig, AuthentikOptions {}

/** A server whose people sign in with authentik. */
export class AuthentikProvider extends OAuthProxy {
  /** @throws {ConfigurationError} naming the option that can't work */
  constructor(config: AuthentikProviderConfig) {
    super(withProvider(config, authentik(config)));
  }
}
