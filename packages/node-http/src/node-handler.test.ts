import { FastResponse } from "srvx/node";
import { describe, expect, test, vi } from "vitest";
import { Connection, exchange, serve } from "../test/loopback.ts";
import type { AdapterOptions, Handle } from "./answer.ts";
import { toNodeHandler } from "./node-handler.ts";

/** Serves `handle`, and collects what is reported. */
async function mounted(handle: Handle): Promise<{ port: number; origin: string; reported: unknown[] }> {
  const reported: unknown[] = [];
  const port = await serve(toNodeHandler(handle, { onError: (error) => reported.push(error) }));
  return { port, origin: `http://127.0.0.1:${port}`, reported };
}

describe("requests", () => {
  test.each(["/a/../b", "/%2e%2e/a", "//a//b", "/a?b=%zz&b=1", "/a\\b"])(
    "the path %s arrives exactly as it was sent",
    async (path) => {
      const { port } = await mounted((request) => new Response(`<${request.url}>`));
      const answer = await exchange(port, `GET ${path} HTTP/1.1`, "host: mcp.example.com", "");
      expect(answer).toContain(`<http://mcp.example.com${path}>`);
    },
  );

  test.each([
    ["absolute-form", "GET http://other.example/a?b=c HTTP/1.1", "http://mcp.example.com/a?b=c"],
    ["asterisk-form", "OPTIONS * HTTP/1.1", "http://mcp.example.com/*"],
  ])("RFC 9112 §3.2: a target in %s is answered", async (_, requestLine, url) => {
    const { port } = await mounted((request) => new Response(request.url));
    expect(await exchange(port, requestLine, "host: mcp.example.com", "")).toContain(url);
  });

  test.each([
    ["a missing", "GET /a HTTP/1.0"],
    ["a malformed", "GET /a HTTP/1.1", "host: a b/c@d"],
    ["an impossible", "GET /a HTTP/1.1", "host: 1.2.3.256:99999"],
  ])("%s Host makes no request fail", async (_, ...lines) => {
    const { port } = await mounted((request) => new Response(new URL(request.url).href));
    expect(await exchange(port, ...lines, "")).toContain("http://localhost/a");
  });

  test("frameworks that mount by prefix do not cut the path", async () => {
    const handler = toNodeHandler((request) => new Response(request.url));
    const port = await serve((req, res) => {
      const originalUrl = req.url;
      req.url = "/token";
      void handler(Object.assign(req, { originalUrl }), res);
    });
    expect(await exchange(port, "GET /oauth/token HTTP/1.1", "host: a.example", "")).toContain(
      "http://a.example/oauth/token",
    );
  });

  test("a clone has the same URL and a body of its own, whichever is read first", async () => {
    const { port } = await mounted(async (request) => {
      const clone = request.clone();
      const [first, second] = [await clone.text(), await request.text()];
      return new Response(`<${clone.url}> <${clone.method}> <${clone.headers.get("x-a")}> <${first}> <${second}>`);
    });
    const answer = await exchange(
      port,
      "POST /a/../b HTTP/1.1",
      "host: a.example",
      "x-a: 1",
      "content-length: 4",
      "",
      "body",
    );
    expect(answer).toContain("<http://a.example/a/../b> <POST> <1> <body> <body>");
  });

  test("a request whose body has been read can't be cloned", async () => {
    const { port, reported } = await mounted(async (request) => {
      await request.text();
      return new Response(request.clone().url);
    });
    const answer = await exchange(port, "POST / HTTP/1.1", "host: a.example", "content-length: 4", "", "body");
    expect(answer).toContain("HTTP/1.1 500");
    expect(reported).toMatchObject([{ name: "TypeError" }]);
  });

  test("repeated headers arrive joined, as the Fetch standard has it", async () => {
    const { port } = await mounted(
      ({ headers }) => new Response(`${headers.get("x-a")}; ${headers.get("authorization")}`),
    );
    const answer = await exchange(
      port,
      "GET / HTTP/1.1",
      "host: a.example",
      ...["x-a: 1", "x-a: 2", "authorization: Bearer one", "authorization: Bearer two"],
      "",
    );
    expect(answer).toContain("1, 2; Bearer one, Bearer two");
  });

  test("a body can be read as text, as JSON, as bytes, as a form and as a stream", async () => {
    const { origin } = await mounted(async (request) => {
      switch (new URL(request.url).pathname) {
        case "/text":
          return new Response(await request.text());
        case "/json":
          return Response.json(await request.json());
        case "/bytes":
          return new Response(await request.arrayBuffer());
        case "/form":
          return new Response((await request.formData()).get("a"));
        default:
          return new Response(request.body);
      }
    });
    const post = async (path: string, body: NonNullable<RequestInit["body"]>) => {
      return (await fetch(origin + path, { method: "POST", body })).text();
    };
    expect(await post("/text", "grüezi")).toBe("grüezi");
    expect(await post("/json", '{"a":[1]}')).toBe('{"a":[1]}');
    expect(await post("/bytes", "abc")).toBe("abc");
    expect(await post("/form", new URLSearchParams({ a: "b" }))).toBe("b");
    expect(await post("/stream", "x".repeat(1_000_000))).toHaveLength(1_000_000);
    expect(await post("/text", "")).toBe("");
  });

  test("a body is there once: bodyUsed tells, and a second reading is refused", async () => {
    const { origin } = await mounted(async (request) => {
      const states = [request.bodyUsed];
      await request.text();
      states.push(request.bodyUsed);
      return Response.json({ states, again: await request.text().catch((error: Error) => error.name) });
    });
    const answer = await fetch(origin, { method: "POST", body: "a" });
    expect(await answer.json()).toEqual({ states: [false, true], again: "TypeError" });
  });

  test("GET and HEAD have no body", async () => {
    const { origin } = await mounted((request) => new Response(`${request.method} ${request.body}`));
    expect(await (await fetch(origin)).text()).toBe("GET null");
  });

  test("a body that was read before and of which nothing is left is an error that says so, and not an empty body", async () => {
    const reported: unknown[] = [];
    const handler = toNodeHandler(async (request) => new Response(await request.text()), {
      onError: (error) => reported.push(error),
    });
    const port = await serve((req, res) => {
      req.resume().once("end", () => void handler(req, res));
    });
    expect((await fetch(`http://127.0.0.1:${port}`, { method: "POST", body: "a=b" })).status).toBe(500);
    expect(reported).toMatchObject([{ message: expect.stringContaining("was read before") }]);
  });

  test("who gives up on a body that is too large can still answer, and the connection goes on", async () => {
    const { port } = await mounted(async (request) => {
      const reader = request.body?.getReader();
      await reader?.read();
      await reader?.cancel();
      return new Response("too large", { status: 413 });
    });
    const connection = new Connection(port);
    connection.send("POST / HTTP/1.1", "host: a.example", "content-length: 3000000", "", "x".repeat(1_000_000));
    await connection.until("too large");
    // The rest of the first body, which nobody wanted, and a second request behind it.
    connection.socket.write("x".repeat(2_000_000 - 2));
    connection.send("GET / HTTP/1.1", "host: a.example", "connection: close", "");
    expect((await connection.all()).match(/HTTP\/1\.1 413/g)).toHaveLength(2);
  });
});

