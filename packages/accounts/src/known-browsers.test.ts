import { expect, test } from "vitest";
import { HOSTILE, jar, keysOf, Records } from "../test/records.ts";
import { KnownBrowsers } from "./known-browsers.ts";

const ALICE = { id: "alice", epoch: 0 };
const BOB = { id: "bob", epoch: 0 };
const NAME = "__Host-sallyport-known";
const DAY = 86_400;

function arranged(...words: readonly string[]) {
  const records = new Records();
  const [first = "known", ...rest] = words;
  const instance = (keys = keysOf(first, ...rest), secure = true) =>
    new KnownBrowsers({ keys, runtime: records.runtime, secure });
  return { records, instance, browsers: instance() };
}

/** What a browser sends after it has been made known for each of them in turn. */
function knownFor(browsers: KnownBrowsers, ...users: readonly { readonly id: string; readonly epoch: number }[]) {
  return users.reduce((cookies, user) => jar(browsers.remember(cookies, user)), jar());
}

const sent = (value: string) => jar({ name: NAME, value });
const cookieOf = (cookies: ReadonlyMap<string, string>) => cookies.get(NAME) ?? "";

test("a browser is known for the account that it was remembered for, and for no other", () => {
  const { browsers } = arranged();
  const cookies = knownFor(browsers, ALICE);
  expect(browsers.find(cookies, ALICE)).toMatch(/^[A-Za-z0-9_-]{22}$/);
  expect(browsers.find(cookies, BOB)).toBeUndefined();
  expect(browsers.find(jar(), ALICE)).toBeUndefined();
});

test("a browser is known for no account that does not exist", () => {
  const { browsers } = arranged();
  expect(browsers.find(knownFor(browsers, ALICE), undefined)).toBeUndefined();
});

test("several accounts share a browser, each under a name of its own", () => {
  const { browsers } = arranged();
  const cookies = knownFor(browsers, ALICE, BOB);
  expect(browsers.find(cookies, ALICE)).toBeDefined();
  expect(browsers.find(cookies, BOB)).toBeDefined();
  expect(browsers.find(cookies, ALICE)).not.toBe(browsers.find(cookies, BOB));
});

test("remembered again, a browser has one entry for the account, under a new name", () => {
  const { browsers } = arranged();
  const before = knownFor(browsers, ALICE, BOB);
  const after = jar(browsers.remember(before, ALICE));
  expect(browsers.find(after, ALICE)).not.toBe(browsers.find(before, ALICE));
  expect(browsers.find(after, BOB)).toBe(browsers.find(before, BOB));
  expect(cookieOf(after).split("~")).toHaveLength(2);
});

test("the cookie is for this host alone and 400 days", () => {
  const { browsers, instance } = arranged();
  expect(browsers.remember(jar(), ALICE)).toMatchObject({ name: NAME, maxAge: 400 * DAY });
  expect(instance(keysOf("known"), false).remember(jar(), ALICE).name).toBe("sallyport-known");
});

test("after 400 days a browser is not known any more", () => {
  const { browsers, records } = arranged();
  const cookies = knownFor(browsers, ALICE);
  records.now += 400 * DAY - 1;
  expect(browsers.find(cookies, ALICE)).toBeDefined();
  records.now += 1;
  expect(browsers.find(cookies, ALICE)).toBeUndefined();
  expect(cookieOf(jar(browsers.remember(cookies, BOB))).split("~")).toHaveLength(1);
});

test("who was signed out everywhere has left what was known behind", () => {
  const { browsers } = arranged();
  const cookies = knownFor(browsers, ALICE);
  expect(browsers.find(cookies, { ...ALICE, epoch: 1 })).toBeUndefined();
});

test("the cookie names no account, and no two cookies of an account have anything in common", () => {
  const { browsers } = arranged();
  const [one, other] = [cookieOf(knownFor(browsers, ALICE)), cookieOf(knownFor(browsers, ALICE))];
  expect(one).not.toContain("alice");
  const parts = (value: string) => value.split(".").filter((_, at) => at !== 1);
  expect(parts(one).filter((part) => parts(other).includes(part))).toEqual([]);
});

test("another account's entry can't be made one's own: no part of it can be exchanged", () => {
  const { browsers, records } = arranged();
  const mallory = cookieOf(knownFor(browsers, BOB)).split(".");
  records.now += 1;
  const real = cookieOf(knownFor(browsers, ALICE)).split(".");
  expect(browsers.find(sent(real.join(".")), ALICE)).toBeDefined();
  for (const at of [0, 1, 2]) {
    const mixed = real.with(at, mallory[at] ?? "");
    expect(browsers.find(sent(mixed.join(".")), ALICE)).toBeUndefined();
  }
});

