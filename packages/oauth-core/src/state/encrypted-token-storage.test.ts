import { expect, test } from "vitest";
import { ConfigurationError } from "../protocol/errors.ts";
import { EncryptedTokenStorage } from "./encrypted-token-storage.ts";
import { MemoryTokenStorage } from "./memory-token-storage.ts";
import { isAtomic, type TokenStorage } from "./token-storage.ts";

const KEY = "a key that is long enough for AES, really";
const OTHER_KEY = "another key that is long enough for AES, too";

/** The backend with the four documented verbs and no more. */
function plain(backend: TokenStorage): TokenStorage {
  return {
    get: (key) => backend.get(key),
    save: (key, value, ttl) => backend.save(key, value, ttl),
    delete: (key) => backend.delete(key),
    cleanup: () => backend.cleanup(),
  };
}

test("the backend sees nothing of a value", async () => {
  const backend = new MemoryTokenStorage();
  const storage = new EncryptedTokenStorage(backend, KEY);
  await storage.save("k:saved", { token: "top-secret" });
  await storage.claim?.("k:claimed", { token: "top-secret" });
  await storage.replace?.("k:claimed", { token: "top-secret" }, { token: "top-secret", n: 2 });

  for (const key of ["k:saved", "k:claimed"]) {
    expect(await backend.get(key)).toMatch(/^s1\./);
    expect(JSON.stringify(await backend.get(key))).not.toContain("top-secret");
  }
  expect(await storage.get("k:claimed")).toEqual({ token: "top-secret", n: 2 });
});

test("a record that was copied to another key is unreadable there", async () => {
  const backend = new MemoryTokenStorage();
  const storage = new EncryptedTokenStorage(backend, KEY);
  await storage.save("grant:alice", { subject: "alice" });
  await backend.save("grant:mallory", await backend.get("grant:alice"));
  expect(await storage.get("grant:mallory")).toBeUndefined();
});

test("an instance with another key reads nothing, overwrites nothing by claim or replace, and destroys nothing", async () => {
  const backend = new MemoryTokenStorage();
  const owner = new EncryptedTokenStorage(backend, KEY);
  const stranger = new EncryptedTokenStorage(backend, OTHER_KEY);
  await owner.save("grant", { subject: "alice" });

  expect(await stranger.get("grant")).toBeUndefined();
  expect(await stranger.take?.("grant")).toBeUndefined();
  expect(await stranger.claim?.("grant", { subject: "mallory" })).toBe(false);
  expect(await stranger.replace?.("grant", { subject: "alice" }, { subject: "mallory" })).toBe(false);
  await stranger.cleanup();
  expect(await owner.get("grant")).toEqual({ subject: "alice" });
});

test("whoever asks is told of unreadable records, once for each reason", async () => {
  const backend = new MemoryTokenStorage();
  await new EncryptedTokenStorage(backend, KEY).save("a", 1);
  await new EncryptedTokenStorage(backend, KEY).save("b", 2);
  await backend.save("c", "never sealed");
  await backend.save("d", { never: "sealed" });

  const told: string[] = [];
  const storage = new EncryptedTokenStorage(backend, OTHER_KEY, {
    onUnreadable: (key, why) => told.push(`${key} ${why}`),
  });
  for (const key of ["a", "b", "c", "d", "a", "absent"]) expect(await storage.get(key)).toBeUndefined();
  expect(told).toEqual(["a key", "c damaged"]);
});

test("of a list of keys the first seals and all open", async () => {
  const backend = new MemoryTokenStorage();
  await new EncryptedTokenStorage(backend, KEY).save("old", "by the old key");
  const rotated = new EncryptedTokenStorage(backend, [OTHER_KEY, KEY]);
  await rotated.save("new", "by the new key");

  expect(await rotated.get("old")).toBe("by the old key");
  expect(await rotated.replace?.("old", "by the old key", "sealed again")).toBe(true);
  const later = new EncryptedTokenStorage(backend, OTHER_KEY);
  expect(await later.get("new")).toBe("by the new key");
  expect(await later.get("old")).toBe("sealed again");
});

test("a key is the same as text and as bytes", async () => {
  const backend = new MemoryTokenStorage();
  await new EncryptedTokenStorage(backend, KEY).save("k", "value");
  expect(await new EncryptedTokenStorage(backend, new TextEncoder().encode(KEY)).get("k")).toBe("value");
});

test("weak keys are refused", () => {
  for (const weak of ["", "short", "x".repeat(64), new Uint8Array(32), []]) {
    expect(() => new EncryptedTokenStorage(new MemoryTokenStorage(), weak)).toThrow(ConfigurationError);
  }
});

test("atomic verbs, list and close are there exactly where the backend has them", async () => {
  const backend = new MemoryTokenStorage();
  expect(isAtomic(new EncryptedTokenStorage(backend, KEY))).toBe(true);

  const bare = new EncryptedTokenStorage(plain(backend), KEY);
  expect(isAtomic(bare)).toBe(false);
  for (const verb of ["claim", "replace", "take", "list", "close"]) expect(verb in bare).toBe(false);

  let closed = 0;
  const close = async () => {
    closed += 1;
  };
  const closing = new EncryptedTokenStorage({ ...plain(backend), close }, KEY);
  await closing.close?.();
  expect(closed).toBe(1);
});

test("a replace succeeds where somebody sealed the same value again between its look and its swap", async () => {
  const backend = new MemoryTokenStorage();
  const storage = new EncryptedTokenStorage(backend, KEY);
  await storage.save("k", { n: 1 });

  let interruptions = 3;
  const interrupted = new EncryptedTokenStorage(
    {
      ...plain(backend),
      replace: async (key, expected, value, ttl) => {
        interruptions -= 1;
        if (interruptions >= 0) await storage.save("k", { n: 1 });
        return backend.replace(key, expected, value, ttl);
      },
    },
    KEY,
  );
  expect(await interrupted.replace?.("k", { n: 1 }, { n: 2 })).toBe(true);
  expect(interruptions).toBe(-1);
  expect(await storage.get("k")).toEqual({ n: 2 });
});

test("take hands out and removes", async () => {
  const storage = new EncryptedTokenStorage(new MemoryTokenStorage(), KEY);
  await storage.save("k", "value");
  expect(await storage.take?.("k")).toBe("value");
  expect(await storage.take?.("k")).toBeUndefined();
});

test("what JSON can't carry is refused", async () => {
  const storage = new EncryptedTokenStorage(new MemoryTokenStorage(), KEY);
  await expect(storage.save("k", undefined)).rejects.toThrow(TypeError);
  await expect(storage.claim?.("k", () => 1)).rejects.toThrow(TypeError);
});
