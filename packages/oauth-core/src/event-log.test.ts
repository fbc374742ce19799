import { afterEach, beforeEach, describe, expect, type MockInstance, test, vi } from "vitest";
import { DEFAULT_RUNTIME } from "./default-runtime.ts";
import type { Happening, OAuthEvent } from "./domain/events.ts";
import { createObserve } from "./event-log.ts";

const RUNTIME = { ...DEFAULT_RUNTIME, now: () => 1_800_000_000 };
const GRANTED = { clientId: "c", grant: "g-1", subject: "alice" };

let printed: MockInstance<typeof console.warn>;
beforeEach(() => {
  printed = vi.spyOn(console, "warn").mockReturnValue();
});
afterEach(() => printed.mockRestore());

test("a listener is told what happened, when, and under which id", () => {
  const events: OAuthEvent[] = [];
  createObserve((event) => events.push(event), RUNTIME)({ type: "consent.denied", clientId: "c" }, "t-1");
  expect(events).toEqual([{ type: "consent.denied", clientId: "c", at: 1_800_000_000, traceId: "t-1" }]);
  expect(printed).not.toHaveBeenCalled();
});

describe("without a listener", () => {
  const cause = new TypeError("secret\nsecond line");

  test.each<[Happening, string]>([
    [{ type: "warning", message: "mind the gap" }, "mind the gap"],
    [{ type: "error", endpoint: "token", cause }, "token failed: TypeError"],
    [{ type: "error", endpoint: "token", cause: "secret" }, "token failed: unknown"],
    [
      { type: "upstream.failed", operation: "refresh", provider: "upstream", reason: "upstream_unavailable", cause },
      "upstream refresh failed: upstream_unavailable",
    ],
    [
      { type: "storage.unreadable", why: "key", prefix: "grant" },
      "a grant record can not be read: sealed with another key",
    ],
    [{ type: "storage.unreadable", why: "damaged", prefix: "code" }, "a code record can not be read: damaged"],
    [
      { type: "keys.replaced", purposes: ["access-token", "consent"] },
      "keys were replaced and not rotated, what they signed is refused: access-token, consent",
    ],
    [{ type: "signing_keys.unavailable", cause }, "the signing keys can not be had: TypeError"],
    [{ type: "refresh_token.reused", ...GRANTED }, "refresh_token.reused: grant g-1 has been ended"],
    [{ type: "code.replayed", ...GRANTED }, "code.replayed: grant g-1 has been ended"],
  ])("what an operator can't do without is one line, without causes: %j", (happening, line) => {
    createObserve(undefined, RUNTIME)(happening, "t-1");
    expect(printed.mock.calls).toEqual([[`[sallyport] ${line} (trace t-1)`]]);
  });

  test("everything else is silence, and a line without a trace names none", () => {
    const observe = createObserve(undefined, RUNTIME);
    observe({ type: "grant.refreshed", retried: false, ...GRANTED });
    observe({ type: "request.refused", endpoint: "token", reason: "code_invalid", cause });
    expect(printed).not.toHaveBeenCalled();
    observe({ type: "warning", message: "mind the gap" });
    expect(printed).toHaveBeenCalledWith("[sallyport] mind the gap");
  });
});