test("of a truncated cookie the whole entries count and the broken one does not", () => {
  const { browsers } = arranged();
  const value = cookieOf(knownFor(browsers, ALICE, BOB));
  for (let length = 0; length < value.length; length++) {
    const cookies = sent(value.slice(0, length));
    expect(browsers.find(cookies, BOB)).toBeUndefined();
    expect(browsers.find(cookies, ALICE) !== undefined).toBe(
      length === value.indexOf("~") || length > value.indexOf("~"),
    );
  }
});

test("with a character changed, an entry is forged", () => {
  const { browsers } = arranged();
  const value = cookieOf(knownFor(browsers, ALICE));
  for (let at = 0; at < value.length; at++) {
    const forged = value.slice(0, at) + (value[at] === "A" ? "B" : "A") + value.slice(at + 1);
    expect(browsers.find(sent(forged), ALICE)).toBeUndefined();
  }
});

test("keys of another server make nobody known", () => {
  const { browsers, instance } = arranged();
  const cookies = knownFor(instance(keysOf("another")), ALICE);
  expect(browsers.find(cookies, ALICE)).toBeUndefined();
});

test("while keys are rotated a browser stays known, and when it is remembered again it needs the old key no more", () => {
  const { instance } = arranged();
  const cookies = knownFor(instance(keysOf("old")), ALICE);
  const rotating = instance(keysOf("new", "old"));
  expect(rotating.find(cookies, ALICE)).toBeDefined();
  const renewed = jar(rotating.remember(cookies, ALICE));
  expect(cookieOf(renewed).split("~")).toHaveLength(1);
  expect(instance(keysOf("new")).find(cookies, ALICE)).toBeUndefined();
  expect(instance(keysOf("new")).find(renewed, ALICE)).toBeDefined();
});

test("an eleventh account takes the place of the one that was remembered longest ago", () => {
  const { browsers } = arranged();
  const users = Array.from({ length: 11 }, (_, at) => ({ id: `user-${at}`, epoch: 0 }));
  const cookies = knownFor(browsers, ...users);
  const known = users.map((user) => browsers.find(cookies, user) !== undefined);
  expect(known).toEqual([false, ...Array.from({ length: 10 }, () => true)]);
});

test("who is remembered again is not the next to go", () => {
  const { browsers } = arranged();
  const users = Array.from({ length: 10 }, (_, at) => ({ id: `user-${at}`, epoch: 0 }));
  const again = { id: "user-0", epoch: 0 };
  const cookies = knownFor(browsers, ...users, again, ALICE);
  expect(browsers.find(cookies, again)).toBeDefined();
  expect(browsers.find(cookies, { id: "user-1", epoch: 0 })).toBeUndefined();
});

test("the cookie never outgrows 1.5 KB, whatever was sent and however often it is written", () => {
  const { browsers, instance } = arranged();
  const stranger = instance(keysOf("another"));
  let cookies = jar();
  for (let at = 0; at < 40; at++) {
    const user = { id: `${"x".repeat(127)}${at}`, epoch: at };
    cookies = jar((at % 2 === 0 ? browsers : stranger).remember(cookies, user));
    expect(cookieOf(cookies).length + NAME.length).toBeLessThan(1536);
    expect((at % 2 === 0 ? browsers : stranger).find(cookies, user)).toBeDefined();
  }
});

test("what is longer than ten entries is not read, and replaced", () => {
  const { browsers } = arranged();
  const entry = cookieOf(knownFor(browsers, ALICE));
  const long = sent(Array.from({ length: 15_000 }, () => entry).join("~"));
  expect(cookieOf(long).length).toBeGreaterThan(1024 * 1024);
  expect(browsers.find(long, ALICE)).toBeUndefined();
  expect(cookieOf(jar(browsers.remember(long, BOB))).split("~")).toHaveLength(1);
});

test("what a stranger makes up makes nobody known and is not carried on", () => {
  const { browsers } = arranged();
  for (const value of HOSTILE) {
    expect(browsers.find(sent(value), ALICE)).toBeUndefined();
    expect(browsers.find(sent(value), undefined)).toBeUndefined();
    const renewed = jar(browsers.remember(sent(value), ALICE));
    expect(cookieOf(renewed)).toMatch(/^[\w-]{22}\.[0-9a-z]{1,8}\.[\w-]{43}$/);
  }
});
