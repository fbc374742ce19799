import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { PendingCalls } from "./pending-calls.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const never = (): Promise<never> => new Promise(() => undefined);

test("a call that is answered leaves no timer behind", async () => {
  expect(await new PendingCalls(2000).run(async () => "answer")).toBe("answer");
  await expect(new PendingCalls(2000).run(() => Promise.reject(new Error("refused")))).rejects.toThrow("refused");
  expect(vi.getTimerCount()).toBe(0);
});

test("a call that is not answered rejects when its time is up, and its work is told", async () => {
  const calls = new PendingCalls(2000);
  let told: AbortSignal | undefined;
  const call = calls.run((signal) => {
    told = signal;
    return never();
  });
  const outcome = expect(call).rejects.toMatchObject({ reason: "timeout" });
  await vi.advanceTimersByTimeAsync(1999);
  expect(told?.aborted).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  await outcome;
  expect(told?.aborted).toBe(true);
});

test("when the connection is lost, every call rejects at once with what the client said, and later ones don't", async () => {
  const calls = new PendingCalls(2000);
  const cause = new Error("connection reset");
  const outcomes = [1, 2].map(() => expect(calls.run(never)).rejects.toMatchObject({ reason: "unreachable", cause }));
  calls.troubled(cause);
  calls.lost();
  await Promise.all(outcomes);
  expect(await calls.run(async () => "answer")).toBe("answer");
});

test("trouble from before the last answer is no cause", async () => {
  const calls = new PendingCalls(10);
  calls.troubled(new Error("connection reset"));
  await calls.run(async () => "answer");
  const failure = calls.run(never).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(10);
  expect(await failure).toMatchObject({ reason: "timeout" });
  expect(await failure).not.toHaveProperty("cause");
});

test("whoever waits for the calls under way waits for the last of them, answered or not", async () => {
  const calls = new PendingCalls(2000);
  const { promise, resolve } = Promise.withResolvers<string>();
  const outcomes = [calls.run(() => promise), calls.run(never).catch((error: unknown) => error)];
  let settled = false;
  const waiting = calls.settled().then(() => {
    settled = true;
  });
  resolve("answer");
  await outcomes[0];
  expect(settled).toBe(false);
  await vi.advanceTimersByTimeAsync(2000);
  await waiting;
});
