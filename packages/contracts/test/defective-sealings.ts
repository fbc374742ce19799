/** Sealing of which something has gone wrong: each with the clause that names its defect. */

import { EncryptedTokenStorage, type TokenStorage } from "@sallyport/oauth-core";
import type { SealedStorageSubject } from "../src/storage-subject.ts";

type Sealing = SealedStorageSubject["EncryptedTokenStorage"];
type Given = ConstructorParameters<Sealing>;

/** Sound sealing with one verb, or a few, gone wrong. */
function sealingBut(spoil: (sealed: TokenStorage, ...given: Given) => Partial<TokenStorage>): Sealing {
  return class extends EncryptedTokenStorage {
    constructor(...given: Given) {
      super(...given);
      Object.assign(this, spoil(new EncryptedTokenStorage(...given), ...given));
    }
  };
}

/** Every verb that decides or moves a value, of another storage. */
function through(storageFor: (key: string) => readonly [storage: TokenStorage, key: string]): Partial<TokenStorage> {
  return {
    get: (key) => {
      const [storage, name] = storageFor(key);
      return storage.get(name);
    },
    save: (key, value, ttl) => {
      const [storage, name] = storageFor(key);
      return storage.save(name, value, ttl);
    },
    claim: async (key, value, ttl) => {
      const [storage, name] = storageFor(key);
      return (await storage.claim?.(name, value, ttl)) ?? false;
    },
    replace: async (key, expected, value, ttl) => {
      const [storage, name] = storageFor(key);
      return (await storage.replace?.(name, expected, value, ttl)) ?? false;
    },
    take: async (key) => {
      const [storage, name] = storageFor(key);
      return storage.take?.(name);
    },
  };
}

/** Sound sealing that was handed other keys, or another listener, than those that were meant. */
const sealingWith = (change: (...given: Given) => Given): Sealing =>
  sealingBut((_, ...given) => {
    const other = new EncryptedTokenStorage(...change(...given));
    return through((key) => [other, key]);
  });

/** One record of a backend, under another name. */
const one = (backend: TokenStorage, key: string): TokenStorage => ({
  get: () => backend.get(key),
  save: (_, value, ttl) => backend.save(key, value, ttl),
  delete: () => backend.delete(key),
  cleanup: () => backend.cleanup(),
  claim: async (_, value, ttl) => (await backend.claim?.(key, value, ttl)) ?? false,
  replace: async (_, expected, value, ttl) => (await backend.replace?.(key, expected, value, ttl)) ?? false,
});

const listOf = (keys: string | readonly string[]) => (typeof keys === "string" ? [keys] : keys);

export const defectiveSealings: readonly (readonly [clause: string, defect: string, sealing: Sealing])[] = [
  ["sealed-round-trip", "drops the ttl", sealingBut((sealed) => ({ save: (key, value) => sealed.save(key, value) }))],
  ["sealed-round-trip", "keeps what was deleted", sealingBut(() => ({ delete: async () => undefined }))],
  ["sealed-at-rest", "seals nothing", sealingBut((_, backend) => through((key) => [backend, key]))],
  [
    "sealed-at-rest",
    "does not seal what it claims",
    sealingBut((_, backend) => ({
      claim: async (key, value, ttl) => (await backend.claim?.(key, value, ttl)) ?? false,
    })),
  ],
  [
    "sealed-at-rest",
    "encodes and does not seal",
    sealingBut((_, backend) => ({
      save: (key, value, ttl) =>
        backend.save(key, `s1.${Buffer.from(JSON.stringify(value)).toString("base64url")}`, ttl),
    })),
  ],
  [
    "sealed-rotation",
    "opens with the first key only",
    sealingWith((backend, keys, options) => [backend, listOf(keys).slice(0, 1), options]),
  ],
  [
    "sealed-rotation",
    "seals with the last key",
    sealingWith((backend, keys, options) => [backend, [...listOf(keys)].reverse(), options]),
  ],
  ["sealed-wrong-key", "says nothing", sealingWith((backend, keys) => [backend, keys])],
  [
    "sealed-wrong-key",
    "says so each time",
    sealingBut((_, ...given) => ({ get: (key) => new EncryptedTokenStorage(...given).get(key) })),
  ],
  [
    "sealed-wrong-key",
    "clears away what it can't read",
    sealingBut((sealed, backend) => ({
      get: async (key) => {
        const value = await sealed.get(key);
        if (value === undefined) await backend.delete(key);
        return value;
      },
    })),
  ],
  [
    "sealed-wrong-key",
    "takes before it looks",
    sealingBut((_, backend) => ({
      take: async (key) => {
        await backend.take?.(key);
        return undefined;
      },
    })),
  ],
  [
    "sealed-wrong-key",
    "claims over what it can't read",
    sealingBut((sealed) => ({
      claim: async (key, value, ttl) => {
        if ((await sealed.get(key)) !== undefined) return false;
        await sealed.save(key, value, ttl);
        return true;
      },
    })),
  ],
  [
    "sealed-in-place",
    "seals for no place in particular",
    sealingBut((_, backend, keys, options) =>
      through((key) => [new EncryptedTokenStorage(one(backend, key), keys, options), "anywhere"]),
    ),
  ],
  [
    "sealed-in-place",
    "clears away what was changed",
    sealingBut((sealed, backend) => ({
      claim: async (key, value, ttl) => {
        if ((await sealed.get(key)) === undefined) await backend.delete(key);
        return (await sealed.claim?.(key, value, ttl)) ?? false;
      },
    })),
  ],
  [
    "sealed-claim-one-winner",
    "looks before it claims, and saves",
    sealingBut((sealed) => ({
      claim: async (key, value, ttl) => {
        if ((await sealed.get(key)) !== undefined) return false;
        await sealed.save(key, value, ttl);
        return true;
      },
    })),
  ],
  [
    "sealed-replace-loses-no-update",
    "compares before it replaces, and saves",
    sealingBut((sealed) => ({
      replace: async (key, expected, value, ttl) => {
        if (JSON.stringify(await sealed.get(key)) !== JSON.stringify(expected)) return false;
        await sealed.save(key, value, ttl);
        return true;
      },
    })),
  ],
  [
    "sealed-take-one-winner",
    "reads, and then removes",
    sealingBut((sealed) => ({
      take: async (key) => {
        const value = await sealed.get(key);
        await sealed.delete(key);
        return value;
      },
    })),
  ],
  ["sealed-list", "names nothing", sealingBut(() => ({ list: async () => ({ keys: [] }) }))],
];
