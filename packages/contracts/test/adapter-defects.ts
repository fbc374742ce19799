/** Broken adapters: each with the clause that names its defect. All of them are a sound one around an app that was changed. */

import type { Access } from "@sallyport/oauth-core";
import { nodeHttp, nodeHttpWith } from "../../node-http/test/subject.ts";
import type { AdapterApp, AdapterSubject, AppAnswer, AppRequest, MountedServer } from "../src/adapters.ts";

/** A defect: the clause that names it, its description, and the adapter that has it. */
export type Defect = readonly [clause: string, defect: string, adapter: AdapterSubject];

function changing(change: (app: AdapterApp) => Partial<AdapterApp>, sound = nodeHttp): AdapterSubject {
  return { patience: 1, serve: (app) => sound.serve({ ...app, ...change(app) }) };
}

/** The server sees another request than the one that was sent. */
function requestAs(change: (request: Request) => Promise<Request> | Request): AdapterSubject {
  return changing(({ auth }) => ({
    auth: { ...auth, handle: async (request, options) => auth.handle(await change(request), options) },
  }));
}

/** The client gets another answer than the one that was given. */
function answerAs(change: (answer: Response, request: Request) => Promise<Response> | Response): AdapterSubject {
  return changing(({ auth }) => ({
    auth: {
      ...auth,
      handle: async (request) => {
        const answer = await auth.handle(request);
        return answer === undefined ? undefined : change(answer, request);
      },
    },
  }));
}

function guardAs(change: (guard: MountedServer) => Partial<MountedServer>): AdapterSubject {
  return changing(({ auth }) => ({ auth: { ...auth, ...change(auth) } }));
}

/** The app's handlers see another request, or give another answer. */
function routesAs(
  change: (asked: AppRequest) => AppRequest,
  mend: (answer: AppAnswer) => Promise<AppAnswer> | AppAnswer = (answer) => answer,
): AdapterSubject {
  return changing(({ routes }) => ({
    routes: routes.map((route) => ({ ...route, answer: async (asked) => mend(await route.answer(change(asked))) })),
  }));
}

/** The same request with another URL. */
function at(request: Request, url: string): Request {
  return new Request(url, {
    ...pick(request),
    ...(request.body === null ? {} : { body: request.body, duplex: "half" }),
  });
}

/** The same request with another body. */
async function withBody(request: Request, change: (text: string) => string): Promise<Request> {
  if (request.method === "GET" || request.method === "HEAD") return request;
  return new Request(request.url, { ...pick(request), body: change(await request.text()) });
}

function pick({ method, headers, signal }: Request): RequestInit {
  return { method, headers, signal };
}

function withHeaders(answer: Response, change: (headers: Headers) => void): Response {
  const headers = new Headers(answer.headers);
  change(headers);
  return new Response(answer.body, { status: answer.status, headers });
}

const lastOfEach = (text: string) => new URLSearchParams(Object.fromEntries(new URLSearchParams(text))).toString();

async function all(body: AppAnswer["body"]): Promise<string> {
  if (body === undefined || typeof body === "string") return body ?? "";
  let text = "";
  for await (const piece of body) text += piece;
  return text;
}

const alice: Access = {
  token: "t",
  clientId: "c",
  scopes: [],
  expiresAt: 0,
  resource: "https://mcp.example.com/mcp",
  subject: "alice",
  claims: {},
};

/** The server is told another address than the connection's. */
function addressAs(change: (address: string | undefined, headers: Headers) => string | undefined): AdapterSubject {
  return guardAs(({ handle }) => ({
    handle: (request, options) =>
      handle(request, { ...options, clientAddress: change(options?.clientAddress, request.headers) }),
  }));
}

/** Every connection comes from where the first one came from. */
function sharedAddress(): AdapterSubject {
  let first: string | undefined;
  return addressAs((address) => {
    first ??= address;
    return first;
  });
}

/** Every request sees what the last one has left. */
function shared(): AdapterSubject {
  let last: AppRequest["access"];
  return changing(({ auth, routes }) => ({
    auth: {
      ...auth,
      protect: async (...args) => {
        const access = await auth.protect(...args);
        if (!(access instanceof Response) && "subject" in access) last = access;
        return access;
      },
    },
    routes: routes.map((route) => ({
      ...route,
      answer: (asked) => route.answer({ ...asked, access: last, body: asked.body }),
    })),
  }));
}

/** Every form is the first that came. */
function sharedForm(): AdapterSubject {
  let first: string | undefined;
  return requestAs((request) =>
    withBody(request, (text) => {
      first ??= text;
      return first;
    }),
  );
}

