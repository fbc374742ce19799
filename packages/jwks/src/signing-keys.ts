/** `SigningKeys`: what an operator says about the keys of our own tokens, and the signer that comes of it. RFC 7517, RFC 9068 §2.1. */
import { ConfigurationError } from "@sallyport/oauth-core";
import { type KeyHappening, type KeyRecords, RotatingKeys } from "./rotating-keys.ts";
import type { RotationPolicy } from "./rotation.ts";
import { AsymmetricSigner, type SigningKeySet } from "./signer.ts";
import { isSigningAlgorithm, type Jwk, SIGNING_ALGORITHMS, type SigningAlgorithm, SigningKey } from "./signing-key.ts";

/** The options of {@link SigningKeys}. Durations are whole seconds. */
export interface SigningKeysConfig {
  /** The algorithm of the keys that are made. Default: `ES256`, or with `keys` that of the first. */
  alg?: SigningAlgorithm;
  /** How long one key signs. Default: 2 592 000 (30 days). */
  rotationInterval?: number;
  /** How long a key is published before it signs; longer than anybody keeps our key set without looking again. Default: 86 400 (1 day). */
  publishBefore?: number;
  /**
   * Keys of your own as JSON Web Keys, instead of ones that are made and stored: the first one signs and has to be private, all verify.
   * To rotate, put the next one at the end until everybody has seen it, then in front; take the last one away when its last token has expired.
   */
  keys?: readonly Jwk[];
}

/** What the core lends to the keys. */
export interface SignerParts {
  /** Sealed records of which nobody else has the prefix. */
  readonly records: KeyRecords;
  readonly runtime: { readonly now: () => number };
  /** Seconds for which the longest-lived token lives: a key is published for as long after its last signature. */
  readonly tokenTtl: number;
  readonly observe: (happening: KeyHappening) => void;
}

/** A key is kept for as long as its tokens live; the set must not grow without bound. */
const MOST_INTERVALS = 16;
const YEAR = 31_536_000;

/**
 * The keys that sign our own tokens.
 *
 * - Made here, kept in the storage of the server and shared by its replicas: the one that comes first wins, and the others take its key.
 * - Published before they sign, and until the last token that they signed has expired, so that nobody who verifies by the key set ever misses one.
 * - A record that can't be read is reported and never replaced: new keys in its place would refuse every token that is out.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7517#section-5 RFC 7517 §5}
 */
export class SigningKeys {
  readonly #policy: Omit<RotationPolicy, "tokenTtl">;
  readonly #given: SigningKeySet | undefined;

  /** @throws {ConfigurationError} naming the option that can't work */
  constructor(config: SigningKeysConfig = {}) {
    const { alg = "ES256", keys, rotationInterval = 30 * 86_400, publishBefore = 86_400 } = config;
    if (!isSigningAlgorithm(alg))
      throw new ConfigurationError("signing.alg", `must be one of ${SIGNING_ALGORITHMS.join(", ")}`);
    wholeNumber("signing.publishBefore", publishBefore, 600, YEAR);
    wholeNumber("signing.rotationInterval", rotationInterval, 2 * publishBefore, 10 * YEAR);
    this.#policy = { alg, rotationInterval, publishBefore };
    this.#given = keys === undefined ? undefined : givenKeys(keys, config.alg);
  }

  /** The signer of one server. @throws {ConfigurationError} where tokens live far longer than keys sign */
  signer({ records, runtime, tokenTtl, observe }: SignerParts): AsymmetricSigner {
    const given = this.#given;
    if (given !== undefined) {
      const keys = async () => given;
      return new AsymmetricSigner({ keys, newerKeys: keys });
    }
    const policy = { ...this.#policy, tokenTtl };
    if (tokenTtl > MOST_INTERVALS * policy.rotationInterval)
      throw new ConfigurationError("signing.rotationInterval", "is far too short for tokens that live so long");
    return new AsymmetricSigner(new RotatingKeys({ records, now: () => runtime.now(), policy, observe }));
  }
}

function givenKeys(jwks: readonly Jwk[], alg: SigningAlgorithm | undefined): SigningKeySet {
  if (!Array.isArray(jwks)) throw new ConfigurationError("signing.keys", "must be a list of JSON Web Keys");
  const published = jwks.map((jwk, index) => givenKey(`signing.keys[${index}]`, jwk));
  const [signing] = published;
  if (signing === undefined)
    throw new ConfigurationError("signing.keys", "is an empty list; leave it out to have keys made");
  if (!signing.signs) throw new ConfigurationError("signing.keys[0]", "has to sign, and is only a public key");
  if (alg !== undefined && signing.alg !== alg)
    throw new ConfigurationError("signing.keys[0]", `is a key for ${signing.alg}`);
  const kids = published.map(({ kid }) => kid);
  const twice = kids.findIndex((kid, index) => kids.indexOf(kid) !== index);
  if (twice !== -1) throw new ConfigurationError(`signing.keys[${twice}]`, "has the name of another one");
  return { signing, published };
}

function givenKey(option: string, jwk: unknown): SigningKey {
  try {
    return new SigningKey(jwk);
  } catch (error) {
    throw new ConfigurationError(option, error instanceof Error ? error.message : "is no key");
  }
}

function wholeNumber(option: string, value: number, least: number, most: number): void {
  if (!Number.isSafeInteger(value) || value < least || value > most)
    throw new ConfigurationError(option, `must be a whole number from ${least} to ${most}`);
}
