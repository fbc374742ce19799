import { expect, test } from "vitest";
import { RedisStoreError, redisStoreError } from "./redis-store-error.ts";

test("an answer of Redis is repeated without the arguments of the command", () => {
  const error = redisStoreError(
    new Error("ERR unknown command 'GETDEL', with args beginning with: 'sallyport:a key' 'a value' "),
  );
  expect(error).toMatchObject({ reason: "refused", message: expect.stringContaining("ERR unknown command 'GETDEL'") });
  expect(error.message).not.toMatch(/a key|a value/);
  expect(error.cause).toBeUndefined();
});

test("of an error to which the client has attached the command, the cause has the words only", () => {
  const aborted = Object.assign(new Error("Command aborted"), { command: { name: "set", args: ["key", "value"] } });
  expect(redisStoreError(aborted)).toMatchObject({ reason: "unreachable", cause: { message: "Command aborted" } });
  expect(redisStoreError(aborted).cause).not.toHaveProperty("command");
});

test("what happened to the connection is the cause", () => {
  const cause = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
  expect(redisStoreError(cause)).toMatchObject({ reason: "unreachable", cause });
  const reset = Object.assign(new Error("ECONNRESET while reading"), { code: "ECONNRESET" });
  expect(redisStoreError(reset)).toMatchObject({ reason: "unreachable" });
});

test("one of ours stays as it is", () => {
  const error = new RedisStoreError("timeout");
  expect(redisStoreError(error)).toBe(error);
});
