import { describe, expect, test } from "vitest";
import { profileOf, subjectOf } from "./profile.ts";

test("OpenID Connect Core §5.1: the standard claims, and groups and roles", () => {
  const claims = {
    sub: "1",
    email: "alice@example.com",
    email_verified: true,
    name: "Alice",
    picture: "https://p.example/a.png",
    groups: ["staff"],
    roles: ["admin", "user"],
    other: 1,
  };
  expect(profileOf(claims)).toEqual({
    email: "alice@example.com",
    emailVerified: true,
    name: "Alice",
    picture: "https://p.example/a.png",
    groups: ["staff"],
    roles: ["admin", "user"],
  });
});

test("what nobody says is absent", () => {
  expect(profileOf()).toEqual({});
  expect(profileOf(undefined, {})).toEqual({});
});

test("each part comes from the first source that has it", () => {
  expect(profileOf({ name: "A" }, { name: "B", picture: "p", roles: ["r"] })).toEqual({
    name: "A",
    picture: "p",
    roles: ["r"],
  });
});

test("an address never gets its verification from another source", () => {
  expect(profileOf({ email: "a@x.example" }, { email: "b@x.example", email_verified: true })).toEqual({
    email: "a@x.example",
  });
  expect(profileOf({ email_verified: true }, { email: "b@x.example" })).toEqual({ email: "b@x.example" });
  expect(profileOf({ email_verified: false }, { email: "b@x.example", email_verified: true }).emailVerified).toBe(true);
});

describe("whether an address is verified", () => {
  test.each([
    [true, true],
    ["true", true],
    [false, false],
    ["false", false],
    ["yes", false],
    [1, false],
    ["", false],
    [[true], false],
    [{}, false],
    [undefined, undefined],
    [null, undefined],
  ])("%j is %j", (email_verified, expected) => {
    expect(profileOf({ email: "a@x.example", email_verified }).emailVerified).toBe(expected);
  });
});

describe("values that are none", () => {
  test.each([5, "", null, {}, ["a@x.example"], "x".repeat(2049)])("of an address: %j", (email) => {
    expect(profileOf({ email, email_verified: true })).toEqual({});
  });

  test.each<[unknown, unknown]>([
    ["admin", ["admin"]],
    [
      ["a", 1, null, "", "b"],
      ["a", "b"],
    ],
    [[], []],
    [{ a: 1 }, undefined],
    [7, undefined],
    ["", []],
  ])("of roles: %j are %j", (roles, expected) => {
    expect(profileOf({ roles }).roles).toEqual(expected);
  });

  test("beyond a thousand roles there are none", () => {
    expect(profileOf({ roles: Array.from({ length: 5000 }, String) }).roles).toHaveLength(1000);
  });
});

describe("the name of a person", () => {
  test.each([
    [{ sub: "alice", id: 1 }, "alice"],
    [{ id: 42 }, "42"],
    [{ id: "u-1" }, "u-1"],
    [{ sub: "" }, undefined],
    [{ sub: 1.5 }, undefined],
    [{ sub: "a".repeat(256) }, undefined],
    [{ id: Number.MAX_VALUE }, undefined],
    [undefined, undefined],
  ])("of %j is %j", (claims, expected) => {
    expect(subjectOf(claims)).toBe(expected);
  });
});
