/** Real clients against the example with accounts of its own: a person signs in with a password, and the tools know them. */
import { ScriptedBrowser } from "@sallyport/example-demo-idp/scripted-browser";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { StrictClient } from "./clients/oauth4webapi.ts";
import { OfficialClient } from "./clients/official-client.ts";
import { OpenidClient } from "./clients/openid-client.ts";
import type { RealClient } from "./clients/real-client.ts";
import { sdkV1 } from "./clients/sdk-v1.ts";
import { sdkV2 } from "./clients/sdk-v2.ts";
import { REDIRECT_URI } from "./person.ts";
import { ACCOUNTS_PROGRAM, ServedExample } from "./served-example.ts";
import { subjectOf, whoIs } from "./tool-call.ts";

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const DEMO = { login: "demo_user", password: "demo_password" };

const clients: readonly { readonly name: string; readonly create: (mcpUrl: URL) => RealClient }[] = [
  ...[sdkV2, sdkV1].map((generation) => ({
    name: generation.name,
    create: (mcpUrl: URL) => new OfficialClient(generation, mcpUrl),
  })),
  ...(["none", "client_secret_basic"] as const).map((method) => ({
    name: `oauth4webapi, ${method}`,
    create: (mcpUrl: URL) => new StrictClient(mcpUrl, method),
  })),
  { name: "openid-client", create: (mcpUrl: URL) => new OpenidClient(mcpUrl) },
];

/** In a browser of its own: allows the client, mistypes the password once, and signs in. The callback. */
async function signIn(authorizationUrl: URL, { login, password }: typeof DEMO): Promise<URL> {
  const browser = new ScriptedBrowser({ stopAt: (url) => url.href.startsWith(REDIRECT_URI) });
  const page = await browser.submit(await browser.open(authorizationUrl), { action: "approve" });
  const refused = await browser.submit(page, { login, password: `${password}!` });
  expect(refused.status).toBe(422);
  return (await browser.submit(refused, { login, password })).url;
}

let served: ServedExample;
beforeAll(async () => {
  served = await ServedExample.start({}, ACCOUNTS_PROGRAM);
});
afterAll(async () => {
  expect(await served.stop()).toEqual({ code: 0, signal: null });
});

describe.each(clients)("$name", ({ create }) => {
  let client: RealClient;
  beforeEach(() => {
    client = create(served.mcpUrl);
  });
  afterEach(() => client.close());

  test("a person signs in with a password, the tools know them, and the tokens refresh and end", async () => {
    await client.finish(await signIn(await client.knock(), DEMO));

    const subject = subjectOf(await client.call("whoami"));
    expect(subject).toMatch(/^[\w-]{20,}$/);
    expect((await client.call("list_notes")).isError).toBe(false);
    const before = client.tokens;
    client.tokens = await client.refresh();
    expect(client.tokens.refresh_token).not.toBe(before.refresh_token);
    expect(await whoIs(served.mcpUrl, client.tokens.access_token)).toBe(subject);
    await client.revoke();
    expect(await whoIs(served.mcpUrl, client.tokens.access_token)).toBe(401);
    await expect(client.refresh()).rejects.toThrow();
  });

  test("a person has one subject in every client, by whatever name they sign in", async () => {
    await client.finish(await signIn(await client.knock(), DEMO));
    const other = new StrictClient(served.mcpUrl, "none");
    await other.finish(await signIn(await other.knock(), { ...DEMO, login: "Demo_User@Example.com" }));

    expect(subjectOf(await other.call("whoami"))).toBe(subjectOf(await client.call("whoami")));
  });
});
