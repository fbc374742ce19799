/** What stored users do beyond the contract: what lies in the storage, how many calls it takes, and sign-ups that got stuck. */

import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { RemoteMemory } from "../test/remote-memory.ts";
import { newKey, person, usersOver } from "../test/stored-users.ts";
import type { StoredUsers } from "./stored-users.ts";
import type { User } from "./user-store.ts";

const MINUTE = 60;

/** A storage and a clock. Who waits for somebody else lets time pass for everybody. */
function place(unsealed = false): {
  readonly storage: RemoteMemory;
  readonly open: () => StoredUsers;
  readonly pass: (seconds: number) => void;
} {
  let now = 1_800_000_000;
  const storage = new RemoteMemory(() => now);
  const pause = async (): Promise<void> => {
    await new Promise<void>((resolve) => setImmediate(resolve));
  };
  return {
    storage,
    open: () => usersOver(storage, { unsealed, runtime: { now: () => now, pause } }),
    pass: (seconds) => {
      now += seconds;
    },
  };
}

/** Holds the first call of that verb for that kind of record until it is told to go on. */
function holding(storage: RemoteMemory, verb: string, prefix: string) {
  const reached = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  storage.before = async (called, key) => {
    if (called !== verb || !key.startsWith(prefix)) return;
    storage.before = () => undefined;
    reached.resolve();
    await goOn.promise;
  };
  return { reached: reached.promise, goOn: goOn.resolve };
}

/** Somebody who was read, or an error that says that there is nobody. */
async function present(found: Promise<User | undefined>): Promise<User> {
  const user = await found;
  if (user === undefined) throw new Error("There is nobody.");
  return user;
}

test("at rest nothing of a person can be read, in no key and in no value, and no name can be tried against a key", async () => {
  const { storage, open } = place();
  const users = open();
  const somebody = person({
    username: "margarethe",
    email: "margarethe@example.com",
    name: "Margarethe Ünlü",
    roles: ["treasurer"],
  });
  expect(await users.create(somebody)).toBe("created");
  expect(await users.update({ ...somebody, email: "greta@example.org" })).toBe("updated");
  await users.create(person({ username: "margarethe" }));

  const dump = await storage.dump();
  expect(dump.size).toBeGreaterThan(2);
  const words = ["margarethe", "greta", "Ünlü", "example", "treasurer", "argon2id", somebody.passwordHash ?? ""];
  const digests = ["margarethe", "margarethe@example.com", "greta@example.org"].flatMap((name) =>
    (["hex", "base64url"] as const).map((form) => createHash("sha256").update(name).digest(form)),
  );
  for (const [key, value] of dump) {
    const text = `${key} ${String(value)} ${Buffer.from(String(value), "base64url").toString("latin1")}`.toLowerCase();
    for (const word of [...words, ...digests]) expect(text).not.toContain(word.toLowerCase());
  }
});

test("a lookup by login makes the same calls for somebody and for nobody, with one key and with several", async () => {
  for (const keys of [[newKey()], [newKey(), newKey()]] as const) {
    const storage = new RemoteMemory();
    const users = usersOver(storage, { keys: [...keys] });
    const somebody = person();
    await users.create(somebody);
    const callsFor = async (login: Parameters<StoredUsers["findByLogin"]>[0]): Promise<readonly string[]> => {
      storage.calls.length = 0;
      await users.findByLogin(login);
      return storage.calls.map((call) => call.replace(/:.*/, ""));
    };
    const known = await callsFor({ username: somebody.username ?? "" });
    expect(known).toEqual([...keys.map(() => "get accounts-login"), "get accounts-user"]);
    expect(await callsFor({ username: "nobody" })).toEqual(known);
    expect(await callsFor({ email: "nobody@example.com" })).toEqual(known);
  }
});

