import { describe, expect, test } from "vitest";
import { KNOWN_CLIENTS, knownClientOf } from "./known-callbacks.ts";
import { isLoopbackRedirectUri, parseRedirectUri } from "./redirect-uri.ts";

const example = (callback: string) => callback.replace("<id>", "Abc_1-2").replace("<port>", "51234");

describe("the list", () => {
  const callbacks = KNOWN_CLIENTS.flatMap((client) =>
    client.callbacks.map((callback) => [client.name, callback] as const),
  );

  test.each(callbacks)("%s: %s is a redirect URI that may register", (_, callback) => {
    expect(parseRedirectUri(example(callback))).toBe(example(callback));
  });

  test.each(callbacks)("%s: %s proves its owner, unless it is on the person's own machine", (name, callback) => {
    const uri = example(callback);
    expect(knownClientOf(uri)).toBe(isLoopbackRedirectUri(uri) ? undefined : name);
  });

  test("Cursor's three callbacks are all known, so that no one of them locks the others out", () => {
    const cursor = KNOWN_CLIENTS.find((client) => client.name === "Cursor");
    expect(cursor?.callbacks).toEqual([
      "cursor://anysphere.cursor-mcp/oauth/callback",
      "https://www.cursor.com/agents/mcp/oauth/callback",
      "http://localhost:8787/callback",
    ]);
  });

  test("names are unique", () => {
    expect(new Set(KNOWN_CLIENTS.map((client) => client.name)).size).toBe(KNOWN_CLIENTS.length);
  });
});

describe("knownClientOf", () => {
  test.each([
    "https://chatgpt.com/connector/oauth/",
    "https://chatgpt.com/connector/oauth/a/b",
    "https://chatgpt.com/connector/oauth/a?x=1",
    "https://chatgpt.com/connector/oauth/a.b",
    "https://chatgpt.com/connector/oauth/..",
    "https://chatgpt.com/connector/oauth/%61",
    "https://chatgpt.com/connector/oauth/<id>",
    "https://chatgpt.com/connector/oauth/a\n",
  ])("<id> is one segment of letters, digits, _ and -, which %j is not", (uri) => {
    expect(knownClientOf(uri)).toBeUndefined();
  });

  test.each([
    "https://claude.ai/api/mcp/auth_callback/",
    "https://claude.ai/api/mcp/auth_callback?x",
    "https://claude.ai.evil.test/api/mcp/auth_callback",
    "https://evil.test/https://claude.ai/api/mcp/auth_callback",
    "http://claude.ai/api/mcp/auth_callback",
    "https://CLAUDE.ai/api/mcp/auth_callback",
    "cursor://anysphere.cursor-mcp/oauth/callback/",
    "cursor://evil/oauth/callback",
    "http://localhost:<port>/callback",
    "constructor",
    "",
  ])("a callback is known exactly or not at all: %j", (uri) => {
    expect(knownClientOf(uri)).toBeUndefined();
  });
});
