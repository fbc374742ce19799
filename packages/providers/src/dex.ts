/** Dex: OpenID Connect in front of other directories. */
import { OAuthProxy, type PresetConfig } from "@sallyport/oauth-core";
import { defineUpstream, type UpstreamProvider } from "@sallyport/oauth-core/upstream";
import { withProvider } from "./application.ts";
import { verifySignature } from "./id-token-signature.ts";
import { claimsIn, namesIn, personByIdToken } from "./openid-person.ts";
import { type VendorOptions, vendor } from "./vendor.ts";
import { baseOf } from "./vendor-address.ts";

/** The options of {@link dex}. Default scopes: `openid profile email groups offline_access`; `federated:id` is always added. */
export interface DexOptions extends VendorOptions {
  /** The issuer, as Dex is configured with it: `https://dex.example.com`. */
  readonly issuer: string;
}

/**
 * Signs people in with Dex.
 *
 * `tenant` is the connector through which a person came: name it beside groups in `allow`, because each connector has groups of its own. They are no roles, because
 * some connectors bring groups that anybody can found.
 *
 * @throws {ConfigurationError} naming the option that can't work
 * @see {@link https://dexidp.io/docs/configuration/custom-scopes-claims-clients/ Dex: scopes and claims}
 */
export function dex(options: DexOptions): UpstreamProvider {
  const scopes = ["openid", "profile", "email", "groups", "offline_access"];
  const needs = ["openid", "federated:id", ...((options.scopes ?? scopes).includes("groups") ? ["groups"] : [])];
  return defineUpstream({
    ...vendor(options, { id: "dex", name: "Dex", scopes, needs }),
    discovery: { issuer: baseOf("issuer", options.issuer) },
    idTokenVerifier: verifySignature,
    // https://github.com/dexidp/dex/blob/master/server/refreshhandlers.go: so it calls a refresh token that has expired or was used before.
    endsSession: ["invalid_request"],
    identify: (sources) => {
      const connector = claimsIn(sources.idToken?.federated_claims)?.connector_id;
      return { ...personByIdToken(sources), tenant: namesIn(connector)?.[0] };
    },
  });
}

/** The options of {@link DexProvider}: every one of the server, and those of {@link dex}. */
export interface DexProviderConfig extends PresetConfig, DexOptions {}

/** A server whose people sign in with Dex. */
export class DexProvider extends OAuthProxy {
  /** @throws {ConfigurationError} naming the option that can't work */
  constructor(config: DexProviderConfig) {
    super(withProvider(config, dex(config)));
  }
}
