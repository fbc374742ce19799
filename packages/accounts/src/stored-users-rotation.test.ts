/** Keys of stored users are changed, and nobody is lost and no name given away twice meanwhile. */

import type { Keys } from "@sallyport/oauth-core/accounts";
import { describe, expect, test } from "vitest";
import { RemoteMemory } from "../test/remote-memory.ts";
import { newKey, person, usersOver } from "../test/stored-users.ts";
import type { StoredUsers } from "./stored-users.ts";
import type { User } from "./user-store.ts";

const [older, newer] = [newKey(), newKey()];

/** A storage, and servers over it with the keys that they are given. */
function servers(): (...keys: Keys) => StoredUsers {
  const storage = new RemoteMemory();
  return (...keys) => usersOver(storage, { keys });
}

async function crowd(users: StoredUsers, count: number): Promise<readonly User[]> {
  const people = Array.from({ length: count }, () => person());
  for (const one of people) expect(await users.create(one)).toBe("created");
  return people;
}

/** Everybody is found by id and by both names, and nobody else can have one of them. */
async function everybodyIsThere(users: StoredUsers, people: readonly User[]): Promise<void> {
  for (const one of people) {
    expect(await users.find(one.id)).toEqual(one);
    expect(await users.findByLogin({ username: one.username ?? "" })).toEqual(one);
    expect(await users.findByLogin({ email: one.email ?? "" })).toEqual(one);
    expect(await users.create(person({ username: one.username }))).toBe("taken");
    expect(await users.create(person({ email: one.email }))).toBe("taken");
  }
}

test("with the new key in front everybody of before is there, and changes", async () => {
  const server = servers();
  const people = await crowd(server(older), 5);
  await everybodyIsThere(server(newer, older), people);
  await everybodyIsThere(server(older, newer), people);
  const [one] = people;
  expect(await server(newer, older).update({ ...(one ?? person()), username: "renamed" })).toBe("updated");
  expect(await server(older, newer).findByLogin({ username: one?.username ?? "" })).toBeUndefined();
  expect(await server(older, newer).findByLogin({ username: "renamed" })).toMatchObject({ id: one?.id, version: 1 });
});

test.each<[string, Keys, Keys]>([
  ["[old] and [old, new]", [older], [older, newer]],
  ["[old, new] and [new, old]", [older, newer], [newer, older]],
  ["[new, old] and [new]", [newer, older], [newer]],
])("servers with %s never give one name away twice", async (_, left, right) => {
  const server = servers();
  const pair = [server(...left), server(...right)] as const;
  for (let round = 0; round < 10; round += 1) {
    const same = person();
    const racers = Array.from({ length: 16 }, (_one, racer) =>
      racer % 2 === 0 ? { ...same, id: `${same.id}-${racer}` } : person({ username: same.username }),
    );
    const verdicts = await Promise.all(racers.map((racer, index) => (pair[index % 2] ?? pair[0]).create(racer)));
    expect(verdicts.filter((verdict) => verdict === "created")).toHaveLength(1);
    const winner = racers[verdicts.indexOf("created")];
    for (const users of pair) expect(await users.findByLogin({ username: same.username ?? "" })).toEqual(winner);
  }
});

describe("reseal", () => {
  test("after it the old key may go: everybody is still there, and it has nothing left to do", async () => {
    const server = servers();
    const people = await crowd(server(older), 12);
    await crowd(server(newer, older), 3);
    expect(await server(newer, older).reseal()).toBe(people.length);
    expect(await server(newer, older).reseal()).toBe(0);
    await everybodyIsThere(server(newer), people);
    expect(await server(newer).reseal()).toBe(0);
  });

  test("without it whoever has not been changed since is lost with the old key", async () => {
    const server = servers();
    const [changed = person(), unchanged = person()] = await crowd(server(older), 2);
    expect(await server(newer, older).update({ ...changed, disabled: true })).toBe("updated");
    await everybodyIsThere(server(newer), [{ ...changed, disabled: true, version: 1 }]);
    expect(await server(newer).findByLogin({ username: unchanged.username ?? "" })).toBeUndefined();
  });

  test("whoever is sealed with the new key and recorded under the old one only is recorded", async () => {
    const storage = new RemoteMemory();
    const people = await crowd(usersOver(storage, { keys: [newer, older], nameKeys: [older] }), 3);
    expect(await usersOver(storage, { keys: [newer, older] }).reseal()).toBe(people.length);
    await everybodyIsThere(usersOver(storage, { keys: [newer] }), people);
  });

  test("whoever is renamed, disabled or created meanwhile is there afterwards as they are then", async () => {
    const server = servers();
    const people = await crowd(server(older), 30);
    const users = server(newer, older);
    const changes = people.map(async (one, index) => {
      for (let turn = 0; turn < index * 8; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
      const after = { ...one, username: `renamed-${one.id}`, disabled: true };
      expect(await server(older, newer).update(after)).toBe("updated");
      return { ...after, version: 1 };
    });
    const [, late, ...after] = await Promise.all([users.reseal(), crowd(server(older, newer), 5), ...changes]);
    await users.reseal();
    await everybodyIsThere(server(newer), [...after, ...late]);
    for (const { username } of people) expect(await users.create(person({ username }))).toBe("created");
  });

  test("a name that another got because a key was taken away too early stays theirs, and nobody is locked out of being disabled", async () => {
    const storage = new RemoteMemory();
    const [first = person()] = await crowd(usersOver(storage, { keys: [older] }), 1);
    const second = person({ username: first.username });
    expect(await usersOver(storage, { keys: [newer] }).create(second)).toBe("created");

    const both = usersOver(storage, { keys: [newer, older] });
    expect(await both.update({ ...first, disabled: true })).toBe("updated");
    expect(await both.find(first.id)).toMatchObject({ disabled: true });
    await both.reseal();
    expect(await usersOver(storage, { keys: [newer] }).findByLogin({ username: first.username ?? "" })).toEqual(second);
    expect(await usersOver(storage, { keys: [newer] }).findByLogin({ email: first.email ?? "" })).toMatchObject({
      id: first.id,
    });
  });
});
