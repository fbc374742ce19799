/** Whatever arrives at the example server: a 4xx or a closed connection, and the server goes on. */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { StrictClient } from "./clients/oauth4webapi.ts";
import { Person } from "./person.ts";
import { exchange, type RawAnswer, sendAndHangUp } from "./raw-exchange.ts";
import { type Site, startSite } from "./site.ts";
import { toolRequest, whoIs } from "./tool-call.ts";

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const TEN_MB = 10_000_000;
const FORM = "content-type: application/x-www-form-urlencoded";
const JSON_TYPE = "content-type: application/json";

const POSTS = ["/oauth/register", "/oauth/token", "/oauth/revoke", "/oauth/authorize", "/oauth/consent", "/mcp"];
const GETS = [
  "/.well-known/oauth-authorization-server",
  "/.well-known/oauth-protected-resource",
  "/.well-known/oauth-protected-resource/mcp",
  "/",
];
const PAGES = ["/oauth/authorize", "/oauth/callback"];
const EVERYWHERE = [...new Set([...POSTS, ...GETS, ...PAGES, "/nowhere"])];

let site: Site;
let url: URL;
let client: StrictClient;
beforeAll(async () => {
  site = await startSite();
  url = new URL(site.example.baseUrl);
  client = new StrictClient(site.example.mcpUrl, "none");
  await client.finish(await new Person("alice").signIn(await client.knock()));
});
afterAll(() => site.close());

function head(method: string, path: string, headers: readonly string[]): string {
  return [`${method} ${path} HTTP/1.1`, `host: ${url.host}`, ...headers, "", ""].join("\r\n");
}

/** A request after whose answer the server is to close the connection. */
function request(method: string, path: string, headers: readonly string[] = [], body = ""): string {
  return head(method, path, ["connection: close", ...headers]) + body;
}

function post(path: string, type: string, body: string, more: readonly string[] = []): string {
  return request("POST", path, [type, `content-length: ${Buffer.byteLength(body)}`, ...more], body);
}

/** One answer in the 400s, or none and the connection closed. */
function expectRefused({ statuses }: RawAnswer): void {
  expect(statuses.length).toBeLessThanOrEqual(1);
  for (const status of statuses) {
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
  }
}

/** A request with a body of so many bytes, made as they are sent, and behind it another on the same connection. */
function* large(path: string, headers: readonly string[], chunked: boolean): Generator<Uint8Array> {
  const framing = chunked ? "transfer-encoding: chunked" : `content-length: ${TEN_MB}`;
  yield Buffer.from(head("POST", path, [...headers, framing]), "latin1");
  const piece = Buffer.alloc(50_000, "a");
  const sent = chunked ? Buffer.from(`${piece.length.toString(16)}\r\n${piece}\r\n`) : piece;
  for (let size = 0; size < TEN_MB; size += piece.length) yield sent;
  if (chunked) yield Buffer.from("0\r\n\r\n");
  yield Buffer.from(request("GET", "/nowhere"));
}

describe("bodies of 10 MB", () => {
  const cases = POSTS.flatMap((path) => [FORM, JSON_TYPE].map((type) => ({ path, type })));

  test.each(cases)(
    "announced, to $path with $type, are refused, and the connection lives on",
    async ({ path, type }) => {
      const { statuses } = await exchange(url, large(path, [type], false));

      expect(statuses).toEqual([statusFor(path, type), 404]);
    },
  );

  test.each(cases)(
    "in chunks, to $path with $type, are refused, and the connection lives on",
    async ({ path, type }) => {
      const { statuses } = await exchange(url, large(path, [type], true));

      expect(statuses).toEqual([statusFor(path, type), 404]);
    },
  );

  test.each([true, false])("to the tools, with a good token, are refused; in chunks: %s", async (chunked) => {
    const authorization = `authorization: Bearer ${client.tokens.access_token}`;
    const headers = [JSON_TYPE, "accept: application/json, text/event-stream", authorization, "connection: close"];
    expectRefused(await exchange(url, large("/mcp", headers, chunked)));
  });

  /** Who brings no token is told so first; a body of the wrong type is not measured; pages say in words what was wrong. */
  function statusFor(path: string, type: string): number {
    if (path === "/mcp") return 401;
    const expected = { "/oauth/register": JSON_TYPE, "/oauth/token": FORM, "/oauth/revoke": FORM }[path];
    return expected === type ? 413 : 400;
  }
});

