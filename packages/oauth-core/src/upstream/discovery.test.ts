import { describe, expect, test } from "vitest";
import { OAuthProxyError } from "../protocol/errors.ts";
import type { Discovery } from "./descriptor.ts";
import { DiscoveredServer } from "./discovery.ts";
import { UpstreamRequests } from "./upstream-requests.ts";

const ISSUER = "https://id.example.com/realm";
const DOCUMENT = {
  issuer: ISSUER,
  authorization_endpoint: "https://id.example.com/authorize",
  token_endpoint: "https://id.example.com/token",
};

type Answer = () => Response | Promise<Response>;

function discovered(discovery: Partial<Discovery> = {}) {
  const world = {
    now: 1_800_000_000,
    asked: [] as { url: string; init: RequestInit }[],
    answer: (() => Response.json(DOCUMENT)) as Answer,
  };
  const requests = new UpstreamRequests({
    clientId: "our-app",
    clientSecret: "s3cret",
    authMethod: "client_secret_basic",
    requestTimeoutMs: 50,
    runtime: {
      now: () => world.now,
      fetch: async (url, init) => {
        world.asked.push({ url, init });
        return world.answer();
      },
    },
  });
  const server = new DiscoveredServer({ discovery: { issuer: ISSUER, ...discovery }, requests, now: () => world.now });
  return { world, server };
}

async function reasonOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => "no error",
    (thrown: unknown) => thrown,
  );
  return error instanceof OAuthProxyError ? error.reason : String(error);
}

describe("the document", () => {
  test.each([
    [ISSUER, undefined, `${ISSUER}/.well-known/openid-configuration`],
    ["https://id.example.com", undefined, "https://id.example.com/.well-known/openid-configuration"],
    ["https://id.example.com/", undefined, "https://id.example.com/.well-known/openid-configuration"],
    [ISSUER, "https://id.example.com/elsewhere", "https://id.example.com/elsewhere"],
  ])("OpenID Connect Discovery 1.0 §4: of %s is at its place", async (issuer, url, place) => {
    const { world, server } = discovered({ issuer, ...(url === undefined ? {} : { url }) });
    world.answer = () => Response.json({ ...DOCUMENT, issuer });
    await server.document();
    expect(world.asked.map((each) => each.url)).toEqual([place]);
    expect(world.asked[0]?.init).toMatchObject({ method: "GET", redirect: "manual" });
    expect(new Headers(world.asked[0]?.init.headers).has("authorization")).toBe(false);
  });

  test("is fetched when it is first needed, and then kept for an hour", async () => {
    const { world, server } = discovered();
    expect(world.asked).toEqual([]);
    expect(server.known).toBeUndefined();
    await server.document();
    world.now += 3599;
    await server.document();
    expect(world.asked).toHaveLength(1);
    world.now += 1;
    world.answer = () => Response.json({ ...DOCUMENT, token_endpoint: "https://id.example.com/moved" });
    expect((await server.document()).token).toBe("https://id.example.com/moved");
    expect(server.known?.token).toBe("https://id.example.com/moved");
  });

  test("is fetched once, however many need it at the same time", async () => {
    const { world, server } = discovered();
    await Promise.all(Array.from({ length: 32 }, () => server.document()));
    expect(world.asked).toHaveLength(1);
  });
});

describe("where it can't be had", () => {
  const redirected: Answer = () => new Response(null, { status: 302, headers: { location: "https://evil.example/" } });
  test.each<[string, Answer]>([
    ["no connection", () => Promise.reject(new TypeError("fetch failed"))],
    ["no answer, from a fetch that ignores its signal", () => new Promise<never>(() => undefined)],
    ["a body without end", () => new Response(new ReadableStream({ pull: () => new Promise(() => undefined) }))],
    ["404", () => new Response("", { status: 404 })],
    ["503", () => new Response("", { status: 503 })],
    ["a redirect, which is not followed", redirected],
  ])("%s: for the moment", async (_, answer) => {
    const { world, server } = discovered();
    world.answer = answer;
    expect(await reasonOf(server.document())).toBe("upstream_unavailable");
    expect(world.asked).toHaveLength(1);
  });

  test("a failure is believed for five seconds, whoever asks, and then another attempt is made", async () => {
    const { world, server } = discovered();
    world.answer = () => new Response("", { status: 503 });
    const failed = await Promise.all(Array.from({ length: 16 }, () => reasonOf(server.document())));
    expect(new Set(failed)).toEqual(new Set(["upstream_unavailable"]));
    world.answer = () => Response.json(DOCUMENT);
    world.now += 4;
    expect(await reasonOf(server.document())).toBe("upstream_unavailable");
    expect(world.asked).toHaveLength(1);
    world.now += 1;
    expect((await server.document()).issuer).toBe(ISSUER);
  });

  test("so it is where the clock was set back", async () => {
    const { world, server } = discovered();
    world.answer = () => new Response("", { status: 503 });
    expect(await reasonOf(server.document())).toBe("upstream_unavailable");
    world.answer = () => Response.json(DOCUMENT);
    world.now -= 1000;
    expect((await server.document()).issuer).toBe(ISSUER);
  });

  test("the one from before serves for a day, and costs nobody a wait for five seconds at a time", async () => {
    const { world, server } = discovered();
    await server.document();
    world.answer = () => new Response("", { status: 503 });
    world.now += 3600;
    expect((await server.document()).issuer).toBe(ISSUER);
    expect((await server.document()).issuer).toBe(ISSUER);
    expect(world.asked).toHaveLength(2);
    world.now += 82_799;
    expect((await server.document()).issuer).toBe(ISSUER);
    world.now += 1;
    expect(await reasonOf(server.document())).toBe("upstream_unavailable");
  });
});
