import { inspect } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ConfigurationError } from "../protocol/errors.ts";
import { KeyRing, open, seal } from "./sealing.ts";

const material = fc.uint8Array({ minLength: 32, maxLength: 64 }).filter((bytes) => new Set(bytes).size >= 8);
const text = fc.string({ unit: "grapheme" });
const anyKey = fc.string({ unit: "binary" });

const oldKey = Buffer.from("old key, long enough to be a key 0123456789");
const newKey = Buffer.from("new key, long enough to be a key 0123456789");
const ring = new KeyRing([oldKey]);

test("what was sealed opens: any key, any place, any text", () => {
  fc.assert(
    fc.property(material, anyKey, text, (bytes, key, plaintext) => {
      const keys = new KeyRing([bytes]);
      expect(open(keys, key, seal(keys, key, plaintext))).toEqual({ plaintext });
    }),
  );
});

test("any changed character is damage, or names a key that nobody has", () => {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ ";
  fc.assert(
    fc.property(text, fc.nat(), fc.constantFrom(...alphabet), (plaintext, position, character) => {
      const sealed = seal(ring, "grant:1", plaintext);
      const at = position % sealed.length;
      fc.pre(sealed[at] !== character);
      const forged = sealed.slice(0, at) + character + sealed.slice(at + 1);
      expect(open(ring, "grant:1", forged)).toHaveProperty("unreadable");
    }),
    { numRuns: 1000 },
  );
});