describe("malformed parameters", () => {
  const MALFORMED = [
    "%",
    "%2",
    "%zz",
    "%ff",
    "%c3%28",
    "%00",
    "a=%e0%a4%a",
    "=",
    "&&&",
    "client_id=%",
    "state=%ED%A0%80",
  ];

  test.each(MALFORMED)("%s in a query", async (text) => {
    for (const path of PAGES) expectRefused(await exchange(url, request("GET", `${path}?${text}`)));
  });

  test.each(MALFORMED)("%s in a form", async (text) => {
    for (const path of POSTS) expectRefused(await exchange(url, post(path, FORM, text)));
  });

  test.each(["{", "[]", "null", '"', "1e999", "[".repeat(50_000), '{"redirect_uris":', '{"a":'.repeat(9000), "\u0000"])(
    "JSON that is none: %.20s",
    async (text) => {
      for (const path of ["/oauth/register", "/mcp"]) expectRefused(await exchange(url, post(path, JSON_TYPE, text)));
    },
  );

  test.each([
    "/%",
    "/oauth/%74oken",
    "/oauth/../oauth/token",
    "//oauth/token",
    "/oauth/token/",
    "/mcp/%2e%2e",
    "/mcp%00",
  ])("the path %s, which only resembles one", async (path) => {
    expect((await exchange(url, request("GET", path))).statuses).toEqual([404]);
  });

  test("invalid UTF-8 in a form", async () => {
    const body = Buffer.from([0x61, 0x3d, 0xff, 0xfe, 0xc0]);
    const before = request("POST", "/oauth/token", [FORM, `content-length: ${body.length}`]);
    expectRefused(await exchange(url, [Buffer.from(before), body]));
  });

  test.each([
    "Basic",
    "Basic !!!",
    "Basic Og==",
    "Basic JTp6eg==",
    "Bearer",
    "Bearer  a  b",
    "Bearer a,b",
    "Bearer \u00ff",
    `Bearer ${"a.".repeat(2000)}`,
    "Digest a=b",
  ])("Authorization: %.30s", async (value) => {
    for (const path of ["/oauth/token", "/oauth/revoke", "/mcp"]) {
      const body = "grant_type=refresh_token&token=x&refresh_token=x";
      expectRefused(await exchange(url, post(path, FORM, body, [`authorization: ${value}`])));
    }
  });

  test.each(["=", ";;;=;", "sallyport-page-=%zz", "a", `a=${"b".repeat(8000)}`])("Cookie: %.30s", async (value) => {
    const body = "transaction=x&csrf_token=y&action=approve";
    expectRefused(await exchange(url, post("/oauth/consent", FORM, body, [`cookie: ${value}`])));
    expectRefused(await exchange(url, request("GET", "/oauth/callback?state=x&code=y", [`cookie: ${value}`])));
  });
});

