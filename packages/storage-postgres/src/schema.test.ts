import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { DEFAULT_TABLE, judge, schemaSql } from "./schema.ts";
import { tableName } from "./table-name.ts";

test("schema.sql is what migrate() runs", () => {
  const file = readFileSync(new URL("../schema.sql", import.meta.url), "utf8");
  expect(file.slice(file.indexOf("BEGIN;"))).toBe(`BEGIN;\n${schemaSql(tableName(DEFAULT_TABLE))}COMMIT;\n`);
});

test("a table's comment tells whose it is", () => {
  expect(judge("Sallyport storage, schema 1")).toBe("ours");
  expect(judge("Sallyport storage, schema 2")).toBe("newer");
  for (const comment of [null, "", "Customers", "Sallyport storage, schema ", "not Sallyport storage, schema 1"]) {
    expect(judge(comment)).toBe("foreign");
  }
});
