/** Finishes a sign-in: the identity provider's answer becomes a subject, claims and tokens that we vouch for. */

import { OAuthProxyError } from "../protocol/errors.ts";
import type { Runtime } from "../runtime.ts";
import type { Admission, LinkSubject, SignedInIdentity } from "./admission.ts";
import { type ClaimsPolicy, claimsOf } from "./claims.ts";
import type { SignedIn } from "./codes.ts";
import type { Observe } from "./events.ts";
import type { Account } from "./grants.ts";
import type { Identity, SignInAnswer } from "./identity-provider.ts";
import { type IdentityProviders, type OfferedProvider, subjectAt } from "./identity-providers.ts";
import { refusalOf, type TokenVerifier } from "./token-verifier.ts";

export interface SignInsOptions {
  readonly tokenVerifier: TokenVerifier | undefined;
  readonly claims: ClaimsPolicy | undefined;
  readonly admission: Admission;
  readonly linkSubject: LinkSubject | undefined;
  readonly identityProviders: IdentityProviders;
  readonly runtime: Runtime;
  readonly observe: Observe;
}

/** Somebody who signed in, and may not: for the page that tells them so, and for nothing else. */
export class NotAllowed extends OAuthProxyError {
  /** Who they are, in words of their own choosing. */
  readonly identity: SignedInIdentity;

  constructor(identity: SignedInIdentity) {
    super("sign_in_not_allowed");
    this.identity = identity;
  }
}

/** Characters of a subject. OpenID Connect Core §2. */
const LONGEST_SUBJECT = 255;

/** The sign-ins of one server. */
export class SignIns {
  readonly #options: SignInsOptions;

  constructor(options: SignInsOptions) {
    this.#options = options;
  }

  /** @throws {OAuthProxyError} `upstream_…`; `account_barred`; {@link NotAllowed}; `sign_in_undecided` */
  async complete(
    provider: OfferedProvider,
    answer: SignInAnswer,
    clientId: string,
    traceId: string,
  ): Promise<SignedIn> {
    const { observe, claims } = this.#options;
    const identity = await this.#identify(provider, answer, traceId);
    const own = await this.#ownOf(provider, identity);
    const person = this.#personOf(provider, identity, own);
    try {
      await this.#admit(person, clientId, traceId);
      const subject = await this.#linked(person);
      observe({ type: "sign_in.completed", clientId, subject, provider: provider.id }, traceId);
      return {
        subject,
        // An account of ours has its own name and roles, by whichever way its person came in.
        claims: claimsOf(claims, own ?? identity),
        upstream: identity.tokens,
        account: accountOf(provider, identity, own),
      };
    } catch (error) {
      // Not where it merely could not be decided: to some upstreams one token of a person stands for all of them.
      if (error instanceof NotAllowed) await this.#drop(provider, identity, traceId);
      throw error;
    }
  }

  /**
   * Who somebody is, and nothing more: for a person who is signed in to an account of ours and shows that an identity elsewhere is theirs too. Whatever tokens came with it
   * are forgotten, and not ended: to some upstreams one of them stands for all that the person has given us.
   *
   * @throws {OAuthProxyError} `upstream_…`; {@link NotAllowed}; `sign_in_undecided`
   */
  async prove(provider: OfferedProvider, answer: SignInAnswer, traceId: string): Promise<Identity> {
    const identity = await this.#identify(provider, answer, traceId);
    const verdict = await this.#options.admission.of(this.#personOf(provider, identity, undefined));
    if (verdict.admitted) return identity;
    if ("failed" in verdict) throw new OAuthProxyError("sign_in_undecided", { cause: verdict.failed });
    throw new OAuthProxyError("sign_in_not_allowed");
  }

