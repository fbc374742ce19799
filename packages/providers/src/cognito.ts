/** Amazon Cognito: one user pool. */

import { JWKSVerifier, type JWKSVerifierConfig } from "@sallyport/jwks";
import { OAuthProxy, type PresetConfig } from "@sallyport/oauth-core";
import { ConfigurationError, defineUpstream, type UpstreamProvider } from "@sallyport/oauth-core/upstream";
import { withProvider } from "./application.ts";
import { verifySignature } from "./id-token-signature.ts";
import { namesIn, personByIdToken, refused } from "./openid-person.ts";
import { type VendorOptions, vendor } from "./vendor.ts";

/** The options of {@link cognito}. Default scopes: `openid profile email`; refresh tokens come without a scope of their own. */
export interface CognitoOptions extends VendorOptions {
  /** The user pool: `eu-central-1_Ab12Cd34E`. It needs a domain; which, its discovery document says. */
  readonly userPoolId: string;
}

/**
 * Signs people in with Amazon Cognito.
 *
 * `cognito:groups` are groups, and roles as well: only administrators of the pool can make one.
 *
 * @throws {ConfigurationError} naming the option that can't work
 * @see {@link https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html Cognito: the access token}
 * @see {@link https://docs.aws.amazon.com/cognito/latest/developerguide/revocation-endpoint.html Cognito: the revocation endpoint}
 */
export function cognito(options: CognitoOptions): UpstreamProvider {
  const { clientId, userPoolId } = options;
  return defineUpstream({
    ...vendor(options, {
      id: "cognito",
      name: "Amazon Cognito",
      scopes: ["openid", "profile", "email"],
      needs: ["openid"],
    }),
    discovery: { issuer: issuerOf(userPoolId) },
    idTokenVerifier: verifySignature,
    // Its revocation endpoint takes refresh tokens only.
    revokes: "one",
    identify: (sources) => {
      const { idToken, accessToken } = sources;
      // The access token has no `aud`: `client_id` says whose it is.
      if (accessToken?.client_id !== clientId || accessToken.token_use !== "access")
        throw refused("access token: client_id");
      const groups = namesIn(idToken?.["cognito:groups"] ?? accessToken["cognito:groups"]);
      return { ...personByIdToken(sources), groups, roles: groups };
    },
  });
}

/** The options of {@link CognitoProvider}: every one of the server, and those of {@link cognito}. */
export interface CognitoProviderConfig extends PresetConfig, CognitoOptions {}

/** A server whose people sign in with Amazon Cognito. */
export class CognitoProvider extends OAuthProxy {
  /** @throws {ConfigurationError} naming the option that can't work */
  constructor(config: CognitoProviderConfig) {
    super(withProvider(config, cognito(config)));
  }
}

/** What {@link cognitoTokenVerifier} is told: the pool, our client id, and whatever else a `JWKSVerifier` takes. */
export interface CognitoTokenVerifierConfig
  extends Pick<CognitoOptions, "userPoolId" | "clientId">,
    Omit<JWKSVerifierConfig, "jwksUri" | "issuer" | "audience" | "audienceClaim"> {}

/**
 * Verifies a pool's access tokens, for `tokenVerifier` or a `ResourceServer`: in the place of `aud`, `client_id` has to be ours. ID tokens have none, and are refused.
 *
 * @throws {ConfigurationError} naming the option that can't work
 * @see {@link https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html Cognito: verifying a JWT}
 */
export function cognitoTokenVerifier({ userPoolId, clientId, ...others }: CognitoTokenVerifierConfig): JWKSVerifier {
  const issuer = issuerOf(userPoolId);
  return new JWKSVerifier({
    algorithms: ["RS256"],
    ...others,
    jwksUri: `${issuer}/.well-known/jwks.json`,
    issuer,
    audience: clientId,
    audienceClaim: "client_id",
  });
}

/** A pool is its own issuer, and not the domain on which people sign in. */
function issuerOf(userPoolId: string): string {
  const [, region] = /^([a-z]{2}(?:-[a-z]+)+-[0-9])_[A-Za-z0-9]+$/.exec(userPoolId) ?? [];
  if (region === undefined)
    throw new ConfigurationError("userPoolId", "must be a user pool such as eu-central-1_Ab12Cd34E");
  return `https://cognito-idp.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}/${userPoolId}`;
}
