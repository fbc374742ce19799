/** `SigningKeys`: what an operator says about the keys of our own tokens, and the signer that comes of it. RFC 7517, RFC 9068 §2.1. */
import { ConfigurationError, type PublishingSigner, type SignerParts, type SigningSource } from "@sallyport/oauth-core";
import { RotatingKeys } from "./rotating-keys.ts";
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

/** A key is kept for as long as its tokens live; the set must not grow without bound. */
const MOST_INTERVALS = 16;
const YEAR = 31_536_000;

/**
 * The keys that sign our own tokens: the option `signing` of `OAuthProxy`.
 *
 * - Made here, kept in the storage of the server and shared by its replicas: the one that comes first wins, and the others take its key.
 * - Published before they sign, and until the last token that they signed has expired, so that nobody who verifies by the key set ever misses one.
 * - A record that can't be read is reported and never replaced: new keys in its place would refuse every token that is out.
 *
 * @example
 * ```ts
 * const signing = new SigningKeys({ alg: "ES256" });
 * const auth = new OAuthProxy({ ...options, signing });
 * ```
 * @see {@link https://www.rfc-editor.org/rfc/rfc7517#section-5 RFC 7517 §5}
 */
export class SigningKeys implements SigningSource {
  readonly #policy: Omit<RotationPolicy, "tokenTtl">;
  readonly #given: SigningKeySet | undefined;
  readonly #rotating = new Set<RotatingKeys>();

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

  /** The signer of one server. @throws {ConfigurationError} where tokens live far longer than keys sign, or keys would be stored in plaintext */
  signer({ records, runtime, tokenTtl, observe }: SignerParts): PublishingSigner {
    const given = this.#given;
    if (given !== undefined) {
      const keys = async () => given;
      return new AsymmetricSigner({ keys, newerKeys: keys, present: given });
    }
    // Whoever reads the storage, or one of its backups, could sign whatever they like.
    if (records === undefined)
      throw new ConfigurationError(
        "encryptionKey",
        "private signing keys must not be stored in plaintext; give them as signing.keys",
      );
    const policy = { ...this.#policy, tokenTtl };
    if (tokenTtl > MOST_INTERVALS * policy.rotationInterval)
      throw new ConfigurationError("signing.rotationInterval", "is far too short for tokens that live so long");
    const rotating = new RotatingKeys({ records, now: () => runtime.now(), policy, observe });
    this.#rotating.add(rotating);
    return new AsymmetricSigner(rotating);
  }

  /**
   * Takes a key back at once, because it leaked: another one signs, and its tokens are refused, which makes clients refresh. By the server of this process from
   * now on, by other replicas within a minute, by other services when they fetch the key set again (`max-age` is five minutes).
   *
   * It can be called in any process that has made the server's `OAuthProxy` with this object, over the same storage and with the same keys.
   *
   * @param kid the name of the key, as the key set and the header of its tokens have it
   * @returns whether there was such a key
   * @throws {ConfigurationError} with `keys`, which are taken back by taking them out of that list; without a server that signs with this object
   * @throws {OAuthProxyError} `temporarily_unavailable` while the storage can't be reached, and {@link StoredKeysError} where it can't be read; call it again
   */
  async retire(kid: string): Promise<boolean> {
    if (this.#given !== undefined)
      throw new ConfigurationError("signing.keys", "has to lose the key, and the server to start again");
    if (this.#rotating.size === 0) throw new ConfigurationError("signing", "is not the option of any server yet");
    const found = await Promise.all([...this.#rotating].map((rotating) => rotating.retire(kid)));
    return found.includes(true);
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
