import { inspect } from "node:util";
import { expect, test } from "vitest";
import { isConflict, PostgresStoreError, postgresStoreError } from "./postgres-store-error.ts";

/** An answer of PostgreSQL as clients hand it on. */
const answer = (code: string, more: object = {}) =>
  Object.assign(new Error('duplicate key "s3cret"'), { severity: "ERROR", code, ...more });

test.each([
  ["42P01", "no_table"],
  ["3F000", "no_table"],
  ["42703", "foreign"],
  ["42P10", "foreign"],
  ["25006", "read_only"],
  ["42501", "no_access"],
  ["28P01", "no_access"],
  ["3D000", "no_access"],
  ["53100", "full"],
  ["53300", "unreachable"],
  ["57P01", "unreachable"],
  ["08006", "unreachable"],
  ["57014", "timeout"],
  ["23514", "refused"],
  ["26000", "pooler"],
  ["42P05", "pooler"],
  ["0A000", "refused"],
])("SQLSTATE %s is %s", (sqlState, reason) => {
  expect(postgresStoreError(answer(sqlState))).toMatchObject({
    reason,
    sqlState,
    message: expect.stringContaining(sqlState),
  });
});

test("of an answer nothing is repeated but its code", () => {
  const error = postgresStoreError(
    answer("23514", { detail: "Failing row contains (s3cret).", parameters: ["s3cret"] }),
  );
  expect(inspect(error, { showHidden: true, depth: null })).not.toContain("s3cret");
});

test("what happened to the connection is the cause, without what the client has attached", () => {
  const lost = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
  Object.defineProperty(lost, "parameters", { value: ["s3cret"] });
  const error = postgresStoreError(lost);
  expect(error).toMatchObject({ reason: "unreachable", cause: { code: "ECONNREFUSED", message: lost.message } });
  expect(inspect(error, { showHidden: true, depth: null })).not.toContain("s3cret");
  expect(postgresStoreError("no error at all")).toMatchObject({ reason: "unreachable" });
});

test("a code of the client's is none of PostgreSQL's, although it may look like one", () => {
  expect(postgresStoreError(Object.assign(new Error("broken pipe"), { code: "EPIPE" }))).toMatchObject({
    reason: "unreachable",
    sqlState: undefined,
  });
});

test("only what PostgreSQL has undone because others came first is a conflict", () => {
  expect(["40001", "40P01", "55P03", "23505"].map((code) => isConflict(answer(code)))).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

test("one of ours stays as it is", () => {
  const error = new PostgresStoreError("timeout");
  expect(postgresStoreError(error)).toBe(error);
});
