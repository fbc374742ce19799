import formbody from "@fastify/formbody";
import middie from "@fastify/middie";
import { type FastifyInstance, type FastifyServerOptions, fastify } from "fastify";
import { expect, onTestFinished, test } from "vitest";
import { server } from "../../contracts/test/mounted.ts";
import { oauth } from "./index.ts";

/** An app that is closed when the test is finished. */
function app(options: FastifyServerOptions = {}): FastifyInstance {
  const made = fastify(options);
  onTestFinished(() => made.close());
  return made;
}

const METADATA = "/.well-known/oauth-authorization-server";
const FORM = { "content-type": "application/x-www-form-urlencoded" };
const REPEATED = { method: "POST", url: "/oauth/token", headers: FORM, payload: "grant_type=x&code=1&code=2" } as const;

test("RFC 8414 §3: the metadata document is the server's own", async () => {
  const auth = server();
  const answer = await app().register(oauth(auth)).inject(METADATA);
  const own = await auth.fetch(new Request(`https://mcp.example.com${METADATA}`));
  expect([answer.statusCode, answer.json()]).toEqual([200, await own.json()]);
  expect(answer.headers).toMatchObject({ "content-type": "application/json", "cache-control": "public, max-age=3600" });
});

test.each([
  ["without a form parser", (made: FastifyInstance) => made.register(oauth(server()))],
  ["in front of a form parser", (made: FastifyInstance) => made.register(oauth(server())).register(formbody)],
  ["behind a form parser", (made: FastifyInstance) => made.register(formbody).register(oauth(server()))],
])("RFC 6749 §3.1: %s, a parameter that is given twice is refused", async (_, mount) => {
  const answer = await mount(app()).inject(REPEATED);
  expect([answer.statusCode, answer.json()]).toMatchObject([400, { error: "invalid_request" }]);
});

test("a body that something in front of Fastify's parsers has consumed is recovered", async () => {
  const made = app();
  await made.register(middie);
  made.use((req, _res, next) => {
    req
      .resume()
      .once("end", () => next(Object.assign(req, { body: { grant_type: "x", code: ["1", "2"] } }) && undefined));
  });
  const answer = await made.register(oauth(server())).inject(REPEATED);
  expect([answer.statusCode, answer.json()]).toMatchObject([400, { error: "invalid_request" }]);
});

test("the app's own content type parsers are not asked about an endpoint, and the app's routes keep theirs", async () => {
  const made = app().register(oauth(server()));
  made.removeAllContentTypeParsers();
  made.addContentTypeParser("text/csv", { parseAs: "string" }, (_request, body, done) => done(null, `csv ${body}`));
  made.post("/token", (request) => request.body);
  expect((await made.inject(REPEATED)).statusCode).toBe(400);
  const own = await made.inject({
    method: "POST",
    url: "/token",
    headers: { "content-type": "text/csv" },
    payload: "a",
  });
  expect(own.body).toBe("csv a");
});

test("options of the router make no endpoint of a path that only resembles one", async () => {
  const made = app({
    routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true, caseSensitive: false },
  });
  made.register(oauth(server()));
  expect((await made.inject(METADATA)).statusCode).toBe(200);
  for (const url of [
    `${METADATA}/`,
    `/${METADATA}`,
    METADATA.toUpperCase(),
    "/.well-known/%6fauth-authorization-server",
  ])
    expect((await made.inject(url)).statusCode).toBe(404);
});

test("rewriteUrl makes neither an endpoint of another path nor another path of an endpoint", async () => {
  const made = app({ rewriteUrl: (req) => (req.url === "/other" ? METADATA : "/elsewhere") });
  made.register(oauth(server()));
  made.get(METADATA, () => "the app");
  expect((await made.inject("/other")).body).toBe("the app");
  expect((await made.inject(METADATA)).json()).toMatchObject({ issuer: "https://mcp.example.com" });
});

test.each(["", "/outer"])(
  "in a plug-in under %j it answers as well, and leaves the rest to the app",
  async (prefix) => {
    const made = app();
    made.setNotFoundHandler((_request, reply) => reply.code(404).send("the app knows of none"));
    made.register(
      async (inner) => {
        inner.register(oauth(server()));
        inner.get("/token", () => "the app");
      },
      { prefix },
    );
    const wellKnown = prefix === "" ? [200, "https://mcp.example.com"] : [404, undefined];
    const metadata = await made.inject(METADATA);
    expect([metadata.statusCode, prefix === "" ? metadata.json().issuer : undefined]).toEqual(wellKnown);
    expect((await made.inject(`${prefix}/token`)).body).toBe("the app");
    for (const url of [`${prefix}/nothing`, `${prefix}/`, "/nothing"])
      expect([url, (await made.inject(url)).body]).toEqual([url, "the app knows of none"]);
    const unknown = {
      method: "POST",
      url: `${prefix}/nothing`,
      headers: { "content-type": "a/b" },
      payload: "x",
    } as const;
    expect((await made.inject(unknown)).statusCode).toBe(404);
  },
);

test("a server whose issuer has a path is mounted in a plug-in with that prefix", async () => {
  const made = app();
  made.register(async (inner) => void inner.register(oauth(server("https://mcp.example.com/outer"))), {
    prefix: "/outer",
  });
  expect((await made.inject({ ...REPEATED, url: "/outer/oauth/token" })).statusCode).toBe(400);
});

test("hooks of the app run around an endpoint: those in front of it and, when it is answered, onResponse", async () => {
  const ran: string[] = [];
  const made = app();
  made.addHook("onRequest", async () => void ran.push("onRequest"));
  made.register(oauth(server()));
  made.addHook("onRequest", async () => void ran.push("behind"));
  const answered = Promise.withResolvers<void>();
  made.addHook("onResponse", async (_request, reply) =>
    answered.resolve(void ran.push(`onResponse ${reply.statusCode}`)),
  );
  await made.inject(METADATA);
  await answered.promise;
  expect(ran).toEqual(["onRequest", "onResponse 200"]);
});

test("several servers can be mounted side by side", async () => {
  const made = app()
    .register(oauth(server()))
    .register(oauth(server("https://mcp.example.com/second")));
  for (const [path, issuer] of [
    [METADATA, "https://mcp.example.com"],
    [`${METADATA}/second`, "https://mcp.example.com/second"],
  ] as const)
    expect((await made.inject(path)).json()).toMatchObject({ issuer });
});
