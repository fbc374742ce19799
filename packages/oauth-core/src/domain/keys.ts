/** Which key protects what: one secret in, one independent key per purpose out. RFC 5869. */
import {
  createHash,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  scryptSync,
  timingSafeEqual,
} from "node:crypto";
import { ConfigurationError } from "../protocol/errors.ts";
import { sameBytes } from "../protocol/same-bytes.ts";

/** The purposes of which each has a key of its own, so that a leak or a confusion of one opens no other door. */
export type KeyPurpose =
  | "access-token"
  | "storage"
  | "consent"
  | "transaction"
  | "client-id"
  | "client-secret"
  | "refresh-token"
  | "grant-subject"
  | "provider"
  | "provider-records";

/** The keys of one purpose: the first signs, all verify. */
export type Keys = readonly [Uint8Array, ...Uint8Array[]];

/** Where all keys come from; see the option `secret`. */
export interface KeySources {
  readonly secrets: readonly string[];
  readonly jwtSigningKey: readonly string[] | undefined;
  readonly encryptionKey: readonly (string | Uint8Array)[] | undefined;
  readonly consentSigningKey: readonly string[] | undefined;
  readonly upstreamClientSecret: string;
  /** The issuer: two servers that share a secret still have different keys, but for what their identity providers keep. */
  readonly issuer: string;
}

/** Bytes of a key that can't be guessed. RFC 7518 §3.2 asks as much of an HS256 key. */
const STRONG = 32;
/** Below this a secret is not one. */
const WEAK = 8;

/** Makes the keys of every purpose, once, at construction. @throws {ConfigurationError} for a weak, empty or repeated key */
export function deriveKeys(sources: KeySources): Record<KeyPurpose, Keys> & { readonly fromUpstreamSecret: boolean } {
  const roots = rootsOf(sources);
  const derived = (purpose: KeyPurpose): Keys => nonEmpty(roots.map((root) => hkdf(root, sources.issuer, purpose)));
  const lasting = (purpose: KeyPurpose): Keys => nonEmpty(roots.map((root) => hkdf(root, "", purpose)));
  const overridden = (
    option: string,
    keys: readonly (string | Uint8Array)[] | undefined,
    purpose: KeyPurpose,
    byDefault = derived,
  ): Keys =>
    keys === undefined ? byDefault(purpose) : nonEmpty(strongKeys(option, keys).map((key) => hkdf(key, "", purpose)));

  return {
    // The operator's signing key signs as it stands, so that another service that holds it can verify our tokens with any JOSE library.
    "access-token":
      sources.jwtSigningKey === undefined
        ? derived("access-token")
        : strongKeys("jwtSigningKey", sources.jwtSigningKey),
    storage: overridden("encryptionKey", sources.encryptionKey, "storage"),
    consent: overridden("consentSigningKey", sources.consentSigningKey, "consent"),
    transaction: derived("transaction"),
    "client-id": derived("client-id"),
    "client-secret": derived("client-secret"),
    "refresh-token": derived("refresh-token"),
    "grant-subject": derived("grant-subject"),
    // Without the issuer: what a provider keeps, people's accounts above all, has to outlast a move to another address.
    provider: lasting("provider"),
    "provider-records": overridden("encryptionKey", sources.encryptionKey, "provider-records", lasting),
    fromUpstreamSecret: sources.secrets.length === 0,
  };
}

/**
 * Keys as Node.js wants them. Given bytes, it throws and catches an error of its own before it takes them, which is five times as long; and an object that is
 * made for each MAC costs half as much as the MAC.
 */
const objects = new WeakMap<Uint8Array, KeyObject>();

/** HMAC-SHA256 over parts that can't run into each other. */
export function mac(key: Uint8Array, ...parts: readonly string[]): Uint8Array {
  const message = parts.map((part) => `${Buffer.byteLength(part)}:${part}`).join("");
  return createHmac("sha256", objectOf(key)).update(message).digest();
}

function objectOf(key: Uint8Array): KeyObject {
  const known = objects.get(key);
  if (known !== undefined) return known;
  const made = createSecretKey(key);
  objects.set(key, made);
  return made;
}

/** The same as base64url, under the key that signs. */
export function sign(keys: Keys, ...parts: readonly string[]): string {
  return Buffer.from(mac(keys[0], ...parts)).toString("base64url");
}

/** Whether `signature` was made over `parts` by one of the keys. Takes the same time wherever it differs. */
export function verify(keys: Keys, signature: string, ...parts: readonly string[]): boolean {
  const given = Buffer.from(signature);
  return keys.some((key) => sameBytes(given, Buffer.from(sign([key], ...parts))));
}

/** Whether two texts are the same, in a time that tells nothing about where they differ. Digests are compared, so that texts of any two lengths can be. */
export function equal(one: string, other: string): boolean {
  const hash = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(one), hash(other));
}

/** A short public name of a key. */
export function keyId(key: Uint8Array): string {
  return createHash("sha256").update("sallyport/key-id\0").update(key).digest("base64url").slice(0, 8);
}

function rootsOf({ secrets, upstreamClientSecret, issuer }: KeySources): readonly Uint8Array[] {
  if (secrets.length > 0) return strongKeys("secret", secrets);
  const bytes = Buffer.from(upstreamClientSecret, "utf8");
  if (bytes.length < WEAK) {
    throw new ConfigurationError(
      "secret",
      `needed, because the upstream client secret is too short to derive keys from (under ${WEAK} bytes)`,
    );
  }
  if (bytes.length >= STRONG) return [bytes];
  // A short upstream secret could be searched for offline, with one of our own tokens as the test. Once, at start, each guess is made expensive.
  return [scryptSync(bytes, `sallyport/root\0${issuer}`, 32, { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 })];
}

/** The bytes of keys that can't be guessed, as far as that can be seen. @throws {ConfigurationError} naming the option */
export function strongKeys(option: string, keys: readonly (string | Uint8Array)[]): Keys {
  if (keys.length === 0) throw new ConfigurationError(option, "an empty list; leave it out to use the default");
  const bytes = keys.map((key) => (typeof key === "string" ? Buffer.from(key, "utf8") : Buffer.from(key)));
  for (const [index, key] of bytes.entries()) {
    const name = keys.length === 1 ? option : `${option}[${index}]`;
    if (key.length < STRONG)
      throw new ConfigurationError(name, `at least ${STRONG} bytes are needed; make one with: openssl rand -base64 32`);
    if (new Set(key).size < WEAK)
      throw new ConfigurationError(name, "repeats so few different bytes that it can be guessed");
    if (bytes.findIndex((other) => other.equals(key)) !== index)
      throw new ConfigurationError(name, "stands in the list twice");
  }
  return nonEmpty(bytes);
}

function hkdf(key: Uint8Array, salt: string, purpose: KeyPurpose): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", key, salt, `sallyport/${purpose}`, 32));
}

function nonEmpty(keys: readonly Uint8Array[]): Keys {
  const [first, ...rest] = keys;
  if (first === undefined) throw new ConfigurationError("secret", "no key at all");
  return [first, ...rest];
}
