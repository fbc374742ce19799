/** Whoever signs in learns whether they are who they say, and of nobody else whether they are. OWASP Authentication Cheat Sheet; CWE-204, CWE-208. */
import { beforeEach, describe, expect, test, vi } from "vitest";
import { type Computed, computed } from "../test/counted-argon2.ts";
import { type Answer, callsOf, RawBrowser, remoteWorld } from "../test/raw-browser.ts";
import type { RemoteMemory } from "../test/remote-memory.ts";
import { PASSWORD, type World, type WorldOptions } from "../test/world.ts";

vi.mock("./argon2id.ts", () => import("../test/counted-argon2.ts"));
beforeEach(() => {
  computed.length = 0;
});

const WRONG = "wrong horse battery staple";

/** Everybody whom a stranger must not tell from another, by what they type. */
const NOBODIES: readonly (readonly [string, string, string])[] = [
  ["a name that nobody has", "nobody", WRONG],
  ["an address that nobody has", "nobody@example.com", WRONG],
  ["a wrong password", "alice", WRONG],
  ["a wrong password, by the address", "alice@example.com", WRONG],
  ["a password that is too short for one", "alice", "a"],
  ["a password that is too long for one", "alice", "x".repeat(3000)],
  ["a password with a control character", "alice", "wrong\u0007password"],
  ["no password", "alice", ""],
  ["somebody disabled, with a wrong password", "dora", WRONG],
  ["somebody disabled, with the right password", "dora", PASSWORD],
  ["somebody without a password", "pat", WRONG],
  ["somebody without a password, and none typed", "pat", ""],
  ["the stand-in for no password, at somebody without one", "pat", "no password"],
  ["somebody whose hash is broken", "hank", WRONG],
];

async function peopled(options: WorldOptions = {}) {
  const on = remoteWorld(options);
  const { accounts } = on;
  await accounts.createUser({ username: "alice", email: "alice@example.com", password: PASSWORD });
  await accounts.createUser({ username: "pat", email: "pat@example.com" });
  await accounts.createUser({ username: "hank", password: PASSWORD });
  const dora = await accounts.createUser({ username: "dora", password: PASSWORD });
  await accounts.disableUser(dora.id);
  return on;
}

