import { describe, expect, test, vi } from "vitest";
import { Browser, formOf, jsonOf, World } from "../../test/harness.ts";

/** A world in which something of ours breaks when it is told to. */
function breaking() {
  const world = new World();
  let broken = false;
  const server = world.server({
    runtime: {
      randomBytes(size) {
        if (broken && size > 5 && size !== 8) throw new TypeError("secret detail");
        return Buffer.alloc(size, 7);
      },
    },
  });
  return { world, server, break: () => (broken = true) };
}

describe("people", () => {
  test("an error page has an id, under which the operator finds what happened", async () => {
    const world = new World();
    const answer = await world.server().get("/oauth/callback?state=unknown");
    const [event] = world.eventsOf("request.refused");
    expect(event).toMatchObject({ endpoint: "callback", reason: "browser_mismatch", at: world.now });
    expect(event?.traceId).toMatch(/^[0-9a-f]{16}$/);
    expect(await answer.text()).toContain(`<code>${event?.traceId}</code>`);
  });

  test("all events of one authorization, and the page on which it ends, share one id", async () => {
    const world = new World();
    const server = world.server();
    const browser = new Browser();
    const page = await server.get(server.authorizationUrl(await server.register(), "c".repeat(43)));
    browser.keep(page);
    const form = { ...formOf(await page.text()), action: "maybe" };
    const answer = await server.post("/oauth/consent", form, { cookie: browser.header() });
    const [shown] = world.eventsOf("consent.shown");
    expect(await answer.text()).toContain(`<code>${shown?.traceId}</code>`);

    world.events.length = 0;
    await server.signIn();
    const traced = world.events.filter(({ type }) => type !== "client.registered").map(({ traceId }) => traceId);
    expect(new Set(traced).size).toBe(1);
    expect(traced[0]).toMatch(/^[0-9a-f]{16}$/);
  });

  test("T-CON-07: an error page may not be framed, kept, scripted, and posts nowhere", async () => {
    const { headers } = await new World().server().get("/oauth/authorize");
    expect(headers.get("content-security-policy")).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'$/,
    );
    expect(headers.get("x-frame-options")).toBe("DENY");
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
  });

  test("while the storage can not be reached they are told to try again, and why stays here", async () => {
    const world = new World();
    const server = world.server();
    const client = await server.register();
    world.storage.before = () => Promise.reject(new Error("ECONNREFUSED 10.0.0.1"));
    const answer = await server.get(server.authorizationUrl(client, "c".repeat(43)));
    // The redirect URI is proven by then, so the client is told.
    expect(new URL(answer.headers.get("location") ?? "").searchParams.get("error")).toBe("temporarily_unavailable");
    const unknown = await server.get(server.authorizationUrl({ clientId: `sp_cs_${"A".repeat(22)}` }, "c".repeat(43)));
    expect(unknown.status).toBe(503);
    expect(unknown.headers.get("retry-after")).toBe("5");
    expect(await unknown.text()).toContain("Try again in a moment.");
  });

  test("a fault of ours is told without a word of detail, and the operator has all of it", async () => {
    const { world, server, break: breakIt } = breaking();
    const client = await server.register();
    breakIt();
    const answer = await server.get(server.authorizationUrl(client, "c".repeat(43)));
    const text = await answer.text();
    expect(answer.status).toBe(500);
    expect(text).toContain("Something went wrong");
    expect(text).not.toContain("secret detail");
    expect(world.eventsOf("error")).toMatchObject([{ endpoint: "authorization", cause: { message: "secret detail" } }]);
  });
});

describe("programs", () => {
  test("a refusal is JSON, and the operator hears the finer reason", async () => {
    const world = new World();
    const answer = await world.server().post("/oauth/token", { client_id: "nobody", grant_type: "refresh_token" });
    expect(answer.headers.get("content-type")).toBe("application/json");
    expect(answer.headers.get("access-control-allow-origin")).toBe("*");
    expect(await jsonOf(answer)).toEqual({
      error: "invalid_client",
      error_description: "The client is not known here. It has to register.",
    });
    expect(world.eventsOf("request.refused")).toMatchObject([{ endpoint: "token", reason: "client_unknown" }]);
  });

  test("a fault of ours is server_error without a word of detail", async () => {
    const { world, server, break: breakIt } = breaking();
    breakIt();
    const answer = await server.auth.fetch(
      new Request("https://mcp.example.com/oauth/register", {
        method: "POST",
        body: '{"redirect_uris":["http://127.0.0.1/cb"]}',
        headers: { "content-type": "application/json" },
      }),
    );
    expect(answer.status).toBe(500);
    expect(await jsonOf(answer)).toEqual({ error: "server_error", error_description: "The server failed." });
    const told = world.eventsOf("error").filter(({ endpoint }) => endpoint === "registration");
    expect(told).toMatchObject([{ cause: { message: "secret detail" } }]);
  });

  test("a listener that throws breaks nothing", async () => {
    const printed = vi.spyOn(console, "error").mockReturnValue();
    const server = new World().server({
      onEvent: () => {
        throw new Error("listener");
      },
    });
    expect((await server.signIn()).tokens).toHaveProperty("access_token");
    expect(printed).toHaveBeenCalledWith("[sallyport] onEvent threw:", expect.any(Error));
    printed.mockRestore();
  });
});
