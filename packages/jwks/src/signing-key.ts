/** One asymmetric key of our own: made, read back, published by half, and used. RFC 7515 §3, RFC 7517 §4, RFC 7518 §3.3 and §3.4, RFC 8037 §3.1. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  sign as signBytes,
  verify as verifyBytes,
} from "node:crypto";
import { promisify } from "node:util";

/** The algorithms that our own tokens can be signed with. */
export type SigningAlgorithm = "ES256" | "EdDSA" | "RS256";

/** A key as JSON. RFC 7517 §4. */
export type Jwk = Readonly<Record<string, unknown>>;

interface Recipe {
  readonly kty: string;
  readonly crv?: string;
  /** The members of the public half that its thumbprint is over, in the order of RFC 7638 §3.2. */
  readonly members: readonly string[];
  /** EdDSA has its hash inside. */
  readonly hash: "sha256" | null;
  readonly make: () => Promise<{ readonly privateKey: KeyObject }>;
}

const newKeyPair = promisify(generateKeyPair);
const RECIPES: Readonly<Record<SigningAlgorithm, Recipe>> = {
  ES256: {
    kty: "EC",
    crv: "P-256",
    members: ["crv", "kty", "x", "y"],
    hash: "sha256",
    make: () => newKeyPair("ec", { namedCurve: "P-256" }),
  },
  EdDSA: {
    kty: "OKP",
    crv: "Ed25519",
    members: ["crv", "kty", "x"],
    hash: null,
    make: () => newKeyPair("ed25519"),
  },
  RS256: {
    kty: "RSA",
    members: ["e", "kty", "n"],
    hash: "sha256",
    make: () => newKeyPair("rsa", { modulusLength: 2048 }),
  },
};

/** All of them. */
export const SIGNING_ALGORITHMS = Object.keys(RECIPES) as readonly SigningAlgorithm[];
/** Bits of an RSA key: fewer can be broken (RFC 7518 §3.3), more take too long. */
const RSA_BITS = { least: 2048, most: 8192 };
const LONGEST_KID = 255;

/** A key that can't be used, and why. The message says nothing of the key. */
export class SigningKeyError extends Error {
  override readonly name = "SigningKeyError";
}

/** Whether a name, from wherever it comes, is one of the algorithms. */
export function isSigningAlgorithm(name: unknown): name is SigningAlgorithm {
  return typeof name === "string" && Object.hasOwn(RECIPES, name);
}

/** A new private key, as JSON with `alg` and a `kid` that follows from the key (RFC 7638). */
export async function newSigningKey(alg: SigningAlgorithm): Promise<Jwk> {
  const { privateKey } = await RECIPES[alg].make();
  const jwk = { ...privateKey.export({ format: "jwk" }) };
  return { ...jwk, alg, kid: thumbprint(alg, jwk) };
}

/** A key that signs, or only verifies what it has signed. */
export class SigningKey {
  readonly kid: string;
  readonly alg: SigningAlgorithm;
  /** What is published: the public half, and nothing else of what was given. */
  readonly publicJwk: Jwk;
  readonly #private: KeyObject | undefined;
  readonly #public: KeyObject;

  /**
   * @param jwk a private key, or a public one, which verifies only
   * @throws {SigningKeyError} for whatever can't sign or verify with one of {@link SIGNING_ALGORITHMS}
   */
  constructor(jwk: unknown) {
    const { alg, key } = recognise(jwk);
    const isPrivate = key["d"] !== undefined;
    this.alg = alg;
    this.#private = isPrivate ? imported(() => createPrivateKey({ key, format: "jwk" })) : undefined;
    this.#public =
      this.#private === undefined
        ? imported(() => createPublicKey({ key, format: "jwk" }))
        : createPublicKey(this.#private);
    const bits = this.#public.asymmetricKeyDetails?.modulusLength;
    if (bits !== undefined && (bits < RSA_BITS.least || bits > RSA_BITS.most))
      throw new SigningKeyError(`An RSA key needs ${RSA_BITS.least} to ${RSA_BITS.most} bits.`);

    const exported = { ...this.#public.export({ format: "jwk" }) };
    this.kid = typeof key["kid"] === "string" ? key["kid"] : thumbprint(alg, exported);
    this.publicJwk = { ...exported, kid: this.kid, alg, use: "sig" };
    // Halves of two different keys import well. What they sign would be refused by everybody who reads the public one.
    const probe = Buffer.from("sallyport");
    if (isPrivate && !this.verify(probe, this.sign(probe)))
      throw new SigningKeyError("The halves of the key do not belong together.");
  }

  /** Whether it has its private half. */
  get signs(): boolean {
    return this.#private !== undefined;
  }

  sign(input: Uint8Array): Uint8Array {
    if (this.#private === undefined) throw new SigningKeyError("A public key signs nothing.");
    // RFC 7518 §3.4: both numbers of an ECDSA signature at their full length, and not the DER that is usual elsewhere.
    return signBytes(RECIPES[this.alg].hash, input, { key: this.#private, dsaEncoding: "ieee-p1363" });
  }

  verify(input: Uint8Array, signature: Uint8Array): boolean {
    return verifyBytes(RECIPES[this.alg].hash, input, { key: this.#public, dsaEncoding: "ieee-p1363" }, signature);
  }
}

function recognise(jwk: unknown): { readonly alg: SigningAlgorithm; readonly key: Record<string, unknown> } {
  if (typeof jwk !== "object" || jwk === null || Array.isArray(jwk))
    throw new SigningKeyError("It is no JSON Web Key.");
  const key: Record<string, unknown> = { ...jwk };
  const alg = SIGNING_ALGORITHMS.find((name) => RECIPES[name].kty === key["kty"] && RECIPES[name].crv === key["crv"]);
  if (alg === undefined) throw new SigningKeyError("Only P-256, Ed25519 and RSA keys can sign tokens.");
  if (key["alg"] !== undefined && key["alg"] !== alg) throw new SigningKeyError(`A key of this kind is for ${alg}.`);
  if (key["use"] !== undefined && key["use"] !== "sig")
    throw new SigningKeyError("The key is for something else than signing.");
  const { kid } = key;
  if (kid !== undefined && !(typeof kid === "string" && kid !== "" && kid.length <= LONGEST_KID))
    throw new SigningKeyError("The name of the key is no text, or too long.");
  return { alg, key };
}

function imported(make: () => KeyObject): KeyObject {
  try {
    return make();
  } catch (cause) {
    throw new SigningKeyError("The members of the key make no key.", { cause });
  }
}

/** RFC 7638: a name that only this key has, and that nobody has to remember. */
function thumbprint(alg: SigningAlgorithm, jwk: Jwk): string {
  const members = RECIPES[alg].members.map((name) => [name, jwk[name]]);
  return createHash("sha256")
    .update(JSON.stringify(Object.fromEntries(members)))
    .digest("base64url");
}