export const adapterDefects: readonly Defect[] = [
  ["target-as-sent", "normalises the path", requestAs((request) => at(request, new URL(request.url).href))],
  ["target-plain", "decodes the path", requestAs((request) => at(request, decodeURIComponent(request.url)))],
  [
    "target-under-prefix",
    "hands over what the framework has left of the path",
    requestAs((request) => at(request, request.url.replace("/outer", ""))),
  ],
  ["target-behind-proxy", "knows of no prefix", changing(() => ({ strippedPrefix: undefined }))],
  [
    "target-behind-proxy",
    "puts the prefix in front of well-known documents",
    requestAs((request) => at(request, request.url.replace("/.well-known", "/auth/.well-known"))),
  ],
  [
    "target-known-at-once",
    "asks for what the framework has left of the path",
    guardAs(({ owns = () => true }) => ({
      owns: (target, method) => owns(target.replace("/outer", ""), method),
    })),
  ],
  [
    "target-known-at-once",
    "takes every method for GET",
    guardAs(({ documentAt }) => ({ documentAt: (target) => documentAt?.(target, "GET") })),
  ],
  [
    "query-repeated",
    "makes an object of the query",
    requestAs((request) => {
      const [path = "", query = ""] = request.url.split("?");
      return at(request, `${path}?${lastOfEach(query)}`);
    }),
  ],
  ["address-of-connection", "keeps the address to itself", addressAs(() => undefined)],
  ["address-of-connection", "keeps one address for all", sharedAddress()],
  [
    "address-not-forged",
    "believes X-Forwarded-For",
    addressAs((address, headers) => headers.get("x-forwarded-for")?.split(",")[0] ?? address),
  ],
  [
    "address-not-forged",
    "believes Forwarded",
    addressAs((address, headers) => /for=([\d.]+)/.exec(headers.get("forwarded") ?? "")?.[1] ?? address),
  ],
  ["address-from-proxy", "knows of no trust", changing(() => ({ trustsProxy: undefined }))],
  [
    "address-from-proxy",
    "takes the first entry, which the client wrote",
    addressAs((address, headers) => headers.get("x-forwarded-for")?.split(",")[0] ?? address),
  ],
  [
    "address-from-proxy",
    "takes any header for the proxy's",
    addressAs((address, headers) => headers.get("x-real-ip") ?? address),
  ],
  [
    "form-verbatim",
    "parses forms and writes them again",
    requestAs((request) => withBody(request, (text) => new URLSearchParams(text).toString())),
  ],
  [
    "json-verbatim",
    "parses JSON and writes it again",
    requestAs((request) => withBody(request, (text) => text.replace(/\s/g, ""))),
  ],
  [
    "form-after-parser",
    "loses empty parameters",
    requestAs((request) => withBody(request, (text) => text.replace("empty=&", ""))),
  ],
  [
    "form-after-parser",
    "takes a plus for a space twice",
    requestAs((request) => withBody(request, (text) => text.replaceAll("%2B", "+"))),
  ],
  [
    "form-repeated-after-parser",
    "keeps the last of a repeated parameter",
    requestAs((request) => withBody(request, lastOfEach)),
  ],
  [
    "form-repeated-after-parser",
    "takes brackets for a list",
    requestAs((request) => withBody(request, (text) => text.replaceAll("%5B%5D", "").replaceAll("%5B0%5D", ""))),
  ],
  [
    "json-after-parser",
    "writes the value as a form",
    requestAs((request) => withBody(request, () => '{"redirect_uris":"a,b"}')),
  ],
  [
    "body-none-after-parser",
    "makes an empty object of no body",
    requestAs((request) => withBody(request, (text) => text || "{}")),
  ],
  ["body-cap", "buffers the body first", requestAs((request) => withBody(request, (text) => text))],
  [
    "set-cookie-twice",
    "makes one header of several",
    answerAs((answer) =>
      withHeaders(answer, (headers) => headers.set("set-cookie", answer.headers.getSetCookie().join(", "))),
    ),
  ],
  [
    "redirect-as-is",
    "tidies the location",
    answerAs((answer) =>
      withHeaders(answer, (headers) =>
        headers.set("location", decodeURIComponent(answer.headers.get("location") ?? "")),
      ),
    ),
  ],
  [
    "answer-as-is",
    "adds a charset",
    answerAs((answer) =>
      withHeaders(answer, (headers) => headers.set("content-type", "application/json; charset=utf-8")),
    ),
  ],
  [
    "answer-as-is",
    "has a page of its own for errors",
    answerAs((answer) => (answer.ok ? answer : new Response("Oh no", answer))),
  ],
  [
    "head-without-body",
    "turns HEAD into GET",
    requestAs((request) => new Request(request.url, { headers: request.headers })),
  ],
  [
    "no-content-without-body",
    "answers OPTIONS by itself",
    guardAs(() => ({ handle: async () => new Response(null, { status: 204 }) })),
  ],
  [
    "not-ours",
    "takes everything that ends like an endpoint",
    guardAs(({ handle }) => ({
      handle: (request, options) =>
        handle(at(request, request.url.replace(/\/token$/, "/oauth/token").replace("/oauth/oauth", "/oauth")), options),
    })),
  ],
  ["not-anybodys", "answers everything", guardAs(() => ({ handle: async () => new Response("welcome") }))],
  [
    "pass-unread",
    "reads the body before it knows whose it is",
    guardAs(({ handle }) => ({
      handle: async (request, options) => {
        await request.text();
        return handle(request, options);
      },
    })),
  ],
  [
    "pass-parsers",
    "reads the body before it knows whose it is",
    guardAs(({ handle }) => ({
      handle: async (request, options) => {
        await request.body?.cancel();
        return handle(request, options);
      },
    })),
  ],
  [
    "pass-untouched",
    "sets its headers on every answer",
    changing(({ routes }) => ({
      routes: routes.map((route) => ({
        ...route,
        answer: async (asked) => ({ ...(await route.answer(asked)), headers: { "access-control-allow-origin": "*" } }),
      })),
    })),
  ],
  [
    "challenge-as-is",
    "has one challenge for all",
    guardAs(({ protect }) => ({
      protect: async (...args) => {
        const result = await protect(...args);
        return "token" in result
          ? result
          : new Response(null, { status: 401, headers: { "www-authenticate": "Bearer" } });
      },
    })),
  ],
  ["access-known", "puts the access where nobody looks", routesAs((asked) => ({ ...asked, access: undefined }))],
  [
    "guard-sees-request",
    "forgets what the route demands",
    guardAs(({ protect }) => ({ protect: (request, _requirement, options) => protect(request, {}, options) })),
  ],
  ["guard-cors", "forgets the headers", guardAs(() => ({ corsHeaders: () => ({}) }))],
  [
    "guard-body-unread",
    "reads the body in the guard",
    guardAs(({ protect }) => ({
      protect: async (request, ...rest) => {
        await request.text();
        return protect(request, ...rest);
      },
    })),
  ],
  [
    "guard-not-passed-by-path",
    "guards one spelling, where the router takes two",
    changing(({ routes }) => ({
      routes: [...routes, ...routes.map((route) => ({ ...route, path: "/MCP", requirement: undefined }))],
    })),
  ],
  [
    "guard-not-passed-by-header",
    "takes the first of several tokens",
    guardAs(({ protect }) => ({
      protect: (request, ...rest) => {
        const headers = new Headers(request.headers);
        headers.set("authorization", (headers.get("authorization") ?? "").split(", ", 1)[0] ?? "");
        return protect(new Request(request.url, { headers }), ...rest);
      },
    })),
  ],
  [
    "guard-not-passed-by-header",
    "takes an underscore for a hyphen",
    guardAs(({ protect }) => ({
      protect: (request, ...rest) => {
        const headers = new Headers(request.headers);
        headers.set("authorization", headers.get("x_authorization") ?? headers.get("authorization") ?? "");
        return protect(new Request(request.url, { headers }), ...rest);
      },
    })),
  ],
  [
    "guard-not-passed-by-size",
    "has no limit for headers",
    { patience: 1, serve: (app) => nodeHttpWith({ maxHeaderSize: 8_000_000 }).serve(app) },
  ],
  [
    "claims-change-nothing",
    "believes what a client says of its path",
    requestAs((request) => {
      const claimed = request.headers.get("x-original-url");
      return claimed === null ? request : at(request, new URL(claimed, request.url).href);
    }),
  ],
  [
    "events-as-they-come",
    "waits for the end of a stream",
    routesAs(
      (asked) => asked,
      async (answer) => ({ ...answer, body: await all(answer.body) }),
    ),
  ],
  [
    "events-abandoned",
    "tells nobody that a client is gone",
    routesAs((asked) => ({ ...asked, gone: new Promise(() => undefined) })),
  ],
  [
    "server-throws",
    "tells the client what was thrown",
    guardAs(({ handle }) => ({
      handle: async (request, options) => {
        try {
          return await handle(request, options);
        } catch (error) {
          return new Response(String(error), { status: 500 });
        }
      },
    })),
  ],
  ["server-throws", "tells the operator nothing", changing(() => ({ onError: () => undefined }))],
  [
    "guard-throws",
    "lets in whoever the guard fails on",
    guardAs(({ protect }) => ({
      protect: async (...args) => {
        try {
          return await protect(...args);
        } catch {
          return alice;
        }
      },
    })),
  ],
  ["abort", "has no signal", requestAs((request) => new Request(request.url, { method: request.method }))],
  ["access-never-mixed", "keeps the access in one place for all", shared()],
  ["forms-never-mixed", "keeps the body in one place for all", sharedForm()],
];
