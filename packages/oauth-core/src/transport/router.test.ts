import { describe, expect, test } from "vitest";
import { json } from "./reply.ts";
import { dispatch, pathOf, queryOf, Router } from "./router.ts";

test.each([
  ["https://a.example", "/", ""],
  ["https://a.example/", "/", ""],
  ["https://a.example/x/y?z=1#f", "/x/y", "z=1"],
  ["https://a.example/x#f?z=1", "/x", ""],
  ["https://a.example/x?", "/x", ""],
  ["https://a.example/x?a=/b?c", "/x", "a=/b?c"],
  ["https://a.example/x?a=https://b.example/c", "/x", "a=https://b.example/c"],
  ["https://a.example//x/../y/%2e", "//x/../y/%2e", ""],
])("%s has the path %s and the query %j", (url, path, query) => {
  expect(pathOf(url)).toBe(path);
  expect(queryOf(url)).toBe(query);
});

test.each([
  ["/", "/"],
  ["/x/y?z=1#f", "/x/y"],
  ["/x#f?z=1", "/x"],
  ["//other.example/x", "//other.example/x"],
  ["/x?a=https://b.example/c", "/x"],
  ["/https://b.example/c", "/https://b.example/c"],
])("the target %s has the path %s, as it has behind an authority", (target, path) => {
  expect(pathOf(target)).toBe(path);
  expect(pathOf(`https://a.example${target}`)).toBe(path);
});

test("a fixed document is known before anybody asks, with what dispatch adds to it; a handler's answer is not", async () => {
  const fixed = json(200, {});
  const document = { path: "/document", methods: { GET: fixed }, cors: true };
  const router = new Router([document, { path: "/other", methods: { GET: () => fixed, POST: fixed }, cors: true }]);
  const request = new Request("https://a.example/document");

  expect(router.documentAt("/document?a=b")).toEqual(await dispatch(document, request));
  expect(router.documentAt("/document/")).toBeUndefined();
  expect(router.documentAt("/other")).toBeUndefined();
});

describe("dispatch", () => {
  const answered = json(200, {});

  test("a path is found as it is spelt, or not at all", () => {
    const route = { path: "/oauth/token", methods: {}, cors: false };
    const router = new Router([route]);
    const find = (path: string) => router.find(new Request(`https://a.example${path}`));
    expect(find("/oauth/token?x")).toBe(route);
    for (const other of ["/oauth/token/", "/OAUTH/token", "/oauth/tok%65n", "/x"]) expect(find(other)).toBeUndefined();
  });

  test("HEAD goes where GET goes, and to nobody where there is no GET", async () => {
    const at = (methods: object, method: string) =>
      dispatch({ path: "/", methods, cors: false }, new Request("https://a.example/", { method }));
    expect(await at({ GET: () => answered }, "HEAD")).toBe(answered);
    expect(await at({ POST: () => answered }, "HEAD")).toMatchObject({ status: 405 });
    expect(await at({ POST: () => answered }, "POST")).toBe(answered);
  });

  test.each(["GET", "HEAD", "POST"])(
    "the handler of a %s is told the address, or that nobody knows it",
    async (method) => {
      const told: unknown[] = [];
      const handler = (_: Request, clientAddress?: string) => {
        told.push(clientAddress);
        return answered;
      };
      const route = { path: "/", methods: { GET: handler, POST: handler }, cors: true };
      await dispatch(route, new Request("https://a.example/", { method }), "192.0.2.1");
      await dispatch(route, new Request("https://a.example/", { method }));
      expect(told).toEqual(["192.0.2.1", undefined]);
    },
  );

  test("a method that is called like a member of every object is unknown", async () => {
    const request = new Request("https://a.example/", { method: "CONSTRUCTOR" });
    expect(await dispatch({ path: "/", methods: {}, cors: false }, request)).toMatchObject({ status: 405 });
  });
});
