/** Signs what a stand-in hands out, rightly or wrongly. RFC 7515, RFC 7518 §3.1. */
import { createHmac, generateKeyPairSync, type KeyObject, randomUUID, sign } from "node:crypto";
import type { Members } from "./behaviour.ts";

export type TokenAlgorithm = "RS256" | "ES256" | "EdDSA";

interface Key {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** The keys of one stand-in. */
export class TokenSigner {
  readonly #algorithm: TokenAlgorithm;
  readonly #clientSecret: string;
  #rotated: Key | undefined;

  constructor(algorithm: TokenAlgorithm, clientSecret: string) {
    this.#algorithm = algorithm;
    this.#clientSecret = clientSecret;
  }

  /** The header that a token has in the plain case. */
  get header(): Members {
    return { alg: this.#algorithm, typ: "JWT", kid: this.#key("published").kid };
  }

  /** A compact JWS. `header.alg` decides how it is signed, and not who would verify it. */
  sign(header: Members, claims: Members, which: "published" | "unpublished" = "published"): string {
    const input = `${partOf(header)}.${partOf(claims)}`;
    return `${input}.${this.#signatureOf(input, header.alg, which).toString("base64url")}`;
  }

  /** The public key that is published. RFC 7517 §5. */
  keySet(): Members {
    const { kid, publicKey } = this.#key("published");
    return { keys: [{ ...publicKey.export({ format: "jwk" }), kid, use: "sig", alg: this.#algorithm }] };
  }

  rotate(): void {
    this.#rotated = makeKey(this.#algorithm);
  }

  #signatureOf(input: string, algorithm: unknown, which: "published" | "unpublished"): Buffer {
    if (algorithm === "none") return Buffer.alloc(0);
    if (algorithm === "HS256") return createHmac("sha256", this.#clientSecret).update(input).digest();
    const digest = this.#algorithm === "EdDSA" ? null : "sha256";
    return sign(digest, Buffer.from(input), { key: this.#key(which).privateKey, dsaEncoding: "ieee-p1363" });
  }

  #key(which: "published" | "unpublished"): Key {
    return (which === "published" ? this.#rotated : undefined) ?? firstKey(this.#algorithm, which);
  }
}

/** An RSA key takes a moment to make, and no test minds if another has the same one. */
const firstKeys = new Map<string, Key>();

function firstKey(algorithm: TokenAlgorithm, which: "published" | "unpublished"): Key {
  const name = `${which} ${algorithm}`;
  const key = firstKeys.get(name) ?? makeKey(algorithm);
  firstKeys.set(name, key);
  return key;
}

function makeKey(algorithm: TokenAlgorithm): Key {
  const kid = randomUUID();
  if (algorithm === "RS256") return { kid, ...generateKeyPairSync("rsa", { modulusLength: 2048 }) };
  if (algorithm === "ES256") return { kid, ...generateKeyPairSync("ec", { namedCurve: "P-256" }) };
  return { kid, ...generateKeyPairSync("ed25519") };
}

function partOf(members: Members): string {
  return Buffer.from(JSON.stringify(members)).toString("base64url");
}
