/** Two people at one server, with slow tools that overlap: nobody is ever taken for the other. */
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { OfficialClient } from "./clients/official-client.ts";
import { sdkV1 } from "./clients/sdk-v1.ts";
import { sdkV2 } from "./clients/sdk-v2.ts";
import { Person } from "./person.ts";
import { type Site, startSite } from "./site.ts";
import { subjectOf } from "./tool-call.ts";

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const CALLS = 100;

let site: Site;
beforeAll(async () => {
  site = await startSite();
});
afterAll(() => site.close());

async function signedIn(name: string, generation: typeof sdkV2): Promise<OfficialClient> {
  const client = new OfficialClient(generation, site.example.mcpUrl);
  await client.finish(await new Person(name).signIn(await client.knock()));
  await client.call("whoami");
  return client;
}

test.each([
  ["both of the second generation", sdkV2, sdkV2],
  ["both of the first generation", sdkV1, sdkV1],
  ["one of each generation", sdkV1, sdkV2],
])(`in ${CALLS} calls that overlap, by two clients, %s, each person stays themselves`, async (_which, one, other) => {
  const clients = { alice: await signedIn("alice", one), bob: await signedIn("bob", other) };
  const callers = Array.from({ length: CALLS }, (_, index) => (index % 2 === 0 ? "alice" : "bob"));
  const gate = site.upstream.gate("userinfo");

  const slow = callers.map((name) => clients[name].call("upstream_profile"));
  // All of them have reached the upstream, and none has been answered: now they surely overlap.
  await gate.waiting(CALLS);
  const quick = await Promise.all(callers.map((name) => clients[name].call("whoami")));
  gate.open();
  const profiles = (await Promise.all(slow)).map(({ text }) => (JSON.parse(text) as { email: string }).email);

  expect(profiles).toEqual(callers.map((name) => `${name}@example.com`));
  expect(quick.map(subjectOf)).toEqual(callers);
  await Promise.all(Object.values(clients).map((client) => client.close()));
});