  async #identify(provider: OfferedProvider, answer: SignInAnswer, traceId: string): Promise<Identity> {
    try {
      const identity = await provider.identityProvider.complete(answer);
      checkSubject(identity.subject);
      await this.#vet(identity);
      return identity;
    } catch (error) {
      this.#failed("exchange", provider, error, traceId);
      throw error;
    }
  }

  /** The account of ours that was signed in to, directly or by a link. */
  async #ownOf(provider: OfferedProvider, identity: Identity): Promise<Identity | undefined> {
    if (identity.own !== undefined || identity.subject === undefined)
      return identity.own === undefined ? undefined : identity;
    return this.#options.identityProviders.accounts?.linkedWith({ provider: provider.id, subject: identity.subject });
  }

  #personOf(provider: OfferedProvider, identity: Identity, own: Identity | undefined): SignedInIdentity {
    const { runtime } = this.#options;
    if (own?.own !== undefined) return signedInIdentity(provider, own.own.id, identity);
    // Where the provider tells nobody's identity, a person is somebody new each time: two of them must never share a name.
    const subject =
      identity.subject === undefined
        ? `anonymous|${Buffer.from(runtime.randomBytes(16)).toString("base64url")}`
        : subjectAt(provider, identity.subject);
    return signedInIdentity(provider, subject, identity);
  }

  async #admit(person: SignedInIdentity, clientId: string, traceId: string): Promise<void> {
    const { admission, observe } = this.#options;
    const verdict = await admission.of(person);
    if (verdict.admitted) return;
    if ("failed" in verdict) throw new OAuthProxyError("sign_in_undecided", { cause: verdict.failed });
    const { subject, provider } = person;
    observe({ type: "sign_in.refused", clientId, subject, provider }, traceId);
    throw new NotAllowed(person);
  }

  /** The operator's name for the person, or their own. */
  async #linked(person: SignedInIdentity): Promise<string> {
    const linked = await this.#options.linkSubject?.(person);
    if (linked === undefined) return person.subject;
    if (typeof linked !== "string" || linked === "" || linked.length > LONGEST_SUBJECT)
      throw new TypeError(`linkSubject: a subject has 1 to ${LONGEST_SUBJECT} characters`);
    return linked;
  }

  /** Tokens that nobody may use must not live on. What the upstream answers changes nothing here. */
  async #drop(provider: OfferedProvider, { tokens }: Identity, traceId: string): Promise<void> {
    if (tokens === undefined) return;
    try {
      await provider.identityProvider.revoke(tokens);
    } catch (error) {
      this.#failed("revoke", provider, error, traceId);
    }
  }

  /** The access token where it can be verified, the ID token where only that can: an opaque access token has nothing to verify. */
  async #vet({ tokens }: Identity): Promise<void> {
    const { tokenVerifier } = this.#options;
    if (tokenVerifier === undefined || tokens === undefined) return;
    const candidates = [tokens.accessToken, ...(tokens.idToken === undefined ? [] : [tokens.idToken])];
    const errors: unknown[] = [];
    let unknown: OAuthProxyError | undefined;
    for (const candidate of candidates) {
      const result = await tokenVerifier.verify(candidate);
      if (result.valid) return;
      errors.push(result.error);
      unknown ??= result.temporary === true ? refusalOf(result) : undefined;
    }
    // What was not refused may be good: the person is told to try again, and not that they were not let in.
    if (unknown !== undefined) throw unknown;
    throw new OAuthProxyError("upstream_identity", {
      cause: new AggregateError(errors, "tokenVerifier refused the upstream's tokens"),
    });
  }

  #failed(operation: "exchange" | "revoke", { id }: OfferedProvider, cause: unknown, traceId: string): void {
    const reason = cause instanceof OAuthProxyError ? cause.reason : "internal";
    this.#options.observe({ type: "upstream.failed", operation, provider: id, reason, cause }, traceId);
  }
}

/** What the operator's functions are shown. */
export function signedInIdentity({ id }: OfferedProvider, subject: string, identity: Identity): SignedInIdentity {
  const { email, emailVerified, name, picture, groups, roles, organizations, tenant, claims } = identity;
  const profile = { email, emailVerified, name, picture, groups, roles, organizations, tenant };
  return { ...profile, provider: id, subject, claims };
}

/** What has to be known of the account as long as the grant lives. */
function accountOf(
  { id }: OfferedProvider,
  { subject, email, emailVerified }: Identity,
  own: Identity | undefined,
): Account {
  return { provider: id, subject, verifiedEmail: emailVerified === true ? email : undefined, own: own?.own };
}

/** An empty name, or one that is no text, would make one person of many. */
function checkSubject(subject: unknown): void {
  if (subject === undefined) return;
  if (typeof subject !== "string" || subject === "" || subject.length > LONGEST_SUBJECT)
    throw new OAuthProxyError("upstream_identity", { cause: new Error("subject") });
}
