import type { Keys } from "@sallyport/oauth-core/accounts";
import { describe, expect, test } from "vitest";
import { HOSTILE, jar, keysOf, Records } from "../test/records.ts";
import { type BrowserSessionRecord, BrowserSessions, type BrowserSessionsOptions, counts } from "./browser-sessions.ts";

const ALICE = { id: "alice", epoch: 0 };
const BOB = { id: "bob", epoch: 0 };
const HALF_DAY = 43_200;
const NAME = "__Host-sallyport-session";

interface Change extends Partial<BrowserSessionsOptions> {
  readonly seal?: Keys;
  readonly list?: boolean;
}

function arranged() {
  const records = new Records();
  const sessions = ({ seal = keysOf("seal"), list = true, ...change }: Change = {}) =>
    new BrowserSessions({
      collection: records.collection<BrowserSessionRecord>("accounts-session", seal, { list }),
      keys: keysOf("name"),
      runtime: records.runtime,
      secure: true,
      sessionTtl: HALF_DAY,
      ...change,
    });
  return { records, sessions };
}

const begin = (sessions: BrowserSessions, user = ALICE) => sessions.start({ user, methods: ["pwd"] });
const idsOf = (listed: readonly { readonly id: string }[] | undefined) => listed?.map(({ id }) => id).sort();

describe("a session", () => {
  test("is found by its cookie, in any instance on the storage", async () => {
    const { records, sessions } = arranged();
    const { session, cookie } = await sessions().start({
      user: { id: "alice", epoch: 7 },
      methods: ["pwd"],
      userAgent: "Mozilla/5.0 (X11; Linux x86_64)",
      address: "192.0.2.1",
    });
    expect(cookie).toEqual({ name: NAME, value: expect.stringMatching(/^sp_bs_/), maxAge: HALF_DAY });
    expect(session).toEqual({
      id: expect.stringMatching(/^[A-Za-z0-9_-]{44}$/),
      userId: "alice",
      epoch: 7,
      startedAt: records.now,
      seenAt: records.now,
      methods: ["pwd"],
      userAgent: "Mozilla/5.0 (X11; Linux x86_64)",
      address: "192.0.2.1",
    });
    expect(await sessions().find(jar(cookie))).toEqual(session);
  });

  test("OWASP, session fixation: is another one with each sign-in, whatever the browser brought along", async () => {
    const { sessions } = arranged();
    const [one, other] = [await begin(sessions()), await begin(sessions())];
    expect(one.session.id).not.toBe(other.session.id);
    expect(one.cookie.value).not.toBe(other.cookie.value);
  });

  test("can't be made of all that the storage holds, nor of the ids on a page", async () => {
    const { records, sessions } = arranged();
    const { session, cookie } = await begin(sessions());
    const secret = cookie.value.split(".")[1] ?? "";
    const dump = await records.dump();
    expect(secret).toHaveLength(43);
    for (const text of [secret, "alice", "pwd"]) expect(dump).not.toContain(text);
    expect(JSON.stringify(session)).not.toContain(secret);
    const forged = `sp_bs_${session.id.slice(0, 22)}.${session.id.slice(1)}`;
    expect(await sessions().find(jar({ name: NAME, value: forged }))).toBeUndefined();
  });

  test("ends when its time is over, however much it was used", async () => {
    const { records, sessions } = arranged();
    const { cookie } = await begin(sessions());
    for (let hour = 0; hour < 11; hour++) {
      records.now += 3600;
      expect(await sessions().find(jar(cookie))).toBeDefined();
    }
    records.now += 3599;
    expect(await sessions().find(jar(cookie))).toBeDefined();
    records.now += 1;
    expect(await sessions().find(jar(cookie))).toBeUndefined();
    expect(await records.names()).toEqual([]);
  });

  test("ends when its time is over where the storage forgets to let go of it", async () => {
    const { records, sessions } = arranged();
    const { session, cookie } = await begin(sessions());
    const key = `accounts-session:${session.id}`;
    await records.memory.save(key, await records.memory.get(key));
    records.now += HALF_DAY;
    expect(await sessions().find(jar(cookie))).toBeUndefined();
    expect(await sessions().list(ALICE)).toEqual([]);
    expect(await sessions().end(session.id, "alice")).toBe(false);
  });

  test("is one read, and one write more in an hour", async () => {
    const { records, sessions } = arranged();
    const { cookie } = await begin(sessions());
    records.calls.length = 0;
    for (const [passed, verbs] of [
      [0, ["get"]],
      [3599, ["get"]],
      [1, ["get", "replace"]],
      [60, ["get"]],
    ] as const) {
      records.now += passed;
      const seenAt = (await sessions().find(jar(cookie)))?.seenAt ?? 0;
      expect(records.now - seenAt).toBeLessThan(3600);
      expect(records.calls.splice(0).map((call) => call.split(" ")[0])).toEqual(verbs);
    }
  });

  test("is not brought back by being seen while it is ended", async () => {
    const { records, sessions } = arranged();
    const { session, cookie } = await begin(sessions());
    records.now += 7200;
    records.before = async (call) => {
      if (!call.startsWith("replace")) return;
      records.before = () => undefined;
      await sessions().end(session.id, "alice");
    };
    await sessions().find(jar(cookie));
    expect(await sessions().find(jar(cookie))).toBeUndefined();
    expect(await records.names()).toEqual([]);
  });

  test("keeps of the browser's name what can be shown, and no more than 200 characters", async () => {
    const { sessions } = arranged();
    const start = { user: ALICE, methods: ["pwd"], userAgent: `\0\u202e\ud800<b>${"x".repeat(1e6)}`, address: "\n" };
    const { cookie } = await sessions().start(start);
    const found = await sessions().find(jar(cookie));
    expect(found?.userAgent).toBe(`<b>${"x".repeat(197)}`);
    expect(found?.address).toBeUndefined();
  });

  test("counts for its person only, while they are not disabled or signed out everywhere", async () => {
    const { sessions } = arranged();
    const { session } = await begin(sessions());
    const user = { ...ALICE, disabled: false };
    expect(counts(session, user)).toBe(true);
    expect(counts(session, { ...user, epoch: 1 })).toBe(false);
    expect(counts(session, { ...user, disabled: true })).toBe(false);
    expect(counts(session, { ...user, id: "bob" })).toBe(false);
    expect(counts(session, undefined)).toBe(false);
  });

  test("is not absent where the storage can't be reached", async () => {
    const { records, sessions } = arranged();
    const { cookie } = await begin(sessions());
    records.breakAt(1, "is gone");
    await expect(sessions().find(jar(cookie))).rejects.toThrow("can not be reached");
    await expect(sessions().list(ALICE)).rejects.toThrow("can not be reached");
    await expect(sessions().endOthers("alice")).rejects.toThrow("can not be reached");
  });
});

