/** Finishes a sign-in: the identity provider's answer becomes a subject, claims and tokens that we vouch for. */

import { OAuthProxyError } from "../protocol/errors.ts";
import type { Runtime } from "../runtime.ts";
import type { SignedIn } from "./codes.ts";
import type { Observe } from "./events.ts";
import type { Identity, IdentityProvider, SignInAnswer } from "./identity-provider.ts";

/** What a {@link TokenVerifier} found. */
export interface TokenVerificationResult {
  readonly valid: boolean;
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
  /** Why not, for the log. */
  readonly error?: string | undefined;
}

/**
 * Verifies tokens of the upstream: signature, issuer, audience, expiry.
 *
 * In swap mode it vets the upstream's token at sign-in; with `enableTokenSwap: false` it verifies every bearer token.
 */
export interface TokenVerifier {
  verify(token: string): Promise<TokenVerificationResult>;
}

export interface SignInsOptions {
  readonly identityProvider: IdentityProvider;
  readonly tokenVerifier: TokenVerifier | undefined;
  readonly runtime: Runtime;
  readonly observe: Observe;
}

/** The sign-ins of one server. */
export class SignIns {
  readonly #options: SignInsOptions;

  constructor(options: SignInsOptions) {
    this.#options = options;
  }

  /** @throws {OAuthProxyError} `upstream_…` */
  async complete(answer: SignInAnswer, clientId: string, traceId: string): Promise<SignedIn> {
    const { observe, runtime } = this.#options;
    const identity = await this.#identify(answer, traceId);
    // Where the provider tells nobody's identity, a person is somebody new each time: two of them must never share a name.
    const subject = identity.subject ?? `anonymous|${Buffer.from(runtime.randomBytes(16)).toString("base64url")}`;
    observe({ type: "sign_in.completed", clientId, subject }, traceId);
    return { subject, claims: identity.claims, upstream: identity.tokens };
  }

  async #identify(answer: SignInAnswer, traceId: string): Promise<Identity> {
    const { identityProvider, observe } = this.#options;
    try {
      const identity = await identityProvider.complete(answer);
      await this.#vet(identity);
      return identity;
    } catch (error) {
      const reason = error instanceof OAuthProxyError ? error.reason : "internal";
      observe({ type: "upstream.failed", operation: "exchange", reason, cause: error }, traceId);
      throw error;
    }
  }

  /** The access token where it can be verified, the ID token where only that can: an opaque access token has nothing to verify. */
  async #vet({ tokens }: Identity): Promise<void> {
    const { tokenVerifier } = this.#options;
    if (tokenVerifier === undefined || tokens === undefined) return;
    const candidates = [tokens.accessToken, ...(tokens.idToken === undefined ? [] : [tokens.idToken])];
    const errors: unknown[] = [];
    for (const candidate of candidates) {
      const result = await tokenVerifier.verify(candidate);
      if (result.valid) return;
      errors.push(result.error);
    }
    throw new OAuthProxyError("upstream_identity", {
      cause: new AggregateError(errors, "tokenVerifier refused the upstream's tokens"),
    });
  }
}