describe("answers", () => {
  test("status, headers and body arrive; several Set-Cookie stay several", async () => {
    const { origin } = await mounted(() => {
      const headers: [string, string][] = [
        ["set-cookie", "a=1; Path=/"],
        ["set-cookie", "b=2; Path=/"],
        ["x-a", "1"],
      ];
      return new Response("made", { status: 201, headers });
    });
    const answer = await fetch(origin);
    expect(answer.status).toBe(201);
    expect(answer.headers.getSetCookie()).toEqual(["a=1; Path=/", "b=2; Path=/"]);
    expect(answer.headers.get("x-a")).toBe("1");
    expect(await answer.text()).toBe("made");
  });

  test.each<[string, () => Response]>([
    ["a text", () => new FastResponse("grüezi", { status: 201, headers: [["x-a", "1"]] })],
    ["bytes", () => new FastResponse(new TextEncoder().encode("grüezi"), { status: 201, headers: { "x-a": "1" } })],
    ["a stream", () => new FastResponse(new Response("grüezi").body, { status: 201, headers: { "x-a": "1" } })],
    [
      "a text with a reason of its own",
      () => new FastResponse("grüezi", { status: 201, statusText: "Made", headers: { "x-a": "1" } }),
    ],
    [
      "a text whose headers were changed later",
      () => {
        const answer = new FastResponse("grüezi", { status: 201 });
        answer.headers.set("x-a", "1");
        return answer;
      },
    ],
  ])("an answer that was built light arrives like any other: %s", async (_, answer) => {
    const { origin } = await mounted(answer);
    const seen = await fetch(origin);
    expect([seen.status, seen.headers.get("x-a"), await seen.text()]).toEqual([201, "1", "grüezi"]);
  });

  test("RFC 9110 §9.3.2, §15.3.5: HEAD and 204 carry no body", async () => {
    const { port } = await mounted((request) =>
      request.method === "HEAD" ? new Response("body") : new Response(null, { status: 204 }),
    );
    const head = await exchange(port, "HEAD / HTTP/1.1", "host: a.example", "");
    const none = await exchange(port, "GET / HTTP/1.1", "host: a.example", "");
    expect(head).toMatch(/^HTTP\/1\.1 200 /);
    expect(head).toMatch(/\r\n\r\n$/);
    expect(none).toMatch(/^HTTP\/1\.1 204 /);
    expect(none).toMatch(/\r\n\r\n$/);
  });

  test("a stream is sent as it comes", async () => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const { origin } = await mounted(() => new Response(readable));
    const answer = fetch(origin);
    const written = writer.write(Buffer.from("first"));
    const reader = (await answer).body?.pipeThrough(new TextDecoderStream()).getReader();
    expect(await reader?.read()).toEqual({ done: false, value: "first" });
    await written;
    await Promise.all([writer.write(Buffer.from("second")), writer.close()]);
    expect(await reader?.read()).toEqual({ done: false, value: "second" });
    expect(await reader?.read()).toMatchObject({ done: true });
  });

  test("what is none of the handler's goes to next, unread, or is 404", async () => {
    const handler = toNodeHandler(() => undefined);
    const alone = await serve(handler);
    const followed = await serve((req, res) => void handler(req, res, () => req.pipe(res)));
    expect((await fetch(`http://127.0.0.1:${alone}`)).status).toBe(404);
    const answer = await fetch(`http://127.0.0.1:${followed}`, { method: "POST", body: "unread" });
    expect(await answer.text()).toBe("unread");
  });
});

