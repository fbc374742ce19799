/** Who signed in, put together from all that an upstream says. OpenID Connect Core §5.3, §5.4. */
import type { Claims, Identity, UpstreamTokens } from "../domain/identity-provider.ts";
import { OAuthProxyError } from "../protocol/errors.ts";
import { readJwtClaims } from "../protocol/jwt.ts";
import { serverUrl } from "../protocol/server-url.ts";
import type { IdentifiedPerson, IdentitySources, UpstreamDescriptor, UpstreamHttp } from "./descriptor.ts";
import type { IdToken } from "./id-token.ts";
import { profileOf, subjectOf } from "./profile.ts";
import type { ServerFacts } from "./server-facts.ts";
import type { UpstreamRequests } from "./upstream-requests.ts";

interface Known {
  readonly idToken: IdToken | undefined;
  readonly tokens: UpstreamTokens;
  /** The token endpoint's whole answer. */
  readonly said: Claims;
  readonly signal?: AbortSignal | undefined;
}

/** The people of one upstream. */
export class Persons {
  readonly #descriptor: UpstreamDescriptor;
  readonly #requests: UpstreamRequests;

  constructor(descriptor: UpstreamDescriptor, requests: UpstreamRequests) {
    this.#descriptor = descriptor;
    this.#requests = requests;
  }

  /** @throws {OAuthProxyError} `upstream_identity`, `upstream_unavailable` */
  async identify(facts: ServerFacts, { idToken, tokens, said, signal }: Known): Promise<Identity> {
    const userinfo = await this.#userinfo(facts, idToken, tokens, signal);
    const accessToken = this.accessTokenClaims(tokens);
    const { identify = identifyByClaims } = this.#descriptor;
    const sources = { idToken, userinfo, accessToken, tokenAnswer: said, tokens, http: this.http(tokens, signal) };
    const { subject, claims, ...profile } = await identify(sources);
    return {
      ...profile,
      subject,
      claims: { ...userinfo, ...idToken, ...claims },
      accessTokenClaims: accessToken,
      tokens,
    };
  }

  /** RFC 9068 §6 would have a client not look; which it does only where the description lets it. */
  accessTokenClaims(tokens: UpstreamTokens): Claims | undefined {
    return this.#descriptor.readAccessToken === false ? undefined : readJwtClaims(tokens.accessToken);
  }

  /** Requests for a hook. */
  http(tokens: UpstreamTokens, signal?: AbortSignal): UpstreamHttp {
    const requests = this.#requests;
    return {
      getJson: (url, headers) =>
        requests.getAnyJson(serverUrl("url", url).href, tokens.accessToken, { headers, signal }),
      send: (url, { method, headers = {}, body }) =>
        requests.send(serverUrl("url", url).href, { method, headers, ...(body === undefined ? {} : { body }) }, signal),
    };
  }

  async #userinfo(
    { userinfo: endpoint }: ServerFacts,
    idToken: IdToken | undefined,
    tokens: UpstreamTokens,
    signal: AbortSignal | undefined,
  ): Promise<Claims | undefined> {
    const { userinfo = "fallback", userinfoHeaders: headers } = this.#descriptor;
    const isAsked = userinfo === "always" || (userinfo === "fallback" && idToken === undefined);
    if (endpoint === undefined || !isAsked) return undefined;
    const answer = await this.#requests.getJson(endpoint, tokens.accessToken, { headers, signal });
    // OpenID Connect Core §5.3.2: or else an access token that was swapped for another person's would bring that person's address and roles.
    if (idToken !== undefined && answer.sub !== idToken.sub)
      throw new OAuthProxyError("upstream_identity", { cause: new Error("UserInfo: sub") });
    return answer;
  }
}

/** By the standard claims. The access token is asked last, and only where nothing else speaks: it is written for others. */
function identifyByClaims({ idToken, userinfo, accessToken }: IdentitySources): IdentifiedPerson {
  const said = [idToken, userinfo].filter((claims) => claims !== undefined);
  const [first] = said;
  return first === undefined
    ? { ...profileOf(accessToken), subject: subjectOf(accessToken) }
    : { ...profileOf(...said), subject: subjectOf(first) };
}