describe("while secrets are rotated, a session", () => {
  test("is found, listed and ended, and lives on when the old key of the seal is taken away", async () => {
    const { records, sessions } = arranged();
    const { session, cookie } = await begin(sessions({ keys: keysOf("old"), seal: keysOf("old seal") }));
    const both = sessions({ keys: keysOf("new", "old"), seal: keysOf("new seal", "old seal") });
    const second = await begin(both);
    expect(second.session.id.slice(0, 22)).not.toBe(session.id.slice(0, 22));
    expect((await both.find(jar(cookie)))?.id).toBe(session.id);
    expect(idsOf(await both.list(ALICE))).toEqual([session.id, second.session.id].sort());
    expect(records.calls.filter((call) => call.startsWith("replace"))).toHaveLength(1);

    const after = sessions({ keys: keysOf("new"), seal: keysOf("new seal") });
    expect((await after.find(jar(cookie)))?.userId).toBe("alice");
    expect(await after.end(session.id, "alice")).toBe(true);
    expect(await after.find(jar(cookie))).toBeUndefined();
  });

  test("does not open with another server's keys", async () => {
    const { sessions } = arranged();
    const { cookie } = await begin(sessions());
    expect(await sessions({ seal: keysOf("another") }).find(jar(cookie))).toBeUndefined();
  });
});

describe("the sessions of a person", () => {
  test("are listed, the last seen first, and nobody else's are", async () => {
    const { records, sessions } = arranged();
    const first = await begin(sessions());
    await begin(sessions(), BOB);
    records.now += 10;
    const second = await begin(sessions());
    expect(await sessions().list(ALICE)).toEqual([second.session, first.session]);
    records.now += 3600;
    await sessions().find(jar(first.cookie));
    expect((await sessions().list(ALICE))?.map(({ id }) => id)).toEqual([first.session.id, second.session.id]);
    expect(await sessions().list({ id: "nobody", epoch: 0 })).toEqual([]);
    expect(await sessions().list({ id: "", epoch: 0 })).toEqual([]);
  });

  test("are listed only while they count", async () => {
    const { sessions } = arranged();
    await begin(sessions());
    const { session } = await begin(sessions(), { id: "alice", epoch: 1 });
    expect(idsOf(await sessions().list({ id: "alice", epoch: 1 }))).toEqual([session.id]);
  });

  test("are ended over any number of pages, and listed up to a hundred", async () => {
    const { sessions } = arranged();
    const { session: kept } = await begin(sessions());
    for (let more = 0; more < 250; more++) await begin(sessions());
    const { cookie: bobs } = await begin(sessions(), BOB);
    expect(await sessions().list(ALICE)).toHaveLength(100);
    expect(await sessions().endOthers("alice", kept.id)).toBe(250);
    expect(await sessions().list(ALICE)).toEqual([kept]);
    expect(await sessions().endOthers("alice")).toBe(1);
    expect(await sessions().list(ALICE)).toEqual([]);
    expect(await sessions().find(jar(bobs))).toBeDefined();
  });

  test("can't be told where the storage can't list, and work all the same", async () => {
    const { sessions } = arranged();
    const here = sessions({ list: false });
    const { session, cookie } = await begin(here);
    expect(await here.list(ALICE)).toBeUndefined();
    expect(await here.endOthers("alice")).toBeUndefined();
    expect((await here.find(jar(cookie)))?.id).toBe(session.id);
    expect(await here.end(session.id, "alice")).toBe(true);
    expect(await here.find(jar(cookie))).toBeUndefined();
  });
});

