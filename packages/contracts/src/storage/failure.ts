/** Clauses about an unreachable backend: it rejects, and it comes back. */

import type { AtomicTokenStorage } from "@sallyport/oauth-core";
import { clause, LONG, type Stage } from "./stage.ts";

/** Seconds within which a call to an unreachable backend has to settle. */
const PATIENCE = 10;

/** Every call that has to reach the backend to be answered; `cleanup` may have nothing to do. */
function calls(
  storage: AtomicTokenStorage,
  live: string,
  unused: string,
): Readonly<Record<string, () => Promise<unknown>>> {
  const { take, list } = storage;
  return {
    "get of a live record": () => storage.get(live),
    "get of an unused key": () => storage.get(unused),
    save: () => storage.save(unused, "value", LONG),
    delete: () => storage.delete(unused),
    "claim of a live record": () => storage.claim(live, "other", LONG),
    "claim of an unused key": () => storage.claim(unused, "other", LONG),
    "replace of the live value": () => storage.replace(live, "value", "value", LONG),
    "replace of another value": () => storage.replace(live, "other", "value", LONG),
    ...(take === undefined ? {} : { take: () => take.call(storage, unused) }),
    ...(list === undefined ? {} : { list: () => list.call(storage, live) }),
  };
}

/** Holds that a call rejects, and that it does so before anybody's patience ends. */
async function rejects(stage: Stage, name: string, call: () => Promise<unknown>): Promise<void> {
  const outcome = await within(PATIENCE, async () =>
    call().then(
      (value) => `answered ${JSON.stringify(value) ?? "nothing"}`,
      () => "rejected",
    ),
  );
  if (outcome !== "rejected")
    stage.violated(`${name}, with the backend unreachable, ${outcome ?? `had not settled after ${PATIENCE} seconds`}`);
}

/** What `work` answers, or `undefined` where it takes longer. */
async function within<Answer>(seconds: number, work: () => Promise<Answer>): Promise<Answer | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, seconds * 1000, undefined);
  });
  try {
    return await Promise.race([work(), deadline]);
  } finally {
    clearTimeout(timer);
  }
}

export const failure = [
  clause({
    id: "unreachable-rejects",
    sentence: "an unreachable backend rejects every call within ten seconds, and never answers absent",
    waivable: false,
    needs: "fail",
    async play(stage) {
      const storage = await stage.openAtomic();
      const live = stage.key("live");
      await storage.save(live, "value", LONG);
      const heal = await stage.fail();
      try {
        for (const [name, call] of Object.entries(calls(storage, live, stage.key("unused"))))
          await rejects(stage, name, call);
      } finally {
        await heal();
      }
    },
  }),
  clause({
    id: "unreachable-heals",
    sentence: "once the backend is back, the same instance works and has lost nothing",
    waivable: false,
    needs: "fail",
    async play(stage) {
      const storage = await stage.openAtomic();
      const [live, later] = [stage.key("live"), stage.key("later")];
      await storage.save(live, "value", LONG);
      const heal = await stage.fail();
      try {
        await rejects(stage, "get", () => storage.get(live));
        await rejects(stage, "replace", () => storage.replace(live, "other", "lost", LONG));
      } finally {
        await heal();
      }
      await stage.present(storage, live, "value", "after the backend came back");
      await stage.decided(storage.claim(later, "value", LONG), true, "claim after the backend came back");
      await stage.present(await stage.open(), later, "value", "by a new instance after the backend came back");
    },
  }),
];
