import { Hono, type MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { expect, onTestFinished, test, vi } from "vitest";
import { server } from "../../contracts/test/mounted.ts";
import { oauth } from "./index.ts";

const ORIGIN = "https://mcp.example.com";
const METADATA = "/.well-known/oauth-authorization-server";

const post = (body: string, type = "application/x-www-form-urlencoded") => ({
  method: "POST",
  headers: { "content-type": type },
  body,
});
const REPEATED = post("grant_type=x&code=1&code=2");

/** Reads a body before anybody else does. */
const reading =
  (read: (c: Parameters<MiddlewareHandler>[0]) => Promise<unknown>): MiddlewareHandler =>
  async (c, next) => {
    await read(c);
    await next();
  };

/** An app with one endpoint, which answers with what it reads. */
function echoBehind(middleware: MiddlewareHandler, options = {}): Hono {
  const handle = async (request: Request) =>
    new Response(`<${request.url}> <${request.method}> <${await request.text()}>`);
  return new Hono().use(middleware).use(oauth({ handle }, options));
}

test("RFC 8414 §3: the metadata document is the server's own", async () => {
  const auth = server();
  const answer = await new Hono().use(oauth(auth)).request(ORIGIN + METADATA);
  const own = await auth.fetch(new Request(ORIGIN + METADATA));
  expect([answer.status, await answer.json(), [...answer.headers]]).toEqual([200, await own.json(), [...own.headers]]);
});

test("HEAD of a document has its headers and no body", async () => {
  const answer = await new Hono().use(oauth(server())).request(ORIGIN + METADATA, { method: "HEAD" });
  expect([answer.status, await answer.text(), answer.headers.get("content-type")]).toEqual([
    200,
    "",
    "application/json",
  ]);
});

test("a base path and nested apps leave the path alone", async () => {
  const inner = new Hono().use(oauth(server(`${ORIGIN}/outer`)));
  for (const app of [new Hono().route("/outer", inner), new Hono().basePath("/outer").route("/", inner)])
    expect((await app.request(`${ORIGIN}/outer/oauth/token`, REPEATED)).status).toBe(400);
});

test.each<[string, MiddlewareHandler]>([
  ["nobody", reading(async () => undefined)],
  ["parseBody", reading((c) => c.req.parseBody())],
  ["parseBody with dots and lists", reading((c) => c.req.parseBody({ all: true, dot: true }))],
  ["text", reading((c) => c.req.text())],
  ["formData", reading((c) => c.req.formData())],
  ["blob", reading((c) => c.req.blob())],
  ["arrayBuffer", reading((c) => c.req.arrayBuffer())],
  ["bodyLimit", bodyLimit({ maxSize: 10_000 })],
])(
  "RFC 6749 §3.1: a parameter that is given twice is refused, also where %s has read the body before",
  async (_, first) => {
    const answer = await new Hono().use(first).use(oauth(server())).request(`${ORIGIN}/oauth/token`, REPEATED);
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: "invalid_request" }]);
  },
);

test("a form that was read as one keeps names, values, order and repetitions", async () => {
  const form = "b=1&a=%2B%26%3D%25&b=2&empty=&space=a+b&%C3%A9=%F0%9F%98%80";
  const first = reading(async (c) => {
    c.req.bodyCache.formData = await c.req.raw.formData();
  });
  const answer = await echoBehind(first).request(ORIGIN, post(form));
  const [, body = ""] = /> <POST> <(.*)>$/.exec(await answer.text()) ?? [];
  expect([...new URLSearchParams(body)]).toEqual([...new URLSearchParams(form)]);
});

test("a JSON body that was read as one keeps its value", async () => {
  const value = { a: [1, "é😀", null], b: { c: "" } };
  const first = reading(async (c) => {
    c.req.bodyCache.json = await c.req.raw.json();
  });
  const answer = await echoBehind(first).request(ORIGIN, post(JSON.stringify(value, null, 2), "application/json"));
  expect(await answer.text()).toBe(`<${ORIGIN}/> <POST> <${JSON.stringify(value)}>`);
});