test("an update that changes no name is two calls, and find is one", async () => {
  const { storage, open } = place();
  const users = open();
  const somebody = person();
  await users.create(somebody);
  storage.calls.length = 0;
  await users.update({ ...somebody, disabled: true });
  expect(storage.calls).toEqual([`get accounts-user:${somebody.id}`, `replace accounts-user:${somebody.id}`]);
  storage.calls.length = 0;
  await users.find(somebody.id);
  expect(storage.calls).toHaveLength(1);
});

test("an id that is none and a user without any name are refused, and so is a page of no size", async () => {
  const users = place().open();
  for (const id of ["", "a b", "a:b", "ä", "x".repeat(129), "a\n"])
    await expect(users.create(person({ id }))).rejects.toThrow(TypeError);
  const nameless = person({ username: undefined, email: undefined });
  await expect(users.create(nameless)).rejects.toThrow(/username/);
  await expect(users.update(nameless)).rejects.toThrow(/username/);
  for (const limit of [0, -1, 1.5, 1001, Number.NaN]) await expect(users.list({ limit })).rejects.toThrow(RangeError);
});

test("a storage that can't list says so, and everything else works", async () => {
  const { storage } = place();
  const users = usersOver(Object.assign(storage, { list: undefined }));
  const somebody = person();
  expect(await users.create(somebody)).toBe("created");
  expect(await users.findByLogin({ email: somebody.email ?? "" })).toEqual(somebody);
  await expect(users.list()).rejects.toMatchObject({ name: "ConfigurationError", option: "tokenStorage" });
});

describe.each([
  ["sealed", false],
  ["with encryption turned off", true],
])("a sign-up that got stuck, %s", (_, unsealed) => {
  test("keeps its names for a minute, and nobody waits for longer than a moment", async () => {
    const { storage, open, pass } = place(unsealed);
    const stuck = person();
    storage.before = (verb, key) => {
      if (verb === "claim" && key.startsWith("accounts-user")) throw new Error("killed");
    };
    await expect(open().create(stuck)).rejects.toThrow("killed");
    storage.before = () => undefined;

    const next = person({ username: stuck.username, email: stuck.email });
    expect(await open().create(next)).toBe("taken");
    expect(await open().findByLogin({ username: stuck.username ?? "" })).toBeUndefined();
    pass(MINUTE - 1);
    expect(await open().create(next)).toBe("taken");
    pass(1);
    expect(await open().create(next)).toBe("created");
    expect(await open().findByLogin({ username: stuck.username ?? "" })).toEqual(next);
  });

  test("may be repeated with the same id after a minute", async () => {
    const { storage, open, pass } = place(unsealed);
    const stuck = person();
    storage.before = (verb, key) => {
      if (verb === "claim" && key.startsWith("accounts-user")) throw new Error("killed");
    };
    await expect(open().create(stuck)).rejects.toThrow("killed");
    storage.before = () => undefined;
    pass(MINUTE);
    expect(await open().create(stuck)).toBe("created");
    expect(await open().findByLogin({ email: stuck.email ?? "" })).toEqual(stuck);
  });

  test("and goes on after its names were given to another is told taken, and was never there", async () => {
    const { storage, open, pass } = place(unsealed);
    const [slow, quick] = [person({ username: "wanted" }), person({ username: "wanted" })];
    const { reached, goOn } = holding(storage, "claim", "accounts-user");
    const creating = open().create(slow);
    await reached;
    pass(MINUTE);
    expect(await open().create(quick)).toBe("created");
    goOn();

    expect(await creating).toBe("taken");
    expect(await open().findByLogin({ username: "wanted" })).toEqual(quick);
    expect(await open().find(slow.id)).toBeUndefined();
    expect(await open().findByLogin({ email: slow.email ?? "" })).toBeUndefined();
    expect((await open().list()).users).toEqual([quick]);
  });

  test("keeps what it shares with another one for the same id that is refused", async () => {
    const { storage, open, pass } = place(unsealed);
    const owner = person();
    await open().create(owner);
    const slow = person();
    const { reached, goOn } = holding(storage, "claim", "accounts-user");
    const creating = open().create(slow);
    await reached;
    pass(MINUTE);
    expect(await open().create({ ...slow, email: owner.email })).toBe("taken");
    goOn();

    expect(await creating).toBe("created");
    expect(await open().findByLogin({ username: slow.username ?? "" })).toEqual(slow);
    expect(await open().create(person({ username: slow.username }))).toBe("taken");
  });
});