describe("ending one", () => {
  test("ends it in every instance, and nothing else", async () => {
    const { sessions } = arranged();
    const [one, other] = [await begin(sessions()), await begin(sessions())];
    expect(await sessions().end(one.session.id, "alice")).toBe(true);
    expect(await sessions().find(jar(one.cookie))).toBeUndefined();
    expect(await sessions().find(jar(other.cookie))).toBeDefined();
    expect(await sessions().end(one.session.id, "alice")).toBe(false);
  });

  test("of somebody else is refused, and theirs goes on", async () => {
    const { sessions } = arranged();
    const { session, cookie } = await begin(sessions());
    for (const stranger of ["bob", "", "alice\0", "Alice"])
      expect(await sessions().end(session.id, stranger)).toBe(false);
    expect(await sessions().find(jar(cookie))).toBeDefined();
  });

  test("that is none asks the storage nothing", async () => {
    const { records, sessions } = arranged();
    const { session } = await begin(sessions());
    records.calls.length = 0;
    const ids = [...HOSTILE.filter((text) => text.length !== 44), `${session.id}\n`, session.id.slice(1)];
    for (const id of ids) expect(await sessions().end(id, "alice")).toBe(false);
    expect(records.calls).toEqual([]);
    expect(await sessions().end("A".repeat(44), "alice")).toBe(false);
  });

  test("by leaving takes the cookie away, and does so for who is in none", async () => {
    const { records, sessions } = arranged();
    const { cookie } = await begin(sessions());
    const { cookie: bobs } = await begin(sessions(), BOB);
    expect(await sessions().leave(jar(cookie))).toEqual({ name: NAME, value: "", maxAge: 0 });
    expect(await sessions().find(jar(cookie))).toBeUndefined();
    expect(await sessions().find(jar(bobs))).toBeDefined();
    records.calls.length = 0;
    for (const value of HOSTILE.filter((text) => !/^sp_bs_A{22}\.A{43}$/.test(text)))
      expect(await sessions().leave(jar({ name: NAME, value }))).toEqual({ name: NAME, value: "", maxAge: 0 });
    expect(await sessions().leave(jar())).toEqual({ name: NAME, value: "", maxAge: 0 });
    expect(records.calls).toEqual([]);
  });
});

describe("a cookie", () => {
  test("that is none of ours, or was changed, cut or lengthened, is no session", async () => {
    const { sessions } = arranged();
    const { value } = (await begin(sessions())).cookie;
    const swapped = Array.from(
      value,
      (letter, at) => value.slice(0, at) + (letter === "A" ? "B" : "A") + value.slice(at + 1),
    );
    const changed = [
      value.slice(0, -1),
      value.slice(1),
      `${value}A`,
      `${value}\n`,
      `${value}\0`,
      value.toUpperCase(),
      ` ${value}`,
    ];
    for (const hostile of [...HOSTILE, ...changed, ...swapped])
      expect(await sessions().find(jar({ name: NAME, value: hostile }))).toBeUndefined();
    expect(await sessions().find(jar())).toBeUndefined();
  });

  test("of one person with the beginning of another is no session of either", async () => {
    const { sessions } = arranged();
    const [mine, yours] = [await begin(sessions()), await begin(sessions(), BOB)];
    const crossed = `sp_bs_${yours.session.id.slice(0, 22)}.${mine.cookie.value.split(".")[1]}`;
    expect(await sessions().find(jar({ name: NAME, value: crossed }))).toBeUndefined();
  });

  test("of another name is not looked at: over https the one with the prefix counts alone", async () => {
    const { sessions } = arranged();
    const { cookie } = await begin(sessions({ secure: false }));
    expect(cookie.name).toBe("sallyport-session");
    expect(await sessions({ secure: false }).find(jar(cookie))).toBeDefined();
    expect(await sessions().find(jar(cookie))).toBeUndefined();
  });
});

test("a record that was copied under another name does not open there", async () => {
  const { records, sessions } = arranged();
  const [mine, yours] = [await begin(sessions()), await begin(sessions(), BOB)];
  await records.memory.save(
    `accounts-session:${mine.session.id}`,
    await records.memory.get(`accounts-session:${yours.session.id}`),
  );
  expect(await sessions().find(jar(mine.cookie))).toBeUndefined();
});
