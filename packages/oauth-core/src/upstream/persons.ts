/** Who signed in, put together from all that an upstream says. OpenID Connect Core §5.3, §5.4. */
import type { Claims, Identity, UpstreamTokens } from "../domain/identity-provider.ts";
import type { ProviderContext } from "../domain/upstream-provider.ts";
import { OAuthProxyError } from "../protocol/errors.ts";
import { readJwtClaims } from "../protocol/jwt.ts";
import { serverUrl } from "../protocol/server-url.ts";
import type { IdentifiedPerson, IdentitySources, UpstreamDescriptor, UpstreamHttp } from "./descriptor.ts";
import type { IdToken } from "./id-token.ts";
import { profileOf, subjectOf } from "./profile.ts";
import type { ServerFacts } from "./server-facts.ts";
import { UnusableAnswer, type UpstreamRequests } from "./upstream-requests.ts";

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
  readonly #warn: ProviderContext["warn"];

  constructor(descriptor: UpstreamDescriptor, requests: UpstreamRequests, { warn }: Pick<ProviderContext, "warn">) {
    this.#descriptor = descriptor;
    this.#requests = requests;
    this.#warn = (message) => warn(`${descriptor.id}: ${message}`);
  }

  /** @throws {OAuthProxyError} `upstream_identity`, `upstream_unavailable` */
  async identify(facts: ServerFacts, { idToken, tokens, said, signal }: Known): Promise<Identity> {
    const userinfo = await this.#userinfo(facts, idToken, tokens, signal);
    const accessToken = this.accessTokenClaims(tokens);
    const { identify = identifyByClaims } = this.#descriptor;
    const http = this.http(tokens, signal);
    const sources = { idToken, userinfo, accessToken, tokenAnswer: said, tokens, http, warn: this.#warn };
    const { subject, claims, ...profile } = await identify(sources);
    // A pseudonym is for an upstream that tells nobody's name. From one that does, an answer without it would let the person in as somebody new. An ID token always has one.
    const isTold = this.#descriptor.identify !== undefined || userinfo !== undefined;
    if (isTold && subject === undefined) throw new UnusableAnswer("no subject");
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
    if (idToken !== undefined && (answer.sub ?? undefined) === undefined) throw new UnusableAnswer("UserInfo: no sub");
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
