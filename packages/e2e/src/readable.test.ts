/** The search for secrets itself: what it has to find, or else it proves nothing. */
import { expect, test } from "vitest";
import { readable } from "./readable.ts";

const SECRETS = ["sp_ac_9vY2hbWz1mKq7Rt4", "a-verifier-of-many-characters", "user-1@example.com"];

test.each(["", "\0\u0001x", "=", "key:"])("a secret that stands as it is behind %j is found", (before) => {
  expect(readable(`${before}${SECRETS.join(" ")}`, SECRETS)).toEqual(SECRETS);
});

test.each(["", "x", "xy", "xyz"])("a secret in base64, behind %j and other characters of it, is found", (before) => {
  const [, secret = ""] = SECRETS;
  const dump = `\u0002${before}${Buffer.from(`{"verifier":"${secret}"}`).toString("base64url")}\u0003`;

  expect(readable(dump, SECRETS)).toEqual([secret]);
});

test("a dump without any of them has none", () => {
  expect(readable("sp_ac_9vY2hbWz1mKq user-1@example and much more that nobody minds", SECRETS)).toEqual([]);
});
