/** Clauses about `update`: it is decided by the version, and names stay unique through it. */

import type { User } from "@sallyport/accounts";
import { oneWinner, RACERS, racers, rounds, turn } from "./race.ts";
import { clause, loginsOf } from "./stage.ts";

const UPDATES = { won: "updated", lost: ["stale"] };
const NAMES = { won: "updated", lost: ["taken"] };

/** Tries after which somebody who is told `stale` each time is never told anything else. */
const MOST_TRIES = 40 * RACERS;

export const update = [
  clause({
    id: "update-stores",
    sentence:
      "update stores all of a user, with the next version, and who reads by a name that they let go finds nobody",
    async play(stage) {
      const [one, other] = await stage.pair();
      const before = await stage.stored(one, {
        email: `${stage.word()}@example.com`,
        name: "before",
        passwordHash: "$argon2id$before",
        roles: ["a"],
        claims: { a: 1, gone: true },
      });
      const after: User = {
        ...before,
        username: `user-${stage.word()}`,
        email: `${stage.word()}@example.com`,
        emailVerified: true,
        name: "after",
        passwordHash: "$argon2id$after",
        roles: ["b", "c"],
        claims: { b: [2] },
        disabled: true,
        epoch: 3,
        createdAt: before.createdAt + 1,
      };
      await stage.told(one.update(after), "updated", "update");
      for (const store of [one, other]) {
        await stage.present(store, { ...after, version: 1 }, "after an update");
        for (const login of loginsOf(before)) await stage.nobody(store, login, "that was let go");
      }
      const { username: _username, name: _name, passwordHash: _passwordHash, ...less } = after;
      const least = { ...less, version: 1, roles: [], claims: {} };
      await stage.told(other.update(least), "updated", "update that takes things away");
      await stage.present(one, { ...least, version: 2 }, "after an update that took things away");
      await stage.nobody(one, { username: after.username ?? "" }, "that was taken away");
    },
  }),
  clause({
    id: "update-frees-names",
    sentence: "names that somebody let go are free for others at once, and for themselves again",
    async play(stage) {
      const [one, other] = await stage.pair();
      const person = await stage.stored(one, { email: `${stage.word()}@example.com` });
      const renamed = { ...person, username: `user-${stage.word()}`, email: undefined };
      await stage.told(one.update(renamed), "updated", "update to another name");
      const next = stage.person({ username: person.username, email: person.email });
      await stage.told(other.create(next), "created", "create with names that were let go");
      await stage.present(one, next, "with names that were another's before");
      await stage.present(one, { ...renamed, version: 1 }, "after another took the names that they let go");

      const back = await stage.stored(one);
      const away = { ...back, username: `user-${stage.word()}` };
      await stage.told(one.update(away), "updated", "update to another name");
      await stage.told(other.update({ ...back, version: 1 }), "updated", "update back to the name of before");
      await stage.present(one, { ...back, version: 2 }, "with the name of before again");
      await stage.nobody(one, { username: away.username }, "that was somebody's for a while");
    },
  }),
  clause({
    id: "update-stale",
    sentence: "update from any other version, or of nobody, is told stale, and changes nothing",
    async play(stage) {
      const store = await stage.open();
      const person = await stage.stored(store);
      await stage.told(store.update({ ...person, name: "first" }), "updated", "update");
      const current = { ...person, name: "first", version: 1 };
      for (const version of [0, 2, 3, -1]) {
        const change = { ...person, username: `user-${stage.word()}`, name: "late", version };
        await stage.told(store.update(change), "stale", `update from version ${version} of a user of version 1`);
        await stage.present(store, current, "after an update from another version");
        await stage.nobody(store, { username: change.username }, "of an update from another version");
        await stage.stored(store, { username: change.username });
      }
      const nobody = stage.person();
      await stage.told(store.update(nobody), "stale", "update of nobody");
      await stage.unknown(store, nobody.id, "after an update of nobody");
      await stage.nobody(store, { username: nobody.username ?? "" }, "after an update of nobody");
    },
  }),
  clause({
    id: "update-taken",
    sentence: "update to a username or an address of somebody else's is told taken, and changes nothing",
    async play(stage) {
      const store = await stage.open();
      const owner = await stage.stored(store, { email: `${stage.word()}@example.com` });
      const person = await stage.stored(store, { email: `${stage.word()}@example.com` });
      const free = { username: `user-${stage.word()}`, email: `${stage.word()}@example.com` };
      for (const change of [
        { username: owner.username, email: free.email },
        { username: free.username, email: owner.email },
      ]) {
        await stage.told(store.update({ ...person, ...change, disabled: true }), "taken", "update to somebody's name");
        for (const one of [owner, person]) await stage.present(store, one, "after an update to somebody's name");
        await stage.nobody(store, { username: free.username }, "of an update that was refused");
        await stage.nobody(store, { email: free.email }, "of an update that was refused");
      }
      await stage.told(store.update({ ...person, name: "new" }), "updated", "update that keeps all names");
      await stage.stored(store, free);
    },
  }),
  clause({
    id: "update-one-winner",
    sentence:
      "of 32 simultaneous updates from one version over two instances exactly one is told updated, and its value stays",
    async play(stage) {
      const pair = await stage.pair();
      await rounds(async () => {
        const person = await stage.stored(pair[0]);
        const changes = racers((racer) => ({ ...person, name: `racer ${racer}` }));
        const winner = await oneWinner(stage, changes, "update", UPDATES, (change, racer) =>
          turn(pair, racer).update(change),
        );
        for (const store of pair) await stage.present(store, { ...winner, version: 1 }, "after the race");
      });
    },
  }),
  clause({
    id: "update-loses-nothing",
    sentence: "32 simultaneous increments by find and update, over two instances, are 32 more",
    async play(stage) {
      const pair = await stage.pair();
      const { id } = await stage.stored(pair[0]);
      await Promise.all(
        racers(async (racer) => {
          for (let tried = 0; tried < MOST_TRIES; tried += 1) {
            const user = await turn(pair, racer).find(id);
            if (user === undefined) return stage.violated("find did not find somebody who is there");
            const verdict = await turn(pair, racer).update({ ...user, epoch: user.epoch + 1 });
            if (verdict === "updated") return undefined;
            if (verdict !== "stale") return stage.violated(`update that changes no name was told ${verdict}`);
          }
          return stage.violated(`update was told stale ${MOST_TRIES} times, each time right after find`);
        }),
      );
      const { epoch, version } = (await pair[1].find(id)) ?? {};
      if (epoch !== RACERS || version !== RACERS)
        stage.violated(`after ${RACERS} increments the number was ${epoch} and the version ${version}`);
    },
  }),
  clause({
    id: "update-one-winner-name",
    sentence:
      "of 32 users who want one name by update, and one who wants it by create, exactly one gets it, and the others keep theirs",
    async play(stage) {
      const pair = await stage.pair();
      await rounds(async () => {
        const wanted = { username: `user-${stage.word()}`, email: `${stage.word()}@example.com` };
        const people = await Promise.all(racers(() => stage.stored(pair[0])));
        const late = stage.person(wanted);
        const runs = people.map((person, racer) => ({
          before: person,
          run: () => turn(pair, racer).update({ ...person, ...wanted }),
        }));
        const winner = await oneWinner(
          stage,
          [
            ...runs,
            { before: late, run: async () => ((await pair[1].create(late)) === "created" ? "updated" : "taken") },
          ],
          "update",
          NAMES,
          ({ run }) => run(),
        );
        const won = winner.before === late ? late : { ...winner.before, ...wanted, version: 1 };
        for (const store of pair) await stage.present(store, won, "after the race");
        for (const loser of people.filter((person) => person !== winner.before))
          await stage.present(pair[1], loser, "after they were told taken");
        if (winner.before !== late) await stage.unknown(pair[1], late.id, "of somebody who was told taken");
      });
    },
  }),
  clause({
    id: "update-renames-decided",
    sentence: "of simultaneous renames of one user one counts: its name leads to them, and the others are free",
    async play(stage) {
      const pair = await stage.pair();
      await rounds(async () => {
        const person = await stage.stored(pair[0]);
        const changes = racers(() => ({ ...person, username: `user-${stage.word()}` }));
        const winner = await oneWinner(stage, changes, "update", UPDATES, (change, racer) =>
          turn(pair, racer).update(change),
        );
        await stage.present(pair[1], { ...winner, version: 1 }, "after the race");
        await stage.nobody(pair[1], { username: person.username ?? "" }, "that was let go in the race");
        for (const [racer, { username }] of changes.entries()) {
          if (username === winner.username) continue;
          await stage.nobody(turn(pair, racer), { username }, "of a rename that was told stale");
          await stage.stored(turn(pair, racer), { username });
        }
      });
    },
  }),
  clause({
    id: "update-swap",
    sentence: "two users who want each other's name at the same moment are both told taken, and keep theirs",
    async play(stage) {
      const pair = await stage.pair();
      const [left, right] = [await stage.stored(pair[0]), await stage.stored(pair[1])];
      const verdicts = await Promise.all([
        pair[0].update({ ...left, username: right.username }),
        pair[1].update({ ...right, username: left.username }),
      ]);
      if (verdicts.some((verdict) => verdict !== "taken")) stage.violated(`they were told ${verdicts.join(" and ")}`);
      for (const person of [left, right]) await stage.present(pair[0], person, "after an exchange of names");
    },
  }),
];
