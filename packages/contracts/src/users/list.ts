/** Clauses about `list`: walks that come to an end, and meet everybody. */

import type { User, UserStore } from "@sallyport/accounts";
import { clause, type UserStage } from "./stage.ts";

/** Pages after which a walk that has not ended is going round in circles. */
const MOST_PAGES = 100_000;

/** Everybody on every page; `between` is called after each page but the last. */
async function walk(
  stage: UserStage,
  store: UserStore,
  limit: number | undefined,
  between: (page: number) => Promise<unknown> = async () => undefined,
): Promise<readonly User[]> {
  const users: User[] = [];
  let cursor: string | undefined;
  for (let page = 1; page <= MOST_PAGES; page += 1) {
    const answer = await store.list({ cursor, limit });
    users.push(...answer.users);
    cursor = answer.cursor;
    if (cursor === undefined) return users;
    await between(page);
  }
  return stage.violated(`list had named another cursor after ${MOST_PAGES} pages`);
}

/** Holds that a walk met everybody expected once, as `find` answers them now. */
async function everybody(
  stage: UserStage,
  store: UserStore,
  seen: readonly User[],
  expected: readonly User[],
  what: string,
): Promise<void> {
  for (const { id } of expected) {
    const met = seen.filter((user) => user.id === id);
    const [user] = met;
    if (user === undefined || met.length !== 1)
      return stage.violated(`list, ${what}, had somebody ${met.length} times`);
    if (user.version === (await store.find(id))?.version)
      stage.same(await store.find(id), user, `as list answered, ${what}`);
  }
}

export const list = [
  clause({
    id: "list-pages",
    sentence: "list, followed from cursor to cursor, has everybody once, whatever the size of a page",
    async play(stage) {
      const [one, other] = await stage.pair();
      const people = await Promise.all(Array.from({ length: 25 }, () => stage.stored(one, { roles: ["reader"] })));
      for (const limit of [3, 7, 25, 1000, undefined])
        await everybody(stage, other, await walk(stage, other, limit), people, `with a limit of ${limit}`);
      const { users } = await one.list();
      if (users.length === 0 && (await one.list()).cursor === undefined)
        stage.violated("list without options had nobody");
    },
  }),
  clause({
    id: "list-amid-changes",
    sentence: "list has everybody once who is there during the whole walk, although others come and users change",
    async play(stage) {
      const [one, other] = await stage.pair();
      const people = await Promise.all(Array.from({ length: 20 }, () => stage.stored(one)));
      const seen = await walk(stage, one, 3, async (page) => {
        const person = people[page - 1];
        if (person === undefined) return;
        // To the front and to the end of whatever order the pages are in.
        const createdAt = page % 2 === 0 ? 0 : 4_000_000_000;
        await stage.stored(other, { createdAt });
        const change = { ...person, username: `user-${stage.word()}`, createdAt };
        await stage.told(other.update(change), "updated", "update during a walk");
      });
      await everybody(stage, one, seen, people, "while others came and users changed");
      const ids = seen.map(({ id }) => id);
      if (new Set(ids).size !== ids.length) stage.violated("list had somebody more than once who came during the walk");
    },
  }),
];
