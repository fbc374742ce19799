/** Whom a bearer token of another issuer speaks for, where no authorization server of ours stands between. RFC 6750, RFC 9068 §4. */
import { OAuthProxyError } from "../protocol/errors.ts";
import type { Access, Bearers } from "./bearers.ts";
import { refusalOf, type TokenVerifier } from "./token-verifier.ts";

/** Where issuers write the client that a token was issued to: RFC 9068 §2.2, OpenID Connect Core §2, Entra's first version, Okta. */
const CLIENT_CLAIMS = ["client_id", "azp", "appid", "cid"];
/** RFC 9068 §2.2.3, and the name of which Entra writes a text and Okta a list. */
const SCOPE_CLAIMS = ["scope", "scp"];
/** RFC 6749 §3.3. */
const SCOPE_WORD = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** Tokens of an authorization server that is not ours. */
export class VerifiedBearers implements Bearers {
  readonly #verifier: TokenVerifier;

  constructor(verifier: TokenVerifier) {
    this.#verifier = verifier;
  }

  async verify(token: string, resource: string): Promise<Access> {
    const result = await this.#verifier.verify(token);
    const { valid, claims } = result;
    if (!valid || claims === undefined) throw refusalOf(result);
    // RFC 9449 §7.1, RFC 8705 §3: whoever stole a token that is bound to a key must not be able to show it as one that isn't.
    if (claims.cnf !== undefined) throw new OAuthProxyError("token_type_wrong");
    const { sub: subject, exp: expiresAt } = claims;
    // RFC 7519 §4.1: without a subject two people are one, and without an end a stolen token is one for ever.
    if (typeof subject !== "string" || subject === "" || typeof expiresAt !== "number")
      throw new OAuthProxyError("token_malformed");
    const clientId = CLIENT_CLAIMS.map((name) => claims[name]).find(isText) ?? "";
    return { token, clientId, scopes: scopesOf(claims), expiresAt, resource, subject, claims };
  }

  /** None of these tokens hangs from a grant of ours. */
  async grantOf(): Promise<undefined> {
    return undefined;
  }
}

function scopesOf(claims: Readonly<Record<string, unknown>>): readonly string[] {
  const scope = SCOPE_CLAIMS.map((name) => claims[name]).find((value) => value !== undefined);
  const words: readonly unknown[] = typeof scope === "string" ? scope.split(" ") : Array.isArray(scope) ? scope : [];
  return words.filter((word): word is string => typeof word === "string" && SCOPE_WORD.test(word));
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
