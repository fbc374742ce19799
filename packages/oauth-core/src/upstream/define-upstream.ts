/** Makes an identity provider of a description. */
import type { UpstreamProvider } from "../domain/upstream-provider.ts";
import { ConfigurationError } from "../protocol/errors.ts";
import { isScopeWord } from "../protocol/scope.ts";
import { serverUrl } from "../protocol/server-url.ts";
import type { UpstreamDescriptor, UpstreamEndpoints } from "./descriptor.ts";
import { OAuthUpstream } from "./oauth-upstream.ts";
import { isAsymmetric } from "./server-facts.ts";

/**
 * An OAuth 2.0 or OpenID Connect server as identity provider. Nothing is requested before somebody signs in.
 *
 * @example
 * ```ts
 * const acme = defineUpstream({
 *   id: "acme",
 *   name: "Acme",
 *   clientId: "our-app",
 *   clientSecret: process.env.ACME_SECRET ?? "",
 *   discovery: { issuer: "https://id.acme.example" },
 *   scopes: ["openid", "email"],
 * });
 * ```
 * @throws {ConfigurationError} naming the member that can't work
 */
export function defineUpstream(descriptor: UpstreamDescriptor): UpstreamProvider {
  check(descriptor);
  const { id, name, scopes, requiredScopes, clientSecret } = descriptor;
  return {
    id,
    name,
    scopes,
    requiredScopes,
    formPost: descriptor.responseMode === "form_post",
    clientSecret: typeof clientSecret === "string" ? clientSecret : undefined,
    create: (context) => new OAuthUpstream(descriptor, context),
  };
}

const ENDPOINTS: readonly (keyof UpstreamEndpoints)[] = ["authorization", "token", "userinfo", "revocation", "jwks"];

function check(descriptor: UpstreamDescriptor): void {
  const { clientId, clientSecret, authMethod, endpoints, discovery, scopes, requiredScopes = [] } = descriptor;
  // What usually leads here is an environment variable that isn't set.
  if (typeof clientId !== "string" || clientId === "") throw new ConfigurationError("clientId", "is missing");
  const hasSecret = typeof clientSecret === "function" || (typeof clientSecret === "string" && clientSecret !== "");
  if (!hasSecret && authMethod !== "none") throw new ConfigurationError("clientSecret", "is missing");
  for (const name of ENDPOINTS) if (endpoints?.[name] !== undefined) serverUrl(`endpoints.${name}`, endpoints[name]);
  if (discovery !== undefined) {
    if (discovery.url !== undefined) serverUrl("discovery.url", discovery.url);
    // An issuer that is a template is no URL, and then the document's address has to be given.
    else if (serverUrl("issuer", discovery.issuer).search !== "")
      throw new ConfigurationError("issuer", "must have no query");
  } else {
    for (const name of ["authorization", "token"] as const)
      if (endpoints?.[name] === undefined)
        throw new ConfigurationError(`endpoints.${name}`, "is needed without discovery");
    if (descriptor.idTokenVerifier !== undefined && endpoints?.jwks === undefined)
      throw new ConfigurationError("endpoints.jwks", "is needed to verify ID tokens without discovery");
  }
  if (descriptor.idTokenAlgorithms?.every(isAsymmetric) === false)
    throw new ConfigurationError("idTokenAlgorithms", "must be signature algorithms with a public key");
  if (!scopes.every(isScopeWord))
    throw new ConfigurationError("scopes", "has a word that RFC 6749 §3.3 does not allow");
  if (!requiredScopes.every((word) => scopes.includes(word)))
    throw new ConfigurationError("requiredScopes", "names what is not in scopes");
}