describe("failures", () => {
  test.each<[string, Handle]>([
    [
      "thrown",
      () => {
        throw new Error("secret-token");
      },
    ],
    ["rejected", () => Promise.reject(new Error("secret-token"))],
  ])("what is %s becomes a bare 500, is reported, and the connection goes on", async (_, handle) => {
    const { port, reported } = await mounted(handle);
    const connection = new Connection(port).send("GET / HTTP/1.1", "host: a.example", "");
    await connection.until("\r\n\r\n");
    connection.send("GET / HTTP/1.1", "host: a.example", "connection: close", "");
    const answers = await connection.all();
    expect(answers.match(/HTTP\/1\.1 500 Internal Server Error\r\n/g)).toHaveLength(2);
    expect(answers).not.toContain("secret");
    expect(reported).toMatchObject([{ message: "secret-token" }, { message: "secret-token" }]);
  });

  test("headers that were prepared for an answer that failed do not go out with the 500", async () => {
    const handler = toNodeHandler(() => Promise.reject(new Error("late")), { onError: () => undefined });
    const port = await serve((req, res) => void handler(req, res.setHeader("set-cookie", "session=1")));
    const answer = await fetch(`http://127.0.0.1:${port}`);
    expect(answer.status).toBe(500);
    expect(answer.headers.getSetCookie()).toEqual([]);
  });

  test("a failure in the midst of an answer cuts the connection, so that half an answer is not taken for a whole one", async () => {
    const body = new ReadableStream({
      pull(controller) {
        controller.enqueue(Buffer.from("half"));
        controller.error(new Error("broken"));
      },
    });
    const { port } = await mounted(() => new Response(body));
    const answer = await exchange(port, "GET / HTTP/1.1", "host: a.example", "");
    expect(answer).not.toContain("\r\n0\r\n\r\n");
  });

  test("by default the name and the frames of an error are printed, and not its message", async () => {
    const print = vi.spyOn(console, "error").mockImplementation(() => undefined);
    try {
      const port = await serve(toNodeHandler(() => Promise.reject(new RangeError("secret-token\n    of a stranger"))));
      await fetch(`http://127.0.0.1:${port}`);
      expect(print).toHaveBeenCalledTimes(1);
      const [printed] = print.mock.calls[0] ?? [];
      expect(printed).toContain("RangeError");
      expect(printed).toContain("node-handler.test.ts");
      expect(printed).not.toContain("secret-token");
      expect(printed).not.toContain("stranger");
    } finally {
      print.mockRestore();
    }
  });

  test.each<[string, NonNullable<AdapterOptions["onError"]>]>([
    [
      "at once",
      () => {
        throw new Error("the reporter is broken");
      },
    ],
    ["later", () => Promise.reject(new Error("the reporter is broken"))],
  ])("an onError that fails itself, %s, does not fail the process", async (_, onError) => {
    const print = vi.spyOn(console, "error").mockImplementation(() => undefined);
    try {
      const port = await serve(toNodeHandler(() => Promise.reject(new Error("first")), { onError }));
      expect((await fetch(`http://127.0.0.1:${port}`)).status).toBe(500);
      await vi.waitFor(() => expect(print).toHaveBeenCalledTimes(2));
    } finally {
      print.mockRestore();
    }
  });
});

