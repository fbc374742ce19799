import { describe, expect, test } from "vitest";
import { DEFAULT_RUNTIME } from "../default-runtime.ts";
import { OAuthProxyError } from "../protocol/errors.ts";
import { UpstreamRequests, type UpstreamRequestsOptions } from "./upstream-requests.ts";

const ENDPOINT = "https://id.example.com/token";

/** Requests that are answered by a function; what was asked is kept. */
function requests(answer: () => Response | Promise<Response>, options: Partial<UpstreamRequestsOptions> = {}) {
  const asked: { url: string; init: RequestInit; headers: Headers; form: URLSearchParams }[] = [];
  const upstream = new UpstreamRequests({
    clientId: "our-app",
    clientSecret: "s3cret",
    authMethod: "client_secret_basic",
    requestTimeoutMs: 10_000,
    runtime: {
      ...DEFAULT_RUNTIME,
      fetch: async (url, init) => {
        const form = new URLSearchParams(String(init.body ?? ""));
        asked.push({ url, init, headers: new Headers(init.headers), form });
        return answer();
      },
    },
    ...options,
  });
  return { upstream, asked };
}

async function reasonOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof OAuthProxyError ? error.reason : String(error);
}

describe("who we are", () => {
  test("RFC 6749 §2.3.1: Basic carries id and secret form-encoded, and nothing of them stands in the body", async () => {
    const { upstream, asked } = requests(() => new Response("{}"), { clientId: "a:b c", clientSecret: "p%+é/=" });
    await upstream.postForm(ENDPOINT, { grant_type: "refresh_token" });
    const [scheme, credentials = ""] = asked[0]?.headers.get("authorization")?.split(" ") ?? [];
    expect(scheme).toBe("Basic");
    expect(Buffer.from(credentials, "base64").toString()).toBe("a%3Ab+c:p%25%2B%C3%A9%2F%3D");
    expect([...(asked[0]?.form.keys() ?? [])]).toEqual(["grant_type"]);
  });

  test("client_secret_post carries them in the body, and none in a header", async () => {
    const { upstream, asked } = requests(() => new Response("{}"), { authMethod: "client_secret_post" });
    await upstream.postForm(ENDPOINT, { code: "c" });
    expect(Object.fromEntries(asked[0]?.form ?? [])).toEqual({
      code: "c",
      client_id: "our-app",
      client_secret: "s3cret",
    });
    expect(asked[0]?.headers.has("authorization")).toBe(false);
  });

  test("a public client names itself and shows no secret", async () => {
    const { upstream, asked } = requests(() => new Response("{}"), { authMethod: "none" });
    await upstream.postForm(ENDPOINT, { code: "c" });
    expect(Object.fromEntries(asked[0]?.form ?? [])).toEqual({ code: "c", client_id: "our-app" });
    expect(asked[0]?.headers.has("authorization")).toBe(false);
  });
});

describe("how it is asked", () => {
  test("JSON is asked for, a form is sent, no redirect is followed and no cookie goes along", async () => {
    const { upstream, asked } = requests(() => new Response("{}"));
    await upstream.postForm(ENDPOINT, {});
    expect(asked[0]?.headers.get("accept")).toBe("application/json");
    expect(asked[0]?.headers.get("content-type")).toBe("application/x-www-form-urlencoded");
    expect(asked[0]?.headers.has("cookie")).toBe(false);
    expect(asked[0]?.init).toMatchObject({ method: "POST", redirect: "manual" });
    expect(asked[0]?.init.signal).toBeInstanceOf(AbortSignal);
  });

  test("a redirect is an answer like any other, and its target is not asked", async () => {
    const headers = { location: "https://evil.example/" };
    const { upstream, asked } = requests(() => new Response(null, { status: 302, headers }));
    expect(await upstream.postForm(ENDPOINT, {})).toMatchObject({ status: 302, body: "" });
    expect(asked).toHaveLength(1);
  });

  test("a resource is asked with the token in the header", async () => {
    const { upstream, asked } = requests(() => Response.json({ sub: "alice" }));
    expect(await upstream.getJson("https://id.example.com/me", "t0ken")).toEqual({ sub: "alice" });
    expect(asked[0]?.headers.get("authorization")).toBe("Bearer t0ken");
    expect(asked[0]?.url).toBe("https://id.example.com/me");
  });
});

describe("what can go wrong", () => {
  test("an upstream that can not be reached", async () => {
    const { upstream } = requests(() => Promise.reject(new TypeError("fetch failed")));
    expect(await reasonOf(upstream.postForm(ENDPOINT, {}))).toBe("upstream_unavailable");
  });

  test("an upstream that does not answer in time", async () => {
    const { upstream } = requests(() => new Response("{}"), {
      requestTimeoutMs: 1,
      runtime: {
        ...DEFAULT_RUNTIME,
        fetch: (_, { signal }) =>
          new Promise((_resolve, reject) => signal?.addEventListener("abort", () => reject(signal.reason))),
      },
    });
    expect(await reasonOf(upstream.postForm(ENDPOINT, {}))).toBe("upstream_unavailable");
  });

  test("an answer that breaks off", async () => {
    const body = new ReadableStream({ pull: (controller) => controller.error(new Error("reset")) });
    const { upstream } = requests(() => new Response(body));
    expect(await reasonOf(upstream.postForm(ENDPOINT, {}))).toBe("upstream_unavailable");
  });

  test("an answer without end: no more than 1 MiB of it is taken", async () => {
    let taken = 0;
    const body = new ReadableStream({
      pull(controller) {
        taken++;
        controller.enqueue(new Uint8Array(256 * 1024));
      },
    });
    const { upstream } = requests(() => new Response(body));
    expect(await reasonOf(upstream.postForm(ENDPOINT, {}))).toBe("upstream_response_malformed");
    expect(taken).toBeLessThan(8);
  });

  test.each([
    [500, "{}", "upstream_unavailable"],
    [429, "{}", "upstream_unavailable"],
    [401, "{}", "upstream_identity"],
    [302, "{}", "upstream_identity"],
    [200, "<html>", "upstream_identity"],
    [200, "[]", "upstream_identity"],
    [200, "null", "upstream_identity"],
    [200, "", "upstream_identity"],
  ])("a resource that answers %i %s", async (status, body, reason) => {
    const { upstream } = requests(() => new Response(body, { status }));
    expect(await reasonOf(upstream.getJson("https://id.example.com/me", "t"))).toBe(reason);
  });
});
