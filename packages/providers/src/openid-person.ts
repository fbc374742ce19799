/** What `identify` of a vendor begins with: whom OpenID Connect says it is, and the shapes in which vendors say more. OpenID Connect Core §5.1. */
import {
  type Claims,
  type IdentifiedPerson,
  type IdentitySources,
  OAuthProxyError,
  profileOf,
} from "@sallyport/oauth-core/upstream";

/** The person by the standard claims. @throws {OAuthProxyError} `upstream_identity` where nobody is named: a name that we made up would let them in as somebody new */
export function personOf({ idToken, userinfo }: Pick<IdentitySources, "idToken" | "userinfo">): IdentifiedPerson {
  return { ...profileOf(idToken, userinfo), subject: subjectIn((idToken ?? userinfo)?.sub) };
}

/**
 * The same, where the vendor always sends an ID token: without one, nothing ties the answer to this sign-in by its nonce.
 *
 * @throws {OAuthProxyError} `upstream_identity`
 * @see {@link https://openid.net/specs/openid-connect-core-1_0.html#TokenResponse OpenID Connect Core §3.1.3.3} `id_token` REQUIRED
 */
export function personByIdToken(sources: Pick<IdentitySources, "idToken" | "userinfo">): IdentifiedPerson {
  if (sources.idToken === undefined) throw refused("no ID token");
  return personOf(sources);
}

/** A vendor's own name of a person. @throws {OAuthProxyError} `upstream_identity` where there is none */
export function subjectIn(value: unknown): string {
  if (typeof value !== "string" || value === "") throw refused("no subject");
  return value;
}

/** Names in a list, or a single one; what is no text is left out. */
export function namesIn(value: unknown): readonly string[] | undefined {
  return profileOf({ groups: value }).groups;
}

/** Claims within a claim. */
export function claimsIn(value: unknown): Claims | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Claims) : undefined;
}

/** A sign-in that is not to be believed. `why` is for the operator. */
export function refused(why: string): OAuthProxyError {
  return new OAuthProxyError("upstream_identity", { cause: new Error(why) });
}
