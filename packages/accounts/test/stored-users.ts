/** Stored users as a server makes them, over any storage, and people to put into them. */

import { randomBytes, randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { Collection, KeyRing, type Keys, type Runtime } from "@sallyport/oauth-core/accounts";
import type { AtomicTokenStorage } from "@sallyport/oauth-core/storage";
import type { LoginRecord } from "../src/login-index.ts";
import { StoredUsers } from "../src/stored-users.ts";
import type { UserRecord } from "../src/user-record.ts";
import type { User } from "../src/user-store.ts";

/** What a test may change. */
export interface Surroundings {
  /** The first seals and records, all open and find. */
  readonly keys?: Keys | undefined;
  /** Where names are recorded under other keys than those that seal. Default: under the same. */
  readonly nameKeys?: Keys | undefined;
  /** Whether the operator turned encryption off. Default false. */
  readonly unsealed?: boolean | undefined;
  readonly runtime?: Partial<Runtime> | undefined;
}

/** A key that can't be guessed. */
export function newKey(): Uint8Array {
  return new Uint8Array(randomBytes(32));
}

const KEY = newKey();

/** The two collections behind stored users. */
export function collectionsOver(storage: AtomicTokenStorage, { keys = [KEY], unsealed = false }: Surroundings = {}) {
  const ring = unsealed ? undefined : new KeyRing(keys);
  return {
    users: new Collection<UserRecord>({ storage, prefix: "accounts-user", ring }),
    logins: new Collection<LoginRecord>({ storage, prefix: "accounts-login", ring }),
  };
}

/** Stored users over a storage. */
export function usersOver(storage: AtomicTokenStorage, surroundings: Surroundings = {}): StoredUsers {
  const { keys = [KEY], nameKeys = keys, runtime = {} } = surroundings;
  return new StoredUsers({
    ...collectionsOver(storage, surroundings),
    keys: nameKeys,
    runtime: {
      now: () => Math.floor(Date.now() / 1000),
      randomBytes: (size) => new Uint8Array(randomBytes(size)),
      pause: async (milliseconds) => void (await pause(milliseconds)),
      ...runtime,
    },
  });
}

/** Somebody new. */
export function person(change: Partial<User> = {}): User {
  const word = randomUUID();
  return {
    id: word,
    username: `user-${word}`,
    email: `${word}@example.com`,
    emailVerified: true,
    name: `Person ${word}`,
    passwordHash: `$argon2id$${word}`,
    roles: ["member"],
    claims: { word },
    disabled: false,
    epoch: 0,
    createdAt: 1_800_000_000,
    version: 0,
    ...change,
  };
}
