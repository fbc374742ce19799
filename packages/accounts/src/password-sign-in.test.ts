import { randomBytes } from "node:crypto";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { computed, pace } from "../test/counted-argon2.ts";
import { type Answer, callsOf, RawBrowser, remoteWorld } from "../test/raw-browser.ts";
import type { RemoteMemory } from "../test/remote-memory.ts";
import { PASSWORD, type World, type WorldOptions, world } from "../test/world.ts";
import { PasswordHashing } from "./password-hashing.ts";
import type { User, UserStore } from "./user-store.ts";

vi.mock("./argon2id.ts", () => import("../test/counted-argon2.ts"));

const WRONG = "wrong horse battery staple";

async function withAlice(options: WorldOptions = {}) {
  const on = remoteWorld(options);
  const alice = await on.accounts.createUser({ username: "alice", password: PASSWORD });
  computed.length = 0;
  return { on, alice };
}

/** One attempt in a new browser somewhere. */
async function attempt(on: World, login: string, password: string, address?: string): Promise<Answer> {
  const browser = new RawBrowser(on, address);
  return browser.type(await browser.get("/oauth/sign-in"), login, password);
}

/** So many browsers with the page before them, which all press the button at once. */
async function atOnce(on: World, typed: readonly { login: string; password: string; address: string }[]) {
  const ready = typed.map(async (each) => {
    const browser = new RawBrowser(on, each.address);
    return { browser, page: await browser.get("/oauth/sign-in"), ...each };
  });
  const browsers = await Promise.all(ready);
  computed.length = 0;
  const answers = await Promise.all(
    browsers.map(({ browser, page, login, password }) => browser.type(page, login, password)),
  );
  return answers.map(({ status }) => status);
}

const count = (statuses: readonly number[], status: number) => statuses.filter((each) => each === status).length;
const addressOf = (at: number) => `198.51.100.${at}`;

beforeEach(() => {
  computed.length = 0;
});

