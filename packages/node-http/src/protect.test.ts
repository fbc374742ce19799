import type { Access, Requirement } from "@sallyport/oauth-core";
import { expect, onTestFinished, test, vi } from "vitest";
import { Connection, serve } from "../test/loopback.ts";
import type { Guard } from "./admit.ts";
import { type ProtectedHandler, protect } from "./protect.ts";

const access: Access = {
  token: "t",
  clientId: "client",
  scopes: ["mcp:tools"],
  expiresAt: 2_000_000_000,
  resource: "https://mcp.example.com/mcp",
  subject: "alice",
  claims: {},
};

/** Lets `Bearer t` in where it has the scopes, and refuses everything else as the core does. */
const guard: Guard = {
  async protect(request, { scopes = [] } = {}, options) {
    const Answer = options?.Response ?? Response;
    if (request.headers.get("authorization") !== "Bearer t") {
      return new Answer(null, { status: 401, headers: [["www-authenticate", 'Bearer resource_metadata="https://a"']] });
    }
    if (!scopes.every((scope) => access.scopes.includes(scope))) return new Answer("insufficient", { status: 403 });
    return access;
  },
  corsHeaders(request): Record<string, string> {
    const origin = request.headers.get("origin");
    return origin === null ? {} : { "access-control-allow-origin": origin, vary: "Origin" };
  },
};

async function protectedServer(handler: ProtectedHandler, requirement: Requirement = {}) {
  const reported: unknown[] = [];
  const port = await serve(protect(guard, requirement, handler, { onError: (error) => reported.push(error) }));
  const authorization = "Bearer t";
  const ask = (init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${port}/mcp`, { ...init, headers: { authorization, ...init.headers } });
  return { port, reported, ask };
}

test("RFC 6750 §3: who brings no valid token gets the guard's answer, and the handler is not reached", async () => {
  let reached = false;
  const { ask } = await protectedServer(() => {
    reached = true;
  });
  const answer = await ask({ headers: { authorization: "Bearer forged" } });
  expect(answer.status).toBe(401);
  expect(answer.headers.get("www-authenticate")).toBe('Bearer resource_metadata="https://a"');
  expect(reached).toBe(false);
});

test("RFC 6750 §3.1: a token without the scopes of the route is refused", async () => {
  const { ask } = await protectedServer((_, res) => res.end("in"), { scopes: ["mcp:admin"] });
  const answer = await ask();
  expect([answer.status, await answer.text()]).toEqual([403, "insufficient"]);
});

test("a verified request reaches the handler with what is known of its sender", async () => {
  const { ask } = await protectedServer((req, res) => res.end(JSON.stringify(req.auth)), { scopes: ["mcp:tools"] });
  expect(await (await ask()).json()).toEqual(access);
});

test("a refusal stays one where somebody has replaced the global Response, as @hono/node-server does", async () => {
  let reached = false;
  const { ask } = await protectedServer(() => {
    reached = true;
  });
  vi.stubGlobal("Response", class extends Response {});
  onTestFinished(() => void vi.unstubAllGlobals());
  expect((await ask({ headers: { authorization: "Bearer forged" } })).status).toBe(401);
  expect(reached).toBe(false);
});

test("the requirement is handed to the guard as it is", async () => {
  const asked: unknown[] = [];
  const requirement = { scopes: ["a"], resource: "https://mcp.example.com/mcp" };
  const spying: Guard = {
    ...guard,
    protect: async (_, required) => {
      asked.push(required);
      return access;
    },
  };
  const port = await serve(protect(spying, requirement, (_, res) => res.end()));
  await fetch(`http://127.0.0.1:${port}`);
  expect(asked).toEqual([requirement]);
});

test("the body is untouched: the handler reads all of it", async () => {
  const { ask } = await protectedServer((req, res) => req.pipe(res));
  const body = "x".repeat(300_000);
  expect(await (await ask({ method: "POST", body })).text()).toBe(body);
});

test("a handler can stream events, one by one", async () => {
  const second = Promise.withResolvers<void>();
  const { port } = await protectedServer(async (_, res) => {
    res.writeHead(200, { "content-type": "text/event-stream" });
    res.write("data: 1\n\n");
    await second.promise;
    res.end("data: 2\n\n");
  });
  const connection = new Connection(port);
  connection.send("GET /mcp HTTP/1.1", "host: a.example", "authorization: Bearer t", "connection: close", "");
  expect(await connection.until("data: 1")).not.toContain("data: 2");
  second.resolve();
  expect(await connection.all()).toContain("data: 2");
});

test("Fetch standard, CORS protocol: the handler's answer carries the headers that let an admitted page read it", async () => {
  const { ask } = await protectedServer((_, res) => res.writeHead(200, { "content-type": "text/plain" }).end("in"));
  const answer = await ask({ headers: { origin: "http://localhost:6274" } });
  expect(answer.headers.get("access-control-allow-origin")).toBe("http://localhost:6274");
  expect(answer.headers.get("vary")).toBe("Origin");
  expect(answer.headers.get("content-type")).toBe("text/plain");
});

test("next is handed through, so that the guard can stand in a chain", async () => {
  const guarded = protect(guard, {}, (_req, _res, next) => next?.());
  const port = await serve((req, res) => void guarded(req, res, () => res.end("passed on")));
  const answer = await fetch(`http://127.0.0.1:${port}`, { headers: { authorization: "Bearer t" } });
  expect(await answer.text()).toBe("passed on");
});

test.each<[string, ProtectedHandler]>([
  [
    "at once",
    () => {
      throw new Error("secret");
    },
  ],
  ["later", async () => Promise.reject(new Error("secret"))],
])("what a handler throws %s becomes a bare 500 and is reported", async (_, handler) => {
  const { ask, reported } = await protectedServer(handler);
  const answer = await ask();
  expect([answer.status, await answer.text()]).toEqual([500, ""]);
  expect(reported).toMatchObject([{ message: "secret" }]);
});

test("what the guard itself throws becomes a bare 500, and lets nobody in", async () => {
  const reported: unknown[] = [];
  const broken: Guard = { ...guard, protect: () => Promise.reject(new Error("misconfigured")) };
  const port = await serve(
    protect(broken, {}, (_, res) => res.end("in"), { onError: (error) => reported.push(error) }),
  );
  const answer = await fetch(`http://127.0.0.1:${port}`);
  expect([answer.status, await answer.text()]).toEqual([500, ""]);
  expect(reported).toHaveLength(1);
});

test("a handler that fails after it began to answer has its connection cut", async () => {
  const { ask, reported } = await protectedServer((_, res) => {
    res.writeHead(200, { "content-length": 10 });
    res.write("half");
    throw new Error("broken");
  });
  await expect(ask().then((answer) => answer.text())).rejects.toThrow();
  expect(reported).toHaveLength(1);
});
