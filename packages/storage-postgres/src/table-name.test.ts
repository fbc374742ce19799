import { expect, test } from "vitest";
import { tableName } from "./table-name.ts";

test("a name is quoted, with its schema", () => {
  expect(tableName("records")).toEqual({ quoted: '"records"', quotedIndex: '"records_expiry"' });
  expect(tableName("Auth.select")).toEqual({
    quoted: '"Auth"."select"',
    quotedIndex: '"select_expiry"',
  });
});

test("the longest names are within the 63 bytes after which PostgreSQL cuts off", () => {
  const { quotedIndex } = tableName(`${"s".repeat(63)}.${"t".repeat(56)}`);
  expect(quotedIndex).toHaveLength('""'.length + 63);
  expect(() => tableName("t".repeat(57))).toThrow(/^table: /);
  expect(() => tableName(`${"s".repeat(64)}.t`)).toThrow(/^table: /);
});

test.each([
  "",
  ".",
  "a.",
  ".a",
  "a.b.c",
  "a b",
  'a"b',
  'a"; DROP TABLE users; --',
  "a'b",
  "a;b",
  "a-b",
  "a\n",
  "\na",
  "a\0",
  "1a",
  "ü",
  "ａ",
  "a$1",
])("%j is no name", (name) => {
  expect(() => tableName(name)).toThrow(/^table: /);
});

test("what is no string is no name", () => {
  for (const name of [null, 1, {}, ["records"], { toString: () => "records" }]) {
    expect(() => tableName(name as unknown as string)).toThrow(/^table: /);
  }
});