describe("OWASP, account lockout: guesses at one login", () => {
  test("5 are free from wherever they come; then one after each wait, which doubles up to a quarter of an hour", async () => {
    const { on } = await withAlice();
    for (let guess = 0; guess < 5; guess += 1)
      expect((await attempt(on, "alice", WRONG, addressOf(guess))).status).toBe(422);
    const waits: number[] = [];
    for (let guess = 5; guess < 18; guess += 1) {
      const refused = await attempt(on, "alice", WRONG, addressOf(guess));
      expect(refused.status).toBe(429);
      const wait = Number(refused.headers.get("retry-after"));
      waits.push(wait);
      on.time += wait - 1;
      expect((await attempt(on, "alice", PASSWORD, addressOf(guess))).headers.get("retry-after")).toBe("1");
      on.time += 1;
      expect((await attempt(on, "alice", WRONG, addressOf(guess))).status).toBe(422);
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
    expect(computed).toHaveLength(5 + 13);
    // Nobody is out for good.
    on.time += 900;
    expect((await attempt(on, "alice", PASSWORD)).status).toBe(303);
  });

  test("a sign-in clears them", async () => {
    const { on } = await withAlice();
    for (let round = 0; round < 3; round += 1) {
      for (let guess = 0; guess < 4; guess += 1) expect((await attempt(on, "alice", WRONG)).status).toBe(422);
      expect((await attempt(on, "alice", PASSWORD)).status).toBe(303);
    }
  });

  test("are not cleared by a sign-in to another account", async () => {
    const { on } = await withAlice();
    await on.accounts.createUser({ username: "mallory", password: PASSWORD });
    for (let guess = 0; guess < 5; guess += 1) {
      await attempt(on, "alice", WRONG);
      expect((await attempt(on, "mallory", PASSWORD)).status).toBe(303);
    }
    expect((await attempt(on, "alice", WRONG)).status).toBe(429);
  });

  test("by a stranger do not lock the browsers out that the person uses", async () => {
    const { on } = await withAlice();
    const own = new RawBrowser(on);
    await own.signIn("alice");
    await own.post("/oauth/sign-out", { csrf_token: (await own.get("/oauth/account")).fields.csrf_token ?? "" });
    for (let guess = 0; guess < 8; guess += 1) await attempt(on, "alice", `${WRONG} ${guess}`, addressOf(guess));
    expect((await attempt(on, "alice", PASSWORD)).status).toBe(429);
    // The person mistypes it as well, and gets in.
    const page = await own.get("/oauth/sign-in");
    expect((await own.type(page, "alice", WRONG)).status).toBe(422);
    expect((await own.type(page, "alice")).status).toBe(303);
    // And the stranger is slowed down as before.
    expect((await attempt(on, "alice", WRONG)).status).toBe(429);
  });

  test("in a browser that is known have an end too: 10, and the 5 of everybody", async () => {
    const { on } = await withAlice();
    const own = new RawBrowser(on);
    await own.signIn("alice");
    const page = await own.get("/oauth/sign-in?again=1");
    const statuses: number[] = [];
    for (let guess = 0; guess < 17; guess += 1) statuses.push((await own.type(page, "alice", WRONG)).status);
    expect(count(statuses, 422)).toBe(15);
    expect(statuses.slice(15)).toEqual([429, 429]);
  });

  test("with a known browser's cookie that was copied, changed or made up go to the count of everybody", async () => {
    const { on, alice } = await withAlice();
    await on.accounts.createUser({ username: "mallory", password: PASSWORD });
    const theirs = new RawBrowser(on);
    await theirs.signIn("mallory");
    const known = theirs.cookie("known") ?? "";
    for (let guess = 0; guess < 5; guess += 1) await attempt(on, "alice", WRONG, addressOf(guess));
    for (const planted of [
      known,
      known.replace(/\.[^.]*$/, `.${"A".repeat(43)}`),
      `${"A".repeat(22)}.0.${"A".repeat(43)}`,
    ]) {
      const browser = new RawBrowser(on);
      browser.cookies.set("__Host-sallyport-known", planted);
      expect((await browser.type(await browser.get("/oauth/sign-in"), "alice")).status).toBe(429);
    }
    // What was good until the person was signed out everywhere is good no more.
    on.time += 900;
    const own = new RawBrowser(on);
    await own.signIn("alice");
    await on.accounts.signOutEverywhere(alice.id);
    for (let guess = 0; guess < 6; guess += 1) await attempt(on, "alice", WRONG, addressOf(guess));
    expect((await own.type(await own.get("/oauth/sign-in"), "alice")).status).toBe(429);
  });
});

describe("guesses from one address", () => {
  test("30 are free, at however many names; then that address waits, and no other", async () => {
    const { on } = await withAlice();
    const statuses: number[] = [];
    for (let guess = 0; guess < 33; guess += 1)
      statuses.push((await attempt(on, `user${guess}`, WRONG, "203.0.113.9")).status);
    expect([count(statuses, 422), count(statuses, 429)]).toEqual([30, 3]);
    expect((await attempt(on, "alice", PASSWORD, "203.0.113.9")).status).toBe(429);
    expect((await attempt(on, "alice", PASSWORD, "203.0.113.10")).status).toBe(303);
  });

  test("of a whole IPv6 network are one count, and IPv4 written as IPv6 is IPv4", async () => {
    const { on } = await withAlice();
    for (let guess = 0; guess < 30; guess += 1)
      await attempt(on, `user${guess}`, WRONG, `2001:db8:0:1::${guess.toString(16)}`);
    expect((await attempt(on, "alice", PASSWORD, "2001:db8:0:1:ffff::1")).status).toBe(429);
    for (let guess = 0; guess < 30; guess += 1)
      await attempt(on, `user${guess}`, WRONG, `${guess % 2 ? "::ffff:" : ""}203.0.113.9`);
    expect((await attempt(on, "alice", PASSWORD, "::ffff:203.0.113.9")).status).toBe(429);
    expect((await attempt(on, "alice", PASSWORD, "2001:db8:0:2::1")).status).toBe(303);
  });

  test("do not keep somebody out there whose browser is known", async () => {
    const { on } = await withAlice();
    const own = new RawBrowser(on, "203.0.113.9");
    await own.signIn("alice");
    for (let guess = 0; guess < 33; guess += 1) await attempt(on, `user${guess}`, WRONG, "203.0.113.9");
    expect((await own.type(await own.get("/oauth/sign-in?again=1"), "alice")).status).toBe(303);
  });

  test("are no fewer for one's own account signed in to in between", async () => {
    const { on } = await withAlice();
    let guesses = 0;
    for (let round = 0; round < 40; round += 1) {
      if ((await attempt(on, `user${round}`, WRONG)).status === 422) guesses += 1;
      if (round % 5 === 0) await attempt(on, "alice", PASSWORD);
    }
    expect(guesses).toBe(30);
  });

  test("are counted under what the option says of the request, where there is one", async () => {
    const clientAddress = (request: Request) => request.headers.get("x-test-address") ?? undefined;
    const { on } = await withAlice({ accounts: { clientAddress } });
    const from = async (address: string) => {
      const browser = new RawBrowser(on);
      const headers = { "x-test-address": address };
      return browser.type(await browser.get("/oauth/sign-in"), "nobody", WRONG, { headers });
    };
    for (let guess = 0; guess < 5; guess += 1) await from("203.0.113.1");
    const browser = new RawBrowser(on);
    for (let guess = 0; guess < 25; guess += 1)
      await browser.type(await browser.get("/oauth/sign-in"), `user${guess}`, WRONG, {
        headers: { "x-test-address": "203.0.113.1" },
      });
    const page = await browser.get("/oauth/sign-in");
    expect((await browser.type(page, "alice", PASSWORD, { headers: { "x-test-address": "203.0.113.1" } })).status).toBe(
      429,
    );
    expect((await browser.type(page, "alice", PASSWORD, { headers: { "x-test-address": "203.0.113.2" } })).status).toBe(
      303,
    );
  });
});

describe("of 64 guesses at once only as many reach the hash as are free", () => {
  test("at one login, from 64 addresses", async () => {
    const { on } = await withAlice();
    const statuses = await atOnce(
      on,
      Array.from({ length: 64 }, (_, at) => ({ login: "alice", password: `${WRONG} ${at}`, address: addressOf(at) })),
    );
    expect([count(statuses, 422), count(statuses, 429), computed.length]).toEqual([5, 59, 5]);
  });

  test("at a login that nobody has", async () => {
    const { on } = await withAlice();
    const statuses = await atOnce(
      on,
      Array.from({ length: 64 }, (_, at) => ({ login: "nobody", password: WRONG, address: addressOf(at) })),
    );
    expect([count(statuses, 422), count(statuses, 429), computed.length]).toEqual([5, 59, 5]);
  });

  test("from one address, at 64 logins", async () => {
    const { on } = await withAlice();
    const statuses = await atOnce(
      on,
      Array.from({ length: 64 }, (_, at) => ({ login: `user${at}`, password: WRONG, address: "203.0.113.9" })),
    );
    // Of so many at once some are told to come again who would have had a place; never is one too many let in.
    expect(computed.length).toBe(count(statuses, 422));
    expect(computed.length).toBeLessThanOrEqual(30);
    expect(computed.length).toBeGreaterThan(0);
    expect(count(statuses, 422) + count(statuses, 429)).toBe(64);
  });

  test("in a browser that is known", async () => {
    const { on } = await withAlice();
    const own = new RawBrowser(on);
    await own.signIn("alice");
    const page = await own.get("/oauth/sign-in?again=1");
    computed.length = 0;
    const answers = await Promise.all(Array.from({ length: 64 }, (_, at) => own.type(page, "alice", `${WRONG} ${at}`)));
    const statuses = answers.map(({ status }) => status);
    expect(computed.length).toBe(count(statuses, 422));
    expect(computed.length).toBeLessThanOrEqual(15);
  });

  test("the right one among them signs in once for each that was let in", async () => {
    const { on, alice } = await withAlice();
    const statuses = await atOnce(
      on,
      Array.from({ length: 4 }, (_, at) => ({ login: "alice", password: PASSWORD, address: addressOf(at) })),
    );
    expect(statuses).toEqual([303, 303, 303, 303]);
    expect(await on.accounts.listSessions(alice.id)).toHaveLength(4);
  });
});

describe("too much to do", () => {
  test("is said by 503, and passes", async () => {
    const { on } = await withAlice({ accounts: { passwordHashing: { concurrency: 1, queue: 0 } } });
    const statuses = await atOnce(
      on,
      Array.from({ length: 4 }, (_, at) => ({ login: `user${at}`, password: WRONG, address: addressOf(at) })),
    );
    expect(count(statuses, 503)).toBeGreaterThan(0);
    expect(count(statuses, 422) + count(statuses, 503)).toBe(4);
    expect((await attempt(on, "alice", PASSWORD)).status).toBe(303);
    expect(on.events.filter((event) => event.type === "request.refused")).toContainEqual(
      expect.objectContaining({ endpoint: "sign-in", reason: "busy" }),
    );
  });

  test("is no failure of whoever comes then: nothing was looked at, and nobody is slowed down afterwards", async () => {
    const { on } = await withAlice({ accounts: { passwordHashing: { concurrency: 1, queue: 0 } } });
    const known = new RawBrowser(on);
    await known.signIn("alice");
    const { turn } = pace;
    let release = (): void => undefined;
    const busy = new Promise<void>((resolve) => {
      pace.turn = () => {
        resolve();
        return new Promise<void>((done) => (release = done));
      };
    });
    const other = attempt(on, "nobody", WRONG, "203.0.113.1");
    await busy;
    const page = await known.get("/oauth/sign-in?again=1");
    for (let tries = 0; tries < 20; tries += 1) {
      expect((await attempt(on, "alice", PASSWORD, "203.0.113.2")).status).toBe(503);
      expect((await known.type(page, "alice")).status).toBe(503);
    }
    pace.turn = turn;
    release();
    expect((await other).status).toBe(422);
    // Every place is free again: 5 for strangers, 10 for the browser that is known.
    for (let guess = 0; guess < 10; guess += 1) expect((await known.type(page, "alice", WRONG)).status).toBe(422);
    for (let guess = 0; guess < 5; guess += 1)
      expect((await attempt(on, "alice", WRONG, "203.0.113.2")).status).toBe(422);
    expect((await attempt(on, "alice", WRONG, "203.0.113.2")).status).toBe(429);
  });
});

describe("when the parameters of hashes rise", () => {
  const RAISED = { accounts: { passwordHashing: { memoryCost: 24_576 } } };

  /** Two servers over one storage, before and after. */
  async function raised() {
    const before = await withAlice();
    const after = world({ ...RAISED, server: { tokenStorage: before.on.storage } });
    return { storage: before.on.storage, before: before.on, after, alice: before.alice };
  }
  const writesOf = (calls: readonly string[]) => calls.filter((call) => call.startsWith("replace at-accounts-user:"));
  async function signInWatched(storage: RemoteMemory, on: World, password = PASSWORD) {
    computed.length = 0;
    let status = 0;
    const calls = await callsOf(storage, async () => {
      ({ status } = await attempt(on, "alice", password));
    });
    return { status, writes: writesOf(calls).length, memory: computed.map((each) => each.memoryCost) };
  }

  test("the hash is replaced once, at the next sign-in, and both servers take the password", async () => {
    const { storage, before, after, alice } = await raised();
    expect(await signInWatched(storage, after)).toEqual({ status: 303, writes: 1, memory: [19_456, 24_576] });
    expect(await signInWatched(storage, after)).toEqual({ status: 303, writes: 0, memory: [24_576] });
    expect(await signInWatched(storage, before)).toEqual({ status: 303, writes: 0, memory: [24_576] });
    // Nothing else has changed, and nobody was signed out by it.
    expect(await after.accounts.listSessions(alice.id)).toHaveLength(3);
    expect(await after.accounts.findUser(alice.id)).toMatchObject({ epoch: alice.epoch });
  });

  test("a wrong password replaces nothing, and costs what it costs at a name that nobody has", async () => {
    const { storage, after } = await raised();
    const cost = async (login: string) => {
      computed.length = 0;
      await attempt(after, login, WRONG);
      return computed.reduce((sum, each) => sum + each.memoryCost * each.timeCost, 0);
    };
    expect(await signInWatched(storage, after, WRONG)).toMatchObject({ status: 422, writes: 0 });
    expect(await cost("alice")).toBe(await cost("nobody"));
  });

  test("a storage that fails then keeps nobody out, and it is done the next time", async () => {
    const { storage, after } = await raised();
    storage.before = (verb, key) => {
      if (verb === "replace" && key.startsWith("at-accounts-user:")) throw new Error("the storage can not be reached");
    };
    expect((await signInWatched(storage, after)).status).toBe(303);
    expect(after.events).toContainEqual(expect.objectContaining({ type: "error", endpoint: "sign-in" }));
    storage.before = () => undefined;
    expect(await signInWatched(storage, after)).toMatchObject({ status: 303, writes: 1 });
  });

  test("a password that is set meanwhile stays: the old one does not come back", async () => {
    const { storage, after, alice } = await raised();
    let done = false;
    storage.before = async (verb, key) => {
      if (done || verb !== "replace" || !key.startsWith("at-accounts-user:")) return;
      done = true;
      await after.accounts.setPassword(alice.id, "another good password");
    };
    const browser = new RawBrowser(after);
    await browser.signIn("alice");
    expect(done).toBe(true);
    expect(await browser.isSignedIn()).toBe(false);
    expect((await attempt(after, "alice", PASSWORD)).status).toBe(422);
    expect((await attempt(after, "alice", "another good password")).status).toBe(303);
  });
});

describe("RFC 8265: one person, however they are written", () => {
  test.each([
    ["a composed name for a decomposed one", "zo\u00eb", "zoe\u0308", PASSWORD, PASSWORD],
    ["the other way round", "zoe\u0308", "ZO\u00cb", PASSWORD, PASSWORD],
    ["full-width letters", "alice", "\uff21\uff4c\uff49\uff43\uff45", PASSWORD, PASSWORD],
    ["spaces around the name", "alice", "  alice\t", PASSWORD, PASSWORD],
    [
      "a decomposed password",
      "alice",
      "alice",
      "p\u00e4sswort mit \u00fcberraschung",
      "pa\u0308sswort mit u\u0308berraschung",
    ],
    ["a password with other spaces", "alice", "alice", "many words in it", "many\u00a0words\u2003in it"],
    [
      "a Hangul password by its letters",
      "alice",
      "alice",
      "\ud55c\uad6d\uc5b4\ub85c\uc4f4\ube44\ubc00\ub9d0",
      "\ud55c\uad6d\uc5b4\ub85c\uc4f4\ube44\ubc00\ub9d0".normalize("NFD"),
    ],
    [
      "an emoji password",
      "alice",
      "alice",
      "\u{1f469}\u200d\u{1f52c} and \u{1f9ea} at work",
      "\u{1f469}\u200d\u{1f52c} and \u{1f9ea} at work",
    ],
    ["a right-to-left name", "\u05d0\u05dc\u05d9\u05e1", "\u05d0\u05dc\u05d9\u05e1", PASSWORD, PASSWORD],
  ])("signs in with %s", async (_, username, login, password, typed) => {
    const on = world();
    await on.accounts.createUser({ username, password });
    expect((await attempt(on, login, typed)).status).toBe(303);
  });

  test.each([
    ["another case", "Correct Horse Battery Staple"],
    ["a space at the end", `${PASSWORD} `],
    ["full-width letters", "\uff43orrect horse battery staple"],
  ])("a password in %s is another password", async (_, typed) => {
    const { on } = await withAlice();
    expect((await attempt(on, "alice", typed)).status).toBe(422);
  });

  test.each([
    ["nothing", ""],
    ["too little", "a"],
    ["too much", "a".repeat(3000)],
    ["a control character", "no\u0007password"],
  ])("what is no password is nobody's, also where somebody has the one that it is hashed as: %s", async (_, typed) => {
    // No rule keeps a hash out that an operator brought along.
    const passwordHash = await new PasswordHashing({ randomBytes }).hash("no password");
    const alice: User = {
      id: "alice",
      username: "alice",
      passwordHash,
      emailVerified: false,
      roles: [],
      claims: {},
      disabled: false,
      epoch: 0,
      createdAt: 0,
      version: 0,
    };
    const users: UserStore = {
      find: async () => alice,
      findByLogin: async () => alice,
      create: async () => "taken",
      update: async () => "stale",
      list: async () => ({ users: [alice] }),
    };
    const on = world({ accounts: { users } });
    expect((await attempt(on, "alice", typed)).status).toBe(422);
    expect((await attempt(on, "alice", "no password")).status).toBe(303);
  });

  test.each([
    ["a mark that turns the direction", "al\u202eice"],
    ["a right-to-left mark", "\u200falice"],
    ["an isolate", "\u2067alice\u2069"],
    ["nothing that is seen", "\u200b"],
    ["both directions", "alice\u05d0"],
    ["a control", "al\u0007ice"],
    ["a Cyrillic letter among Latin ones", "\u0430lice"],
  ])("no user has a name with %s", async (_, username) => {
    const on = world();
    await expect(on.accounts.createUser({ username, password: PASSWORD })).rejects.toMatchObject({
      reason: "username_malformed",
    });
    expect((await attempt(on, username, PASSWORD)).status).toBe(422);
  });
});

describe("a storage that fails", () => {
  test("at any one call of a sign-in is an answer of 503 or none at all, and the next try works", async () => {
    let call = 0;
    const answers: number[] = [];
    for (let struck = true; struck; ) {
      call += 1;
      const { on } = await withAlice();
      const browser = new RawBrowser(on);
      const page = await browser.get("/oauth/sign-in");
      let left = call;
      on.storage.before = (_, key) => {
        if (!key.startsWith("key-marks:") && --left === 0)
          throw new Error("the storage at redis://secret can not be reached");
      };
      const answer = await browser.type(page, "alice");
      struck = left <= 0;
      on.storage.before = () => undefined;
      answers.push(answer.status);
      if (struck) {
        expect([call, answer.status]).toEqual([call, 503]);
        expect(answer.text).not.toContain("redis");
        expect(answer.setCookies).toEqual([]);
        expect(on.events).toContainEqual(
          expect.objectContaining({ type: "request.refused", reason: "storage_unavailable" }),
        );
        expect((await browser.type(page, "alice")).status).toBe(303);
        expect(await browser.isSignedIn()).toBe(true);
      }
    }
    expect(answers.length).toBeGreaterThan(8);
    expect(answers.at(-1)).toBe(303);
  });

  test("from any call on lets nobody in, and guesses before and after are counted together", async () => {
    for (let call = 1; call <= 6; call += 1) {
      const { on } = await withAlice();
      const browser = new RawBrowser(on);
      const page = await browser.get("/oauth/sign-in");
      let left = call;
      on.storage.before = () => {
        on.storage.reachable = --left > 0;
      };
      const answer = await browser.type(page, "alice");
      expect([call, answer.status, browser.cookie("session")]).toEqual([call, 503, undefined]);
    }
  });

  test("while guesses are counted lets no password be looked at", async () => {
    const { on } = await withAlice();
    on.storage.before = (_, key) => {
      if (key.startsWith("at-accounts-attempts:")) throw new Error("the storage can not be reached");
    };
    expect((await attempt(on, "alice", PASSWORD)).status).toBe(503);
    expect(computed).toEqual([]);
  });
});

test("the operator is told that somebody disabled was there only where it was them", async () => {
  const { on, alice } = await withAlice();
  await on.accounts.disableUser(alice.id);
  on.events.length = 0;
  for (const password of [WRONG, PASSWORD]) await attempt(on, "alice", password);
  expect(on.events.map((event) => event.type === "account.sign_in_failed" && event.because)).toEqual([
    "credentials",
    "disabled",
  ]);
});