describe("HTTP itself", () => {
  test("headers beyond what a server takes", async () => {
    const many = Array.from({ length: 5000 }, (_, index) => `x-${index}: y`);
    for (const headers of [many, [`x: ${"y".repeat(100_000)}`], [`cookie: ${"a=b; ".repeat(20_000)}`]])
      expectRefused(await exchange(url, request("GET", "/oauth/authorize", headers)));
  });

  test.each([
    "\r\n\r\n\r\nGARBAGE",
    "GARBAGE\r\n\r\n",
    "GET / HTTP/9.9\r\n\r\n",
    "GET /oauth/authorize HTTP/1.1\r\n\r\n",
    "POST /oauth/token HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n",
    "POST /oauth/token HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
    "POST /oauth/token HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST /oauth/token HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003",
  ])("%j", async (bytes) => {
    expectRefused(await exchange(url, `${bytes}\r\n\r\n\r\n`));
  });

  test("RFC 9112 §9.3.2: garbage behind good requests ends the connection, with a 400", async () => {
    const good = head("GET", "/oauth/authorize", []);
    for (const bad of ["\u0000\u0001\u0002\r\n\r\n", "GET\r\n\r\n", "POST /oauth/token HTTP/1.1\r\nhost\r\n\r\n"]) {
      const { statuses } = await exchange(url, good + good + bad);
      expect(new Set(statuses)).toEqual(new Set([400]));
    }
  });

  test.each(EVERYWHERE)("RFC 9110 §9.3.2: HEAD %s has the status of GET, and no body", async (path) => {
    const bodiless = await exchange(url, request("HEAD", path));
    const { statuses } = await exchange(url, request("GET", path));

    expect(bodiless.statuses).toEqual(statuses);
    expect(bodiless.text.split("\r\n\r\n")[1]).toBe("");
  });

  test.each(EVERYWHERE)("RFC 9110 §9.3.7: OPTIONS %s is answered", async (path) => {
    const [status = 0] = (await exchange(url, request("OPTIONS", path))).statuses;

    expect(status === 204 || (status >= 400 && status < 500)).toBe(true);
  });

  test.each(["DELETE", "PUT", "PATCH", "TRACE", "PROPFIND"])("%s is refused everywhere", async (method) => {
    for (const path of EVERYWHERE) expectRefused(await exchange(url, request(method, path, ["content-length: 0"])));
  });

  test.each(["GET", "HEAD", "POST", "DELETE", "PUT"])(
    "RFC 6750 §3: %s /mcp without a token is a 401",
    async (method) => {
      expect((await exchange(url, request(method, "/mcp", ["content-length: 0"]))).statuses).toEqual([401]);
    },
  );

  test("half a request, and then nobody", async () => {
    const halves = [
      "",
      "POST /oau",
      `POST /oauth/token HTTP/1.1\r\nhost: ${url.host}\r\n`,
      ...POSTS.map((path) => request("POST", path, [FORM, "content-length: 1000"], "grant_type=")),
      ...POSTS.map((path) => request("POST", path, [JSON_TYPE, "transfer-encoding: chunked"], '5\r\n{"a')),
      request(
        "POST",
        "/mcp",
        [JSON_TYPE, `authorization: Bearer ${client.tokens.access_token}`, "content-length: 1000"],
        '{"jsonrpc":',
      ),
    ];
    await Promise.all(halves.map((half) => sendAndHangUp(url, half)));

    expect(await whoIs(site.example.mcpUrl, client.tokens.access_token)).toBe("alice");
  });

  test("a whole tool call, and then nobody who waits for its answer", async () => {
    const { headers, body } = toolRequest("upstream_profile");
    const lines = [...headers].map(([name, value]) => `${name}: ${value}`);
    const gate = site.upstream.gate("userinfo");
    const call = request(
      "POST",
      "/mcp",
      [...lines, `authorization: Bearer ${client.tokens.access_token}`, `content-length: ${body.length}`],
      body,
    );
    await Promise.all(Array.from({ length: 10 }, () => sendAndHangUp(url, call)));
    // A call that is answered after them shows that the server is past them.
    gate.open();

    expect((await client.call("upstream_profile")).isError).toBe(false);
  });
});

describe("afterwards", () => {
  test("nothing that was granted is lost", async () => {
    expect(await whoIs(site.example.mcpUrl, client.tokens.access_token)).toBe("alice");
    client.tokens = await client.refresh();
    expect((await client.call("upstream_profile")).isError).toBe(false);
  });

  test("the process is still there, and had nothing to complain about", async () => {
    expect(site.example.isUp).toBe(true);
    const exit = await site.example.stop();
    const complaints = await site.example.complaints;

    expect(exit).toEqual({ code: 0, signal: null });
    expect(complaints).not.toMatch(/unhandled|uncaught|a request failed|TypeError|RangeError/i);
  });
});
