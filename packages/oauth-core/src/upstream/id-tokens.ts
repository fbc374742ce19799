/** Reads the ID tokens of one upstream: every check of the claims, and the signature where the description brings a verifier. OpenID Connect Core §3.1.3.7. */
import { refusalOf, type TokenVerifier } from "../domain/token-verifier.ts";
import type { ProviderContext } from "../domain/upstream-provider.ts";
import { OAuthProxyError } from "../protocol/errors.ts";
import type { UpstreamDescriptor } from "./descriptor.ts";
import { checkIdToken, type IdToken } from "./id-token.ts";
import type { ServerFacts } from "./server-facts.ts";
import { inTime } from "./upstream-requests.ts";

/** The ID tokens of one upstream. */
export class IdTokens {
  readonly #descriptor: UpstreamDescriptor;
  readonly #context: Pick<ProviderContext, "requestTimeoutMs" | "runtime">;
  /** What verifies signatures, and for which keys it was made: it keeps keys of its own, and a document that only was fetched anew must not cost them. */
  #verifier: { readonly madeFor: string; readonly verifier: TokenVerifier } | undefined;

  constructor(descriptor: UpstreamDescriptor, context: Pick<ProviderContext, "requestTimeoutMs" | "runtime">) {
    this.#descriptor = descriptor;
    this.#context = context;
  }

  /** The claims; `undefined` where no token came. @throws {OAuthProxyError} `upstream_identity`; `upstream_unavailable` where the keys can't be had */
  async read(
    facts: ServerFacts,
    token: string | undefined,
    nonce: string | undefined,
    signal?: AbortSignal,
  ): Promise<IdToken | undefined> {
    if (token === undefined) return undefined;
    const { clientId } = this.#descriptor;
    const claims = checkIdToken(token, { issuer: facts.issuer, clientId, nonce, now: this.#context.runtime.now() });
    const verifier = this.#verifierFor(facts);
    if (verifier !== undefined) await this.#verify(verifier, token, signal);
    return claims;
  }

  async #verify(verifier: TokenVerifier, token: string, signal: AbortSignal | undefined): Promise<void> {
    const verification = verifier.verify(token);
    const result = await (signal === undefined ? verification : inTime(signal, verification));
    if (result.valid) return;
    if (result.temporary === true) throw refusalOf(result);
    throw new OAuthProxyError("upstream_identity", { cause: new Error(`ID token: ${result.error ?? "signature"}`) });
  }

  #verifierFor({ issuer, jwks, algorithms }: ServerFacts): TokenVerifier | undefined {
    const { idTokenVerifier, clientId } = this.#descriptor;
    if (idTokenVerifier === undefined) return undefined;
    // A server that names no keys, or signs with our secret only, can't be verified; and what can't be verified is not believed.
    if (jwks === undefined || algorithms.length === 0 || issuer === undefined)
      throw new OAuthProxyError("upstream_metadata", { cause: new Error("no key, issuer or algorithm for ID tokens") });
    const madeFor = JSON.stringify([typeof issuer === "string" ? issuer : "", jwks, algorithms]);
    if (this.#verifier?.madeFor !== madeFor) {
      const verifier = idTokenVerifier({ issuer, clientId, jwksUri: jwks, algorithms, ...this.#context });
      this.#verifier = { madeFor, verifier };
    }
    return this.#verifier?.verifier;
  }
}
