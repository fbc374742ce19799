/** Sealing: what leaves for a storage is encrypted, bound to its place, and names its key. AES-256-GCM, NIST SP 800-38D; HKDF, RFC 5869. */

import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject, randomBytes } from "node:crypto";
import { ConfigurationError } from "../protocol/errors.ts";

const ALGORITHM = "aes-256-gcm";
const VERSION = "s1.";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const KEY_ID_BYTES = 6;
/** Different bytes that a key must have. Of 2^120 random keys not one has fewer; hexadecimal text has up to 16. */
const LEAST_VARIETY = 8;
const LONE_SURROGATE = /\p{Surrogate}/u;
/** Version, key id in base64url, dot. */
const HEADER = /^s1\.[A-Za-z0-9_-]{8}\.$/;
const HEADER_LENGTH = VERSION.length + (KEY_ID_BYTES * 4) / 3 + 1;

/** What came of an attempt to open: the plaintext, or why there is none. */
export type Opened = { readonly plaintext: string } | { readonly unreadable: Unreadable };

/** Why a record can't be read. `key`: it names a key that this ring has not; `damaged`: changed, moved, or never sealed. */
export type Unreadable = "key" | "damaged";

/** A derived key and its public name. The secret is a key object, which no log line prints. */
export interface SealingKey {
  readonly id: string;
  readonly secret: KeyObject;
}

/** Where the nonces come from, for tests. */
export interface KeyRingOptions {
  /** `size` random bytes. **A source that repeats itself gives plaintexts and the key's authentication away.** Default: `node:crypto`. */
  readonly randomBytes?: ((size: number) => Uint8Array) | undefined;
}

/**
 * The keys of one purpose: the first one seals, all of them open.
 *
 * To change a key put the new one in front, and take the old one away when everything that it sealed has expired. The keys given are
 * never used as they are: the encryption key and the key's public id are both derived, each under its own label, so that the id says
 * nothing about the key.
 *
 * One key should seal at most 2³² records (NIST SP 800-38D §8.3), at a hundred a second more than a year's worth.
 *
 * @throws {ConfigurationError} naming `encryptionKey` without a key, or with one that is shorter than 32 bytes or has fewer than eight different ones.
 * @see {@link https://www.rfc-editor.org/rfc/rfc5869 RFC 5869}
 */
export class KeyRing {
  /** The key that seals. */
  readonly first: SealingKey;
  readonly #keys: ReadonlyMap<string, SealingKey>;
  readonly #randomBytes: (size: number) => Uint8Array;

  constructor(keys: readonly Uint8Array[], options: KeyRingOptions = {}) {
    for (const [index, key] of keys.entries()) {
      assertStrong(keys.length === 1 ? "encryptionKey" : `encryptionKey[${index}]`, key);
    }
    const derived = keys.map(sealingKey);
    const [first] = derived;
    if (first === undefined) throw new ConfigurationError("encryptionKey", "at least one key is needed");

    this.first = first;
    this.#keys = new Map(derived.map((key) => [key.id, key]));
    this.#randomBytes = options.randomBytes ?? randomBytes;
  }

  /** The key of that id; `undefined` where the ring has not got it. */
  get(id: string): SealingKey | undefined {
    return this.#keys.get(id);
  }

  /** A fresh nonce of 96 bits. */
  nonce(): Uint8Array {
    return this.#randomBytes(NONCE_BYTES);
  }
}

/**
 * Seals a text for one place: `s1.<key id>.<nonce, ciphertext and tag in base64url>`.
 *
 * @param key the storage key that the record will lie under. It is authenticated with the record, so that one that was copied to
 *   another key (a victim's grant under an attacker's name) does not open there.
 * @param plaintext a well-formed string, as `JSON.stringify` makes them
 * @throws {TypeError} for a lone surrogate, which UTF-8 can't carry back.
 * @see {@link https://csrc.nist.gov/pubs/sp/800/38/d/final NIST SP 800-38D}
 */
export function seal(ring: KeyRing, key: string, plaintext: string): string {
  if (LONE_SURROGATE.test(plaintext)) throw new TypeError("A text to be sealed has to be well-formed Unicode.");

  const { id, secret } = ring.first;
  const header = `${VERSION}${id}.`;
  const nonce = ring.nonce();
  const cipher = createCipheriv(ALGORITHM, secret, nonce, { authTagLength: TAG_BYTES }).setAAD(
    associatedData(header, key),
  );
  const body = Buffer.concat([nonce, cipher.update(plaintext, "utf8"), cipher.final(), cipher.getAuthTag()]);
  return header + body.toString("base64url");
}

/**
 * Opens what {@link seal} made for the same `key` with any key of the ring.
 *
 * A record that can't be read is told apart, not thrown: `key` is a matter of configuration (another deployment, or a key taken out of
 * the ring too early), `damaged` one of integrity. Neither is a reason to delete the record; an instance with the wrong key would
 * destroy what the right one needs.
 */
export function open(ring: KeyRing, key: string, sealed: string): Opened {
  const header = sealed.slice(0, HEADER_LENGTH);
  if (!HEADER.test(header)) return { unreadable: "damaged" };
  const sealer = ring.get(header.slice(VERSION.length, -1));
  if (sealer === undefined) return { unreadable: "key" };

  const text = sealed.slice(HEADER_LENGTH);
  const body = Buffer.from(text, "base64url");
  // RFC 4648 §3.5: decoding forgives stray characters and trailing bits; then one record would have many spellings.
  if (body.length < NONCE_BYTES + TAG_BYTES || body.toString("base64url") !== text) return { unreadable: "damaged" };

  const decipher = createDecipheriv(ALGORITHM, sealer.secret, body.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  })
    .setAAD(associatedData(header, key))
    .setAuthTag(body.subarray(-TAG_BYTES));
  const plaintext = decipher.update(body.subarray(NONCE_BYTES, -TAG_BYTES));
  try {
    return { plaintext: Buffer.concat([plaintext, decipher.final()]).toString("utf8") };
  } catch {
    // `final` throws for one reason only: the tag does not match.
    return { unreadable: "damaged" };
  }
}

/** Whether a seal was made with a key that seals no more, and can't be opened once that one is taken away. */
export function isOutdated(ring: KeyRing, sealed: string): boolean {
  return !sealed.startsWith(`${VERSION}${ring.first.id}.`);
}

/** UTF-16, because UTF-8 would make one of all lone surrogates, and two different keys would share their seal. */
function associatedData(header: string, key: string): Uint8Array {
  return Buffer.from(header + key, "utf16le");
}

function sealingKey(material: Uint8Array): SealingKey {
  return {
    id: derive(material, "sallyport/sealing/key-id", KEY_ID_BYTES).toString("base64url"),
    secret: createSecretKey(derive(material, "sallyport/sealing/aes-256-gcm", KEY_BYTES)),
  };
}

/** HKDF-SHA256 under a label. The material is strong already: no salt, and no slow derivation. RFC 5869 §3.1. */
function derive(material: Uint8Array, label: string, bytes: number): Buffer {
  return Buffer.from(hkdfSync("sha256", material, new Uint8Array(0), label, bytes));
}

/** Refuses what is certainly no key: one that is too short, or a buffer that nobody filled. */
function assertStrong(option: string, key: Uint8Array): void {
  if (key.length < KEY_BYTES) throw new ConfigurationError(option, `at least ${KEY_BYTES} bytes are needed`);
  if (new Set(key).size < LEAST_VARIETY) {
    throw new ConfigurationError(option, "repeats so few different bytes that it can be guessed");
  }
}
