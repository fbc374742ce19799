import { randomInt } from "node:crypto";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { COMMON } from "../scripts/common-passwords.ts";
import { isCommonPassword, isGuessable } from "./common-passwords.ts";

/** Printed, so that a run can be had again. */
const seed = Number(process.env["FUZZ_SEED"] ?? randomInt(2 ** 31));
afterAll(() => console.log(`common-passwords: FUZZ_SEED=${seed}`));

describe("isCommonPassword", () => {
  test("knows every password of the list, and they are enough to matter", () => {
    expect(COMMON.filter((password) => !isCommonPassword(password))).toEqual([]);
    expect(COMMON.length).toBeGreaterThan(10_000);
  });

  test("knows no beginning and no continuation of one that is not on it itself", () => {
    const listed = new Set(COMMON);
    const beside = COMMON.flatMap((password) => [password.slice(0, -1), `${password}~`]);
    expect(beside.filter((password) => !listed.has(password) && isCommonPassword(password))).toEqual([]);
  });

  test.each([
    "password",
    "PASSWORD",
    "PassWord1",
    "ＰＡＳＳＷＯＲＤ",
    "𝐏assword",
    "\u212aathleen",
    "i love you",
    "baseball ",
  ])("%j is common, whatever its case, width and spaces", (password) => {
    expect(isCommonPassword(password)).toBe(true);
  });

  test.each(["", "Tr0ub4dor&3x", "correct horse battery staple", "한글비밀번호입니다", "constructor~", "__proto__"])(
    "%j is not",
    (password) => {
      expect(isCommonPassword(password)).toBe(false);
    },
  );
});

describe("isGuessable", () => {
  const names = ["alice", "alice.liddell@example.com", "Alice Liddell-O'Hara", undefined, "Looking Glass Ltd"];

  test.each([
    ["the username", "alicealice"],
    ["a name and a year", "alice2024!"],
    ["a name in another case", "ALICE-1234"],
    ["a name in another width", "ａｌｉｃｅ１２３４"],
    ["the address", "alice.liddell@example.com"],
    ["the whole name", "Alice Liddell-O'Hara"],
    ["the server's name", "LookingGlass1"],
    ["a name and a common password", "alicepassword"],
    ["a common password around a name", "passaliceword"],
    ["a name and a run", "liddell12345678"],
    ["names in the other order", "liddell.alice"],
  ])("%s is guessable", (_, password) => {
    expect(isGuessable(password, { names })).toBe(true);
  });

  test.each(["correct horse battery staple", "alice's white rabbit hole", "Xk7-alice-Qm2!pZ", "al1ce-behind-mirrors"])(
    "%j is not, though it may have a name in it",
    (password) => {
      expect(isGuessable(password, { names })).toBe(false);
    },
  );

  test.each([
    "password1",
    "aaaaaaaa",
    "        ",
    "abababab",
    "12341234",
    "😀😀😀😀😀😀😀😀",
    "abcdefghij",
    "98765432",
    "ABCDefgh",
  ])("%j is guessable by whoever knows no name", (password) => {
    expect(isGuessable(password)).toBe(true);
  });

  test("names of one or two letters say nothing about a password", () => {
    expect(isGuessable("Bo-8z!kQ", { names: ["Bo", "8", ""] })).toBe(false);
  });

  test("what has a meaning in patterns is only text in a name", () => {
    expect(isGuessable("behind-the-mirror", { names: [".*", "[a-z]+", "$&$&$&", "(((("] })).toBe(false);
  });

  test("whatever is added to a name, fewer than eight characters are not enough", () => {
    const addition = fc.string({ maxLength: 7, unit: "grapheme-ascii" });
    fc.assert(
      fc.property(addition, (added) => {
        expect(isGuessable(`Wonderland${added}`, { names: ["wonderland"] })).toBe(true);
        expect(isGuessable(`${added}wonderland`, { names: ["Wonderland"] })).toBe(true);
      }),
      { seed, numRuns: 500 },
    );
  });

  test("a short name that a long one begins with does not hide the long one", () => {
    expect(isGuessable("liddellington", { names: ["lid", "Liddellington"] })).toBe(true);
  });
});
