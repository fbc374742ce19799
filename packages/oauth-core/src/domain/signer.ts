/** The ports behind which access tokens are signed, and the symmetric form. RFC 7515, RFC 7517 §5, RFC 7518 §3.2. */
import { createHmac, createSecretKey, type KeyObject } from "node:crypto";
import { OAuthProxyError } from "../protocol/errors.ts";
import { parseJwt } from "../protocol/jwt.ts";
import { sameBytes } from "../protocol/same-bytes.ts";
import type { Runtime } from "../runtime.ts";
import type { Happening } from "./events.ts";
import { type Keys, keyId } from "./keys.ts";

/** A token whose signature has been verified, and nothing else of it. */
export interface SignedToken {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** Signs our tokens and recognises them again. Where its keys can't be had right now, every method rejects with `storage_unavailable`. */
export interface Signer {
  /** Fulfilled while it can sign. Asked before anything is spent for which a token is given. */
  ready(): void | Promise<void>;
  /** A compact JWS over `claims` with this `typ`. */
  sign(typ: string, claims: Readonly<Record<string, unknown>>): string | Promise<string>;
  /** Takes a token apart whose signature is ours. @throws {OAuthProxyError} `token_malformed`, `token_signature` */
  open(token: string): SignedToken | Promise<SignedToken>;
  /** Whether {@link open} would accept it still, by the header of a token that it once accepted: a key may have been taken back since. */
  recognises(header: SignedToken["header"]): boolean | Promise<boolean>;
}

/** A key set as it is served: public halves only. RFC 7517 §5. */
export interface JwksDocument {
  readonly keys: readonly Readonly<Record<string, unknown>>[];
}

/** A signer by whose public keys others can verify our tokens. */
export interface PublishingSigner extends Signer {
  /** What `jwks_uri` answers. */
  jwks(): Promise<JwksDocument>;
}

/** A record of signing keys as it was read: what it says, and what the storage holds. */
export interface SigningKeyRecord {
  readonly value: unknown;
  readonly raw: unknown;
  /** It is sealed with a key that seals no more, and can't be read once that one is taken away. */
  readonly outdated?: boolean;
}

/**
 * Where signing keys are kept: sealed, and under names that are nobody else's. `get` answers `undefined` for a record that can't be read, and `claim`
 * answers `false` for it: it is still there.
 */
export interface SigningKeyRecords {
  get(id: string): Promise<SigningKeyRecord | undefined>;
  /** Stores for `ttl` seconds where nothing live is: of any number of racers exactly one is given the record, and the others `undefined`. */
  claim(id: string, value: unknown, ttl: number): Promise<SigningKeyRecord | undefined>;
  /** Stores for `ttl` seconds where the record is still the one that was read; `undefined` where it is not. */
  replace(id: string, entry: SigningKeyRecord, value: unknown, ttl: number): Promise<SigningKeyRecord | undefined>;
}

/** What happens to signing keys. */
export type SigningHappening = Extract<Happening, { readonly type: `signing_key${string}` }>;

/** What a server lends to its {@link SigningSource}. */
export interface SignerParts {
  /** `undefined` where the operator turned sealing off: private keys must not lie in a storage in plaintext. */
  readonly records: SigningKeyRecords | undefined;
  readonly runtime: Pick<Runtime, "now">;
  /** Seconds for which an access token lives: a key is published for as long after its last signature. */
  readonly tokenTtl: number;
  readonly observe: (happening: SigningHappening) => void;
}

/** Asymmetric signing keys, as the option `signing` takes them: `new SigningKeys()` of `@sallyport/jwks` is one. */
export interface SigningSource {
  /** The signer of one server. Called once, at construction. @throws {ConfigurationError} where that server can't have one */
  signer(parts: SignerParts): PublishingSigner;
}

/** HS256, synchronous: one WebCrypto call costs as much as twenty of these. */
export class HmacSigner implements Signer {
  readonly #keys: readonly { readonly id: string; readonly key: KeyObject }[];
  readonly #headers = new Map<string, string>();

  constructor(keys: Keys) {
    this.#keys = keys.map((key) => ({ id: keyId(key), key: createSecretKey(key) }));
  }

  ready(): void {
    // The keys were there before the first request was.
  }

  recognises(): true {
    return true;
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
      return sameBytes(signature, createHmac("sha256", key).update(signingInput).digest());
    });
    if (!verified) throw new OAuthProxyError("token_signature");
    return { header, claims };
  }
}

function base64url(text: string): string {
  return Buffer.from(text, "utf8").toString("base64url");
}