test("any flipped bit of nonce, ciphertext and tag is damage", () => {
  const sealed = seal(ring, "grant:1", "secret");
  const header = sealed.slice(0, sealed.lastIndexOf(".") + 1);
  const body = Buffer.from(sealed.slice(header.length), "base64url");
  for (let bit = 0; bit < body.length * 8; bit += 1) {
    const forged = Buffer.from(body);
    forged.writeUInt8(forged.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    expect(open(ring, "grant:1", header + forged.toString("base64url"))).toEqual({ unreadable: "damaged" });
  }
});

test("anything cut off or added is damage", () => {
  const sealed = seal(ring, "grant:1", "secret");
  for (let length = 0; length < sealed.length; length += 1) {
    expect(open(ring, "grant:1", sealed.slice(0, length))).toHaveProperty("unreadable");
  }
  for (const extra of ["A", "AAAA", "=", "\n", ".", "\u0000"]) {
    expect(open(ring, "grant:1", sealed + extra)).toEqual({ unreadable: "damaged" });
  }
});

test("a record has one spelling: base64url that decodes to the same bytes is damage", () => {
  // One byte of plaintext makes 29 bytes of body, which leave two bits of the last character unused.
  const sealed = seal(ring, "grant:1", "x");
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const twin = sealed.slice(0, -1) + alphabet[alphabet.indexOf(sealed.slice(-1)) + 1];
  const bytes = (text: string) => Buffer.from(text.slice(text.lastIndexOf(".") + 1), "base64url");
  expect(bytes(twin)).toEqual(bytes(sealed));
  expect(open(ring, "grant:1", twin)).toEqual({ unreadable: "damaged" });
});

test("a record that was copied to any other key does not open there", () => {
  fc.assert(
    fc.property(anyKey, anyKey, text, (key, other, plaintext) => {
      fc.pre(key !== other);
      expect(open(ring, other, seal(ring, key, plaintext))).toEqual({ unreadable: "damaged" });
    }),
  );
});

test("two keys that are one in UTF-8 are two here", () => {
  expect(open(ring, "grant:\ud801", seal(ring, "grant:\ud800", "secret"))).toEqual({ unreadable: "damaged" });
});

test("any other ring has not got the key, and says so", () => {
  fc.assert(
    fc.property(material, text, (bytes, plaintext) => {
      fc.pre(!oldKey.equals(bytes));
      expect(open(new KeyRing([bytes]), "k", seal(ring, "k", plaintext))).toEqual({ unreadable: "key" });
    }),
  );
});

test("a record that names another key of the ring does not open with it", () => {
  const both = new KeyRing([newKey, oldKey]);
  const sealed = seal(ring, "k", "secret");
  const renamed = sealed.replace(ring.first.id, both.first.id);
  expect(renamed).not.toBe(sealed);
  expect(open(both, "k", renamed)).toEqual({ unreadable: "damaged" });
});

test("a ring [new, old] opens what the old key sealed, and seals with the new one", () => {
  fc.assert(
    fc.property(material, material, text, (fresh, former, plaintext) => {
      fc.pre(!Buffer.from(fresh).equals(former));
      const both = new KeyRing([fresh, former]);
      expect(open(both, "k", seal(new KeyRing([former]), "k", plaintext))).toEqual({ plaintext });
      expect(open(new KeyRing([fresh]), "k", seal(both, "k", plaintext))).toEqual({ plaintext });
      expect(open(new KeyRing([former]), "k", seal(both, "k", plaintext))).toEqual({ unreadable: "key" });
    }),
  );
});

test("what was never sealed is damage", () => {
  for (const stranger of ["", "s1", "s1.", '{"subject":"alice"}', "s2.AAAAAAAA.AAAA", `s1.${ring.first.id}.`]) {
    expect(open(ring, "k", stranger)).toEqual({ unreadable: "damaged" });
  }
});

test("NIST SP 800-38D §8.2: every seal takes a nonce of 96 bits from its source, and the system's never repeats", () => {
  const sizes: number[] = [];
  const counted = new KeyRing([oldKey], {
    randomBytes: (size) => {
      sizes.push(size);
      return Buffer.alloc(size, sizes.length);
    },
  });
  expect(open(ring, "k", seal(counted, "k", "secret"))).toEqual({ plaintext: "secret" });
  seal(counted, "k", "secret");
  expect(sizes).toEqual([12, 12]);

  expect(new Set(Array.from({ length: 1000 }, () => seal(ring, "k", "secret"))).size).toBe(1000);
});

test("the key that is given is neither the key that encrypts nor its public id", () => {
  const encrypting = ring.first.secret.export();
  expect(encrypting).toHaveLength(32);
  expect(encrypting.equals(oldKey.subarray(0, 32))).toBe(false);
  expect(encrypting.toString("base64url").startsWith(ring.first.id)).toBe(false);
});

test("a ring in a log line shows no key", () => {
  const line = inspect(ring, { depth: 9, showHidden: true }) + JSON.stringify(ring);
  expect(line).not.toContain(ring.first.secret.export().toString("hex"));
  expect(line).not.toContain(ring.first.secret.export().toString("base64"));
  expect(line).not.toContain(oldKey.toString());
});

test("a sealed text shows nothing but its version, its key's id and its length", () => {
  expect(seal(ring, "grant:1", "secret")).toMatch(new RegExp(`^s1\\.${ring.first.id}\\.[A-Za-z0-9_-]{46}$`));
});

test("a text that UTF-8 would change is refused, not changed", () => {
  expect(() => seal(ring, "k", "\ud800")).toThrow(TypeError);
});

test("weak keys are refused, and the error names the option and not the key", () => {
  const refusal = (keys: readonly Uint8Array[]): unknown => {
    try {
      return new KeyRing(keys);
    } catch (error) {
      return error;
    }
  };
  expect(refusal([])).toBeInstanceOf(ConfigurationError);
  for (const weak of [Buffer.from("short"), new Uint8Array(32), Buffer.from("ab".repeat(20))]) {
    expect(refusal([weak])).toMatchObject({ name: "ConfigurationError", option: "encryptionKey" });
    expect(refusal([newKey, weak])).toMatchObject({ name: "ConfigurationError", option: "encryptionKey[1]" });
    expect(String(refusal([weak]))).not.toContain(Buffer.from(weak).toString());
  }
});