describe.each([
  ["sealed", false],
  ["with encryption turned off", true],
])("a rename that got stuck, %s", (_, unsealed) => {
  test("and goes on after the name was given to another is told taken, and leaves everything as it was", async () => {
    const { storage, open, pass } = place(unsealed);
    const slow = person();
    await open().create(slow);
    const { reached, goOn } = holding(storage, "replace", "accounts-user");
    const renaming = open().update({ ...slow, username: "wanted" });
    await reached;
    pass(MINUTE);
    const quick = person({ username: "wanted" });
    expect(await open().create(quick)).toBe("created");
    goOn();

    expect(await renaming).toBe("taken");
    expect(await open().findByLogin({ username: "wanted" })).toEqual(quick);
    expect(await open().findByLogin({ username: slow.username ?? "" })).toEqual(slow);
  });

  test("after its deed, before it let the old name go, leaves that to whoever wants it", async () => {
    const { storage, open } = place(unsealed);
    const somebody = person();
    await open().create(somebody);
    storage.before = (verb, key) => {
      if (verb === "replace" && key.startsWith("accounts-login")) throw new Error("connection lost");
    };
    // What was done is told, although tidying up failed.
    expect(await open().update({ ...somebody, username: "new" })).toBe("updated");
    storage.before = () => undefined;
    expect(await open().findByLogin({ username: somebody.username ?? "" })).toBeUndefined();
    expect(await present(open().findByLogin({ username: "new" }))).toMatchObject({ id: somebody.id, version: 1 });
  });

  test("goes on where whoever wanted to take the name over got stuck as well, and these are refused", async () => {
    const { storage, open, pass } = place(unsealed);
    const slow = person();
    await open().create(slow);
    const rename = holding(storage, "replace", "accounts-user");
    const renaming = open().update({ ...slow, username: "wanted" });
    await rename.reached;
    pass(MINUTE);
    const takeover = holding(storage, "replace", "accounts-login");
    const creating = open().create(person({ username: "wanted", email: undefined }));
    await takeover.reached;
    rename.goOn();
    expect(await renaming).toBe("updated");
    takeover.goOn();

    expect(await creating).toBe("taken");
    expect(await open().findByLogin({ username: "wanted" })).toEqual({ ...slow, username: "wanted", version: 1 });
    expect((await open().list()).users).toHaveLength(1);
  });
});

test("a name whose record can't be read is not given away", async () => {
  const { storage, open } = place();
  const somebody = person();
  await open().create(somebody);
  const stranger = usersOver(storage, {});
  const [key] = [...(await storage.dump()).keys()].filter((name) => name.startsWith("accounts-login"));
  await storage.save(key ?? "", "s1.AAAAAAAA.damaged");
  expect(await stranger.create(person({ username: somebody.username, email: somebody.email }))).toBe("taken");
});

test("a user whose record can't be read keeps their names, and is not written over", async () => {
  const { storage, open, pass } = place();
  const somebody = person();
  await open().create(somebody);
  await storage.save(`accounts-user:${somebody.id}`, "s1.AAAAAAAA.damaged");
  pass(10 * MINUTE);
  expect(await open().create(person({ username: somebody.username }))).toBe("taken");
  expect(await open().create(person({ id: somebody.id }))).toBe("taken");
  expect(await storage.get(`accounts-user:${somebody.id}`)).toBe("s1.AAAAAAAA.damaged");
});