describe("clients that go away", () => {
  test("abort the signal of their request", async () => {
    const arrived = Promise.withResolvers<void>();
    const aborted = Promise.withResolvers<void>();
    const { port, reported } = await mounted(async ({ method, signal }) => {
      if (method === "HEAD") return new Response();
      signal.addEventListener("abort", () => aborted.resolve());
      arrived.resolve();
      await aborted.promise;
      signal.throwIfAborted();
      return new Response("nobody listens");
    });
    const connection = new Connection(port).send("GET / HTTP/1.1", "host: a.example", "");
    await arrived.promise;
    connection.socket.destroy();
    await aborted.promise;
    expect(await isAlive(port)).toBe(true);
    expect(reported).toEqual([]);
  });

  test("before their answer is made are sent nothing, and that is no error", async () => {
    const [arrived, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const { port, reported } = await mounted(async ({ method, signal }) => {
      if (method === "HEAD") return new Response();
      const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      arrived.resolve();
      await aborted;
      setImmediate(answered.resolve);
      return new FastResponse("nobody listens", { status: 200, headers: [["content-type", "text/plain"]] });
    });
    const connection = new Connection(port).send("GET / HTTP/1.1", "host: a.example", "");
    await arrived.promise;
    connection.socket.destroy();
    await answered.promise;
    expect(await isAlive(port)).toBe(true);
    expect(reported).toEqual([]);
  });

  test("in the midst of their body make its reading fail, and nothing else", async () => {
    const begun = Promise.withResolvers<void>();
    const failed = Promise.withResolvers<unknown>();
    const rejections: unknown[] = [];
    const note = (reason: unknown) => rejections.push(reason);
    process.on("unhandledRejection", note);
    try {
      const { port, reported } = await mounted(async (request) => {
        if (request.method === "HEAD") return new Response();
        const reader = request.body?.getReader();
        await reader?.read();
        begun.resolve();
        try {
          await reader?.read();
        } catch (error) {
          failed.resolve(error);
          throw error;
        }
        return new Response();
      });
      const connection = new Connection(port);
      connection.send("POST / HTTP/1.1", "host: a.example", "content-length: 10", "", "abc");
      await begun.promise;
      connection.socket.destroy();
      expect(await failed.promise).toMatchObject({ name: "AbortError" });
      expect(await isAlive(port)).toBe(true);
      expect(reported).toEqual([]);
      expect(rejections).toEqual([]);
    } finally {
      process.off("unhandledRejection", note);
    }
  });

  test("in the midst of a streamed answer cancel its source", async () => {
    const cancelled = Promise.withResolvers<void>();
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(Buffer.from("first")),
      cancel: () => cancelled.resolve(),
    });
    const { port, reported } = await mounted(() => new Response(body));
    const connection = new Connection(port).send("GET / HTTP/1.1", "host: a.example", "");
    await connection.until("first");
    connection.socket.destroy();
    await cancelled.promise;
    expect(reported).toEqual([]);
  });
});

/** Whether the server still answers. Its answer also means that what was pending in its event loop before has happened. */
async function isAlive(port: number): Promise<boolean> {
  return (await fetch(`http://127.0.0.1:${port}`, { method: "HEAD" })).ok;
}
