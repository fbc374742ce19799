/** Clauses about an unreachable backend: it rejects, and it comes back. */

import type { User, UserStore } from "@sallyport/accounts";
import { clause, type UserStage } from "./stage.ts";

/** Seconds within which a call to an unreachable backend has to settle. */
const PATIENCE = 10;

function calls(store: UserStore, person: User, stranger: User): Readonly<Record<string, () => Promise<unknown>>> {
  return {
    "find of somebody": () => store.find(person.id),
    "find of nobody": () => store.find(stranger.id),
    "findByLogin of somebody": () => store.findByLogin({ username: person.username ?? "" }),
    "findByLogin of nobody": () => store.findByLogin({ username: stranger.username ?? "" }),
    "create of somebody new": () => store.create(stranger),
    "create of somebody": () => store.create(person),
    "update of somebody": () => store.update(person),
    "update of nobody": () => store.update(stranger),
    list: () => store.list(),
  };
}

/** Holds that a call rejects, and that it does so before anybody's patience ends. */
async function rejects(stage: UserStage, name: string, call: () => Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, PATIENCE * 1000, `had not settled after ${PATIENCE} seconds`);
  });
  const outcome = call().then(
    (value) => `answered ${JSON.stringify(value) ?? "nothing"}`,
    () => undefined,
  );
  const seen = await Promise.race([outcome, deadline]);
  clearTimeout(timer);
  if (seen !== undefined) stage.violated(`${name}, with the backend unreachable, ${seen}`);
}

export const failure = [
  clause({
    id: "unreachable-rejects",
    sentence: "an unreachable backend rejects every call within ten seconds, and never answers that somebody is absent",
    needs: "fail",
    async play(stage) {
      const store = await stage.open();
      const person = await stage.stored(store);
      await stage.present(store, person, "before the backend was unreachable");
      const heal = await stage.fail();
      try {
        for (const [name, call] of Object.entries(calls(store, person, stage.person())))
          await rejects(stage, name, call);
      } finally {
        await heal();
      }
    },
  }),
  clause({
    id: "unreachable-heals",
    sentence: "once the backend is back, the same instance works and has lost nobody",
    needs: "fail",
    async play(stage) {
      const store = await stage.open();
      const person = await stage.stored(store);
      const heal = await stage.fail();
      try {
        await rejects(stage, "update", () => store.update({ ...person, name: "lost" }));
      } finally {
        await heal();
      }
      await stage.present(store, person, "after the backend came back");
      await stage.told(store.update({ ...person, name: "found" }), "updated", "update after the backend came back");
      await stage.stored(store);
    },
  }),
];
