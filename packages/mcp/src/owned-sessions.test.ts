import { expect, test } from "vitest";
import type { SdkAuthInfo } from "./auth-session.ts";
import { OwnedSessions, type OwnedSessionsOptions } from "./owned-sessions.ts";

const alice = person("alice", "a-client");
const bob = person("bob", "a-client");

function person(subject: string, clientId: string): SdkAuthInfo {
  return { token: `token-of-${subject}`, clientId, scopes: [], extra: { subject, claims: {} } };
}

function sessionsWith(options: OwnedSessionsOptions<string> = {}) {
  const clock = { now: 1000 };
  const ended: string[] = [];
  const sessions = new OwnedSessions<string>({ now: () => clock.now, end: (value) => ended.push(value), ...options });
  return { sessions, clock, ended };
}

/** Endings are asynchronous: this is after all that have begun. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

test("T-SE-02: a session is its owner's, and to everybody else it does not exist", () => {
  const { sessions } = sessionsWith();
  sessions.add("s1", alice, "what is alice's");

  expect(sessions.find("s1", alice)).toBe("what is alice's");
  expect(sessions.find("s1", { ...alice, token: "a newer token of alice", scopes: ["more"] })).toBe("what is alice's");
  expect(sessions.find("s1", bob)).toBeUndefined();
  expect(sessions.find("s1", person("alice", "another-client"))).toBeUndefined();
  expect(sessions.find("s1", { ...alice, extra: {} })).toBeUndefined();
  expect(sessions.find("s1", undefined)).toBeUndefined();
  expect(sessions.find("s1", alice)).toBe("what is alice's");
});

test("subject and client do not run into one another", () => {
  const { sessions } = sessionsWith();
  sessions.add("s1", person('a","b', "c"), "x");

  expect(sessions.find("s1", person("a", 'b","c'))).toBeUndefined();
});

test.each([undefined, null, "", "s2", "__proto__", ["s1", "s1"]])("%o leads to no session", (id) => {
  const { sessions } = sessionsWith();
  sessions.add("s1", alice, "x");

  expect(sessions.find(id, alice)).toBeUndefined();
});

test("nobody begins a session unseen, or takes an id that is in use", () => {
  const { sessions } = sessionsWith();
  sessions.add("s1", alice, "x");

  expect(() => sessions.add("s2", undefined, "y")).toThrow("signed in");
  expect(() => sessions.add("s1", bob, "y")).toThrow("taken");
  expect(sessions.find("s1", alice)).toBe("x");
});

test("a session ends when nobody has used it for its time, and each use begins the time anew", async () => {
  const { sessions, clock, ended } = sessionsWith({ idleTtl: 60 });
  sessions.add("s1", alice, "used");
  sessions.add("s2", alice, "idle");
  clock.now += 59;
  sessions.find("s1", alice);
  clock.now += 1;

  expect(sessions.find("s2", alice)).toBeUndefined();
  expect(sessions.find("s1", alice)).toBe("used");
  await settled();
  expect(ended).toEqual(["idle"]);
});

test("another's attempts do not keep a session alive", () => {
  const { sessions, clock } = sessionsWith({ idleTtl: 60 });
  sessions.add("s1", alice, "x");
  clock.now += 59;
  sessions.find("s1", bob);
  clock.now += 1;

  expect(sessions.find("s1", alice)).toBeUndefined();
});

test("a flood of sessions ends those of the one who floods", async () => {
  const { sessions, ended } = sessionsWith({ limitPerOwner: 10 });
  sessions.add("hers", alice, "hers");
  for (let i = 0; i < 1000; i++) sessions.add(`his-${i}`, bob, `his-${i}`);
  await settled();

  expect(sessions.size).toBe(11);
  expect(sessions.find("hers", alice)).toBe("hers");
  expect(ended).toHaveLength(990);
  expect(sessions.find("his-999", bob)).toBe("his-999");
});

test("there are never more than the limit, whoever has them; the one that was idle for longest goes", async () => {
  const { sessions, ended } = sessionsWith({ limit: 3 });
  for (const name of ["a", "b", "c"]) sessions.add(name, person(name, "x"), name);
  sessions.find("a", person("a", "x"));
  sessions.add("d", person("d", "x"), "d");
  await settled();

  expect(sessions.size).toBe(3);
  expect(ended).toEqual(["b"]);
});

test("a session that ended elsewhere is forgotten, and not ended once more", async () => {
  const { sessions, ended } = sessionsWith();
  sessions.add("s1", alice, "x");
  sessions.delete("s1");
  sessions.delete("s1");
  await settled();

  expect(sessions.size).toBe(0);
  expect(ended).toEqual([]);
});

test("what can't be ended is told, and stops nothing else", async () => {
  const errors: unknown[] = [];
  const broken = new Error("broken");
  const { sessions } = sessionsWith({
    end: (value) => (value === "x" ? Promise.reject(broken) : undefined),
    onError: (error) => errors.push(error),
  });
  sessions.add("s1", alice, "x");
  sessions.add("s2", alice, "y");
  sessions.close();
  await settled();

  expect(sessions.size).toBe(0);
  expect(errors).toEqual([broken]);
});
