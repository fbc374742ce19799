import { FastResponse } from "srvx/node";
import { expect, test } from "vitest";
import { exchange, serve } from "../test/loopback.ts";
import { type Endpoints, oauth } from "./oauth.ts";

/** A server with one endpoint, which answers a form. */
const auth: Endpoints = {
  async handle(request, { Response = globalThis.Response as unknown as typeof FastResponse } = {}) {
    if (!request.url.endsWith("/oauth/token")) return undefined;
    const form = new URLSearchParams(await request.text());
    return Response.json({ code: form.get("code") }, { headers: { "cache-control": "no-store" } });
  },
};

test("endpoints are answered, form posts included", async () => {
  const port = await serve(oauth(auth));
  const answer = await fetch(`http://127.0.0.1:${port}/oauth/token`, {
    method: "POST",
    body: new URLSearchParams({ code: "c" }),
  });
  expect(await answer.json()).toEqual({ code: "c" });
  expect(answer.headers.get("cache-control")).toBe("no-store");
});

test("a path that only resembles an endpoint's is not the endpoint", async () => {
  const port = await serve(oauth(auth));
  for (const path of ["/oauth/x/../token", "/oauth/%74oken", "/oauth//token"]) {
    expect(await exchange(port, `POST ${path} HTTP/1.1`, "host: a.example", "content-length: 0", "")).toContain(
      " 404 ",
    );
  }
});

test("everything else is passed on", async () => {
  const endpoints = oauth(auth);
  const port = await serve((req, res) => void endpoints(req, res, () => res.end("the app")));
  expect(await (await fetch(`http://127.0.0.1:${port}/mcp`)).text()).toBe("the app");
});

test("answers are built light", async () => {
  let given: unknown;
  const port = await serve(
    oauth({
      async handle(_, options) {
        given = options?.Response;
        return undefined;
      },
    }),
  );
  await fetch(`http://127.0.0.1:${port}`);
  expect(given).toBe(FastResponse);
});

test("what is known to be none of the server's goes on at once, and nothing is built for it", async () => {
  const passed: string[] = [];
  const endpoints = oauth(
    {
      handle: () => Promise.reject(new Error("It was asked all the same.")),
      owns: (target) => target === "/auth/oauth/token",
    },
    { strippedPrefix: "/auth" },
  );
  const port = await serve((req, res) => {
    void endpoints(req, res, () => passed.push("the app"));
    passed.push("after the call");
    res.end();
  });
  await fetch(`http://127.0.0.1:${port}/mcp`);
  expect(passed).toEqual(["the app", "after the call"]);
});

test("a fixed document is sent at once, as often as it is asked for, whatever a middleware adds to it", async () => {
  const document = { status: 200, headers: [["content-type", "application/json"]], body: '{"a":"é"}' } as const;
  const endpoints = oauth({
    handle: () => Promise.reject(new Error("It was asked all the same.")),
    documentAt: () => document,
  });
  const port = await serve((req, res) => {
    const { writeHead } = res;
    const adding = (status: number, headers: string[]) => {
      headers.push("x-added", "1");
      return writeHead.call(res, status, headers);
    };
    void endpoints(req, Object.assign(res, { writeHead: adding }));
  });
  for (const _ of [1, 2]) {
    const answer = await fetch(`http://127.0.0.1:${port}`);
    expect([answer.headers.get("x-added"), answer.headers.get("content-length"), await answer.text()]).toEqual([
      "1",
      "10",
      document.body,
    ]);
  }
});

test("what is thrown before a request was built is a bare 500 as well", async () => {
  const reported: unknown[] = [];
  const failing: Endpoints = {
    handle: async () => undefined,
    owns: () => {
      throw new Error("a secret");
    },
  };
  const port = await serve(oauth(failing, { onError: (error) => reported.push(error) }));
  const answer = await fetch(`http://127.0.0.1:${port}`);
  expect([answer.status, await answer.text(), reported.length]).toEqual([500, "", 1]);
});

test.each([
  [
    "at once",
    () => {
      throw new Error("a secret");
    },
  ],
  [
    "later",
    async () => {
      throw new Error("a secret");
    },
  ],
])("what the app throws %s, where a request went on, is a bare 500", async (_, next) => {
  const reported: unknown[] = [];
  const endpoints = oauth(
    { handle: async () => undefined, owns: () => false },
    { onError: (error) => reported.push(error) },
  );
  const port = await serve((req, res) => void endpoints(req, res, next));
  const answer = await fetch(`http://127.0.0.1:${port}`);
  expect([answer.status, await answer.text(), reported.length]).toEqual([500, "", 1]);
});