test.each<[string, MiddlewareHandler, string | Uint8Array<ArrayBuffer>]>([
  ["that was read past c.req", reading((c) => c.req.raw.text()), "a=1"],
  ["whose text was not UTF-8", reading((c) => c.req.text()), new Uint8Array([97, 61, 255])],
  ["whose form was not UTF-8", reading((c) => c.req.formData()), "a=%ff"],
])("a body %s is refused, and not guessed", async (_, first, body) => {
  const refused: unknown[] = [];
  const app = new Hono().use(first).use(
    oauth({
      async handle(request) {
        refused.push(await request.text().catch((error: Error) => error.name));
        return new Response(null, { status: 400 });
      },
    }),
  );
  const answer = await app.request(ORIGIN, { ...post(""), body });
  expect([answer.status, refused]).toEqual([400, ["TypeError"]]);
});

test("the size of a body is limited where it was read before as well", async () => {
  const app = new Hono().use(reading((c) => c.req.text())).use(oauth(server()));
  const answer = await app.request(`${ORIGIN}/oauth/token`, post(`code=${"x".repeat(100_000)}`));
  expect(answer.status).toBe(413);
});

test("a URL that nobody has normalised is not normalised here, whatever has happened to the request", async () => {
  const requestTo = (value: string) =>
    Object.defineProperty(new Request(ORIGIN, REPEATED), "url", { value, configurable: true });
  const app = new Hono().use(reading((c) => c.req.text())).use(oauth(server()));
  expect((await app.fetch(requestTo(`${ORIGIN}/x/../oauth/token`))).status).toBe(404);
  const proxied = echoBehind(
    reading(async () => undefined),
    { strippedPrefix: "/outer" },
  );
  expect(await (await proxied.fetch(requestTo(`${ORIGIN}/x/../y?a#b`))).text()).toBe(
    `<${ORIGIN}/outer/x/../y?a#b> <POST> <${REPEATED.body}>`,
  );
});

test("behind a proxy that strips the issuer's path, endpoints and documents are found", async () => {
  const app = new Hono().use(oauth(server(`${ORIGIN}/outer`), { strippedPrefix: "/outer" }));
  expect((await app.request(`${ORIGIN}/oauth/token`, REPEATED)).status).toBe(400);
  expect((await app.request(`${ORIGIN}${METADATA}/outer`)).status).toBe(200);
});

test("what is thrown is not for the app's onError, which may show it", async () => {
  const thrown = new Error("secret");
  const reported: unknown[] = [];
  const app = new Hono().use(
    oauth({ handle: () => Promise.reject(thrown) }, { onError: (error) => reported.push(error) }),
  );
  app.onError((error, c) => c.text(error.message, 500));
  const answer = await app.request(ORIGIN);
  expect([answer.status, await answer.text(), reported]).toEqual([500, "", [thrown]]);
});

test("by default the name and the frames of an error are printed, and not its message", async () => {
  const print = vi.spyOn(console, "error").mockImplementation(() => undefined);
  onTestFinished(() => print.mockRestore());
  await new Hono().use(oauth({ handle: () => Promise.reject(new RangeError("secret")) })).request(ORIGIN);
  expect(print.mock.calls.join()).toMatch(/RangeError\n {4}at /);
  expect(print.mock.calls.join()).not.toContain("secret");
});

test("an onError that fails itself is told as well, and changes no answer", async () => {
  const print = vi.spyOn(console, "error").mockImplementation(() => undefined);
  onTestFinished(() => print.mockRestore());
  const onError = () => {
    throw new SyntaxError("broken reporter");
  };
  const app = new Hono().use(oauth({ handle: () => Promise.reject(new RangeError("secret")) }, { onError }));
  expect((await app.request(ORIGIN)).status).toBe(500);
  expect(print.mock.calls.join()).toMatch(/RangeError(?:.|\n)*SyntaxError/);
});
