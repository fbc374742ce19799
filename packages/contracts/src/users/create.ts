/** Clauses about `create`: of any number who want an id, a username or an address exactly one gets it. */

import type { User, UserStore } from "@sallyport/accounts";
import { oneWinner, racers, rounds, turn } from "./race.ts";
import { clause, type UserStage } from "./stage.ts";

const CREATES = { won: "created", lost: ["taken"] };

/** Lets people who differ in all but what they share be created at once, over two instances; the winner is there, and of the others nothing is. */
async function race(stage: UserStage, shared: () => Partial<User>): Promise<void> {
  const pair = await stage.pair();
  await rounds(async () => {
    const same = shared();
    const people = racers((racer) =>
      stage.person({ email: `${stage.word()}@example.com`, name: `racer ${racer}`, ...same }),
    );
    const winner = await oneWinner(stage, people, "create", CREATES, (person, racer) =>
      turn(pair, racer).create(person),
    );
    for (const store of pair) await stage.present(store, winner, "after the race");
    for (const loser of people.filter((person) => person !== winner)) await gone(stage, pair[1], loser, same);
  });
}

/** Holds that nothing of somebody was stored, beside what another has. */
async function gone(
  stage: UserStage,
  store: UserStore,
  { id, username, email }: User,
  others: Partial<User>,
): Promise<void> {
  if (id !== others.id) await stage.unknown(store, id, "of somebody who was told taken");
  if (username !== undefined && username !== others.username)
    await stage.nobody(store, { username }, "of somebody who was told taken");
  if (email !== undefined && email !== others.email)
    await stage.nobody(store, { email }, "of somebody who was told taken");
}

export const create = [
  clause({
    id: "create-taken",
    sentence: "create with an id, a username or an address of somebody's is told taken, and changes nothing",
    async play(stage) {
      const store = await stage.open();
      const owner = await stage.stored(store, { email: `${stage.word()}@example.com`, name: "owner" });
      for (const same of [{ id: owner.id }, { username: owner.username }, { email: owner.email }]) {
        const late = stage.person({ email: `${stage.word()}@example.com`, name: "late", ...same });
        await stage.told(store.create(late), "taken", `create with somebody's ${Object.keys(same)[0]}`);
        await stage.present(store, owner, "after somebody wanted the same");
        await gone(stage, store, late, same);
      }
      await stage.told(store.create(owner), "taken", "create of the same user again");
      await stage.present(store, owner, "after they were created again");
    },
  }),
  clause({
    id: "create-refused-keeps-nothing",
    sentence: "whoever was refused keeps none of the other names: they are free at once",
    async play(stage) {
      const store = await stage.open();
      const owner = await stage.stored(store, { email: `${stage.word()}@example.com` });
      for (const same of [{ id: owner.id }, { username: owner.username }, { email: owner.email }]) {
        const refused = stage.person({ email: `${stage.word()}@example.com`, ...same });
        await stage.told(store.create(refused), "taken", "create with something of somebody's");
        const free = Object.fromEntries(Object.entries(refused).filter(([name]) => !(name in same)));
        const next = stage.person({ ...free, ...("id" in same ? {} : { id: refused.id }) });
        await stage.told(store.create(next), "created", "create with what somebody else was refused with");
        await stage.present(store, next, "after somebody else was refused with the same names");
      }
    },
  }),
  clause({
    id: "create-one-winner-username",
    sentence: "of 32 simultaneous creates of one username over two instances exactly one is told created, and is there",
    async play(stage) {
      await race(stage, () => ({ username: `user-${stage.word()}` }));
    },
  }),
  clause({
    id: "create-one-winner-email",
    sentence: "of 32 simultaneous creates of one address over two instances exactly one is told created, and is there",
    async play(stage) {
      await race(stage, () => ({ email: `${stage.word()}@example.com` }));
    },
  }),
  clause({
    id: "create-one-winner-id",
    sentence: "of 32 simultaneous creates of one id over two instances exactly one is told created, and is there",
    async play(stage) {
      await race(stage, () => ({ id: `id-${stage.word()}` }));
    },
  }),
  clause({
    id: "create-refused-blocks-nobody",
    sentence: "whoever is refused stands in nobody's way: who wanted the same username at the same moment gets it",
    async play(stage) {
      const [one, other] = await stage.pair();
      const owner = await stage.stored(one, { email: `${stage.word()}@example.com` });
      await rounds(async () => {
        const username = `user-${stage.word()}`;
        const refused = stage.person({ username, email: owner.email });
        const wanted = stage.person({ username, email: `${stage.word()}@example.com` });
        const [first, second] = await Promise.all([one.create(refused), other.create(wanted)]);
        if (first !== "taken") stage.violated(`create with somebody's address was told ${first}`);
        if (second !== "created")
          stage.violated(`create was told ${second}, although the only other one who wanted that username was refused`);
        await stage.present(one, wanted, "after another was refused");
      });
    },
  }),
];