/** All that an answer shows, with what is random in it made alike, and the name that was typed. */
function shown({ status, text, headers, location }: Answer, typed: string): string {
  const parts = [status, location, ...[...headers].map((pair) => pair.join(": ")), text];
  return parts
    .join("\n")
    .replaceAll(/value="[A-Za-z0-9_-]{55}"/g, "TOKEN")
    .replaceAll(/sallyport-browser=[A-Za-z0-9_-]{22}/g, "BROWSER")
    .replaceAll(/request=s1\.[^"&]+|value="s1\.[^"]+"/g, "REQUEST")
    .replaceAll(`value="${typed}"`, "NAME");
}

/** Addresses that nobody has guessed from before. */
let addresses = 0;
const newAddress = () => `198.51.${Math.floor(addresses / 250)}.${addresses++ % 250}`;

interface Seen {
  readonly page: string;
  readonly calls: readonly string[];
  readonly hashes: readonly Computed[];
}

/** One attempt in a new browser, as a stranger sees it from the outside and a stop-watch from the inside. */
async function attempt(on: World & { readonly storage: RemoteMemory }, login: string, password: string): Promise<Seen> {
  const browser = new RawBrowser(on, newAddress());
  const page = await browser.signInPage();
  computed.length = 0;
  let answer: Answer | undefined;
  const calls = await callsOf(on.storage, async () => {
    answer = await browser.type(page, login, password);
  });
  if (answer === undefined) throw new Error("no answer");
  // What is asked of the storage; where it lies is under a MAC.
  const kinds = calls.map((call) => call.split(":")[0] ?? "");
  return { page: shown(answer, login), calls: kinds, hashes: [...computed] };
}

describe("OWASP: who can't sign in is told the same by text, status, headers and work", () => {
  test("the control: somebody who can is answered otherwise", async () => {
    const on = await peopled();
    const right = await attempt(on, "alice", PASSWORD);
    const wrong = await attempt(on, "alice", WRONG);
    expect(right.page).not.toBe(wrong.page);
    expect(right.hashes).toEqual(wrong.hashes);
  });

  test.each(NOBODIES)("%s", async (_, login, password) => {
    const on = await peopled();
    const seen = await attempt(on, login, password);
    // Another world, so that no count of attempts is in the way.
    const reference = await attempt(await peopled(), "nobody-at-all", WRONG);
    expect(seen.page).toBe(reference.page);
    expect(seen.page).toContain("422");
    expect(seen.calls).toEqual(reference.calls);
    expect(seen.hashes).toEqual([{ memoryCost: 19_456, timeCost: 2, parallelism: 1, outputLen: 32 }]);
  });

  test("with several secrets as well: the work is the same for whoever is there and whoever is not", async () => {
    const secret = ["the first secret of the test, of 32 bytes", "another secret of the test, of 32 bytes"];
    const on = await peopled({ server: { secret } });
    const [wrong, unknown] = [await attempt(on, "alice", WRONG), await attempt(on, "nobody", WRONG)];
    expect(unknown).toEqual(wrong);
  });

  test("what is no name at all costs a hash too", async () => {
    const on = await peopled();
    const [seen, reference] = [await attempt(on, "\u202enobody", WRONG), await attempt(on, "nobody", WRONG)];
    expect(seen.page).toBe(reference.page);
    expect(seen.hashes).toEqual(reference.hashes);
  });
});

describe("slowing down", () => {
  test("begins with the same guess, for the same time, for whoever is there and whoever is not", async () => {
    const on = await peopled();
    const runs: (readonly string[])[] = [];
    for (const [login, password] of [
      ["nobody", WRONG],
      ["alice", WRONG],
      ["dora", PASSWORD],
      ["pat", WRONG],
      ["\u202e", WRONG],
    ] as const) {
      const run: string[] = [];
      const start = on.time;
      for (let guess = 0; guess < 7; guess += 1) run.push((await attempt(on, login, password)).page);
      on.time += 1;
      run.push((await attempt(on, login, password)).page, (await attempt(on, login, password)).page);
      on.time = start;
      runs.push(run);
    }
    const [reference = [], ...others] = runs;
    expect(reference.map((page) => page.slice(0, 3))).toEqual("422 422 422 422 422 429 429 422 429".split(" "));
    expect(reference.at(-1)).toContain("retry-after: 2");
    for (const run of others) expect(run).toEqual(reference);
  });

  test("does not tell the right password from a wrong one, and computes nothing", async () => {
    const on = await peopled();
    for (let guess = 0; guess < 5; guess += 1) await attempt(on, "alice", `${WRONG} ${guess}`);
    const [wrong, right] = [await attempt(on, "alice", WRONG), await attempt(on, "alice", PASSWORD)];
    expect(right).toEqual(wrong);
    expect(right.hashes).toEqual([]);
    expect(right.page.slice(0, 3)).toBe("429");
  });

  test("goes by the one form of a name, however it is written", async () => {
    const on = await peopled();
    for (const login of ["alice", "ALICE", " Alice ", "ａｌｉｃｅ", "aLiCe"]) await attempt(on, login, WRONG);
    expect((await attempt(on, "Alice", WRONG)).page.slice(0, 3)).toBe("429");
  });
});

describe("asking for a new password", () => {
  test.each([
    ["nobody", "nobody"],
    ["nobody's address", "nobody@example.com"],
    ["somebody without an address", "hank"],
    ["somebody disabled", "dora"],
    ["what is no name", "\u202e"],
  ])("is answered for %s as for somebody with a mailbox", async (_, login) => {
    const on = await peopled();
    const asking = async (typed: string) => {
      const browser = new RawBrowser(on, newAddress());
      const { fields } = await browser.get("/oauth/reset-password");
      let page = "";
      const calls = await callsOf(on.storage, async () => {
        page = shown(await browser.post("/oauth/reset-password", { ...fields, login: typed }), typed);
      });
      return { page: page.replaceAll(typed, "NAME"), calls: calls.map((call) => call.split(":")[0]) };
    };
    const [seen, reference] = [await asking(login), await asking("pat@example.com")];
    expect(seen.page).toBe(reference.page);
    if (login !== "\u202e") expect(seen.calls).toEqual(reference.calls);
  });
});

test("an event names who it was by id alone, and never what was typed", async () => {
  const on = await peopled();
  for (const [, login, password] of NOBODIES) await attempt(on, login, password);
  await attempt(on, "zq7typed-into-the-wrong-field", "zq7typed");
  const text = JSON.stringify(on.events);
  expect(text).not.toContain("zq7typed");
  for (const word of ["alice", "nobody", "horse", "example.com"]) expect(text).not.toContain(word);
});
