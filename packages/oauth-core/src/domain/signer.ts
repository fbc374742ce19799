/** The port behind which access tokens are signed, and its symmetric form. RFC 7515, RFC 7518 §3.2. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { OAuthProxyError } from "../protocol/errors.ts";
import { parseJwt } from "../protocol/jwt.ts";
import { type Keys, keyId } from "./keys.ts";

/** A token whose signature has been verified, and nothing else of it. */
export interface SignedToken {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** Signs our tokens and recognises them again. */
export interface Signer {
  /** A compact JWS over `claims` with this `typ`. */
  sign(typ: string, claims: Readonly<Record<string, unknown>>): string | Promise<string>;
  /** Takes a token apart whose signature is ours. @throws {OAuthProxyError} `token_malformed`, `token_signature` */
  open(token: string): SignedToken | Promise<SignedToken>;
}

/** HS256, synchronous: one WebCrypto call costs as much as twenty of these. */
export class HmacSigner implements Signer {
  readonly #keys: readonly { readonly id: string; readonly key: Uint8Array }[];
  readonly #headers = new Map<string, string>();

  constructor(keys: Keys) {
    this.#keys = keys.map((key) => ({ id: keyId(key), key }));
  }

  sign(typ: string, claims: Readonly<Record<string, unknown>>): string {
    const [first] = this.#keys;
    if (first === undefined) throw new Error("a signer without a key");
    let header = this.#headers.get(typ);
    if (header === undefined) {
      header = base64url(JSON.stringify({ alg: "HS256", typ, kid: first.id }));
      this.#headers.set(typ, header);
    }
    const signingInput = `${header}.${base64url(JSON.stringify(claims))}`;
    return `${signingInput}.${createHmac("sha256", first.key).update(signingInput).digest("base64url")}`;
  }

  open(token: string): SignedToken {
    const { header, claims, signingInput, signature } = parseJwt(token);
    // RFC 8725 §3.1: the algorithm is ours to say and not the token's; `none`, or HS256 with somebody's public key, never gets to a verifier.
    // RFC 7515 §4.1.11: a critical extension that isn't understood is refused.
    if (header.alg !== "HS256" || header.crit !== undefined) throw new OAuthProxyError("token_signature");
    const verified = this.#keys.some(({ id, key }) => {
      if (header.kid !== undefined && header.kid !== id) return false;
      const expected = createHmac("sha256", key).update(signingInput).digest();
      return signature.length === expected.length && timingSafeEqual(signature, expected);
    });
    if (!verified) throw new OAuthProxyError("token_signature");
    return { header, claims };
  }
}

function base64url(text: string): string {
  return Buffer.from(text, "utf8").toString("base64url");
}
