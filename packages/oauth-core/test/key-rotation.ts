/** A whole flow over restarts, while the secret is rotated: what was begun under the old one goes on, and a wrong one destroys nothing. */
import { expect } from "vitest";
import { PKCEUtils } from "../src/index.ts";
import type { TokenStorage } from "../src/state/token-storage.ts";
import { Browser, idToken, jsonOf, type Server, World } from "./harness.ts";

const [OLD, FRESH, WRONG] = ["old", "new", "wrong"].map((word) => `the ${word} secret, which is long enough`);

/** Where records survive: closed and opened again at each restart. `now` is the clock of everybody. */
export interface Place {
  open(now: () => number): TokenStorage;
}

/** Plays the flow, and holds what it is told against what it should be. */
export async function rotateOverRestarts(place: Place): Promise<void> {
  const world = new World();
  world.answer = () =>
    world.tokens({ id_token: idToken({ sub: "alice", aud: "our-app", exp: world.now + 60 }), expires_in: 7200 });
  let storage: TokenStorage | undefined;
  const restarted = async (...secret: (string | undefined)[]): Promise<Server> => {
    await storage?.close?.();
    storage = place.open(() => world.now);
    return world.server({
      tokenStorage: storage,
      secret: secret.filter((each) => each !== undefined),
      registration: { store: true },
    });
  };

  // Before: a session, a person on the way to the upstream, and a code that has not been redeemed.
  const before = await restarted(OLD);
  const { client, tokens } = await before.signIn();
  const [browser, { verifier, challenge }] = [new Browser(), PKCEUtils.generatePair()];
  const onTheWay = await before.consent(before.authorizationUrl(client, challenge), browser);
  const authorized = await before.authorize({ client });

  // The new secret in front: all of it goes on.
  const rotated = await restarted(FRESH, OLD);
  expect(await rotated.call(tokens.access_token)).toBe(200);
  expect(await rotated.auth.loadUpstreamTokens(tokens.access_token)).toMatchObject({
    accessToken: "upstream-access-1",
  });
  const refreshed = await jsonOf(await rotated.refresh(client, tokens.refresh_token));
  const returned = await rotated.callback(onTheWay.headers.get("location") ?? "", browser);
  const code = new URL(returned.headers.get("location") ?? "").searchParams.get("code") ?? "";
  const sessions = [
    refreshed,
    await jsonOf(await rotated.redeem({ client, code, verifier })),
    await jsonOf(await rotated.redeem(authorized)),
  ];
  for (const session of sessions) expect(await rotated.call(String(session.access_token))).toBe(200);
  expect((await rotated.auth.listGrants()).grants.map(({ subject }) => subject)).toEqual(Array(3).fill("alice"));
  expect(world.eventsOf("storage.unreadable")).toEqual([]);

  // The wrong one: nothing opens, which is told once for each kind of record, and nothing is gone for it.
  const wrong = await restarted(WRONG);
  for (const session of sessions) {
    expect(await wrong.call(String(session.access_token))).toBe(401);
    expect((await wrong.refresh(client, String(session.refresh_token))).status).toBe(401);
  }
  expect((await wrong.auth.listGrants()).grants).toEqual([]);
  const told = world.eventsOf("storage.unreadable").map(({ prefix, why }) => `${prefix}: ${why}`);
  expect(told.sort()).toEqual(["client: key", "grant: key", "key-marks: key"]);

  // The new one alone: what was sealed by it goes on, and what only the old one had sealed does not.
  const after = await restarted(FRESH);
  for (const session of sessions) {
    expect(await after.call(String(session.access_token))).toBe(200);
    expect(await after.auth.loadUpstreamTokens(String(session.access_token))).not.toBeNull();
  }
  expect(await after.call(tokens.access_token)).toBe(401);
  await storage?.close?.();
}
