import { describe, expect, test } from "vitest";
import { type DomainProcess, DomainWorld, type ProcessOptions } from "../../test/domain-process.ts";
import { Gate } from "../../test/gate.ts";
import { randomFrom } from "../../test/random.ts";
import { Accident, goneAfter, shuffled } from "../../test/unreliable-storage.ts";
import { OAuthProxyError, type Reason } from "../protocol/errors.ts";
import type { Grant, LivingEntry } from "./grants.ts";
import type { UpstreamTokens } from "./identity-provider.ts";

const GRANT = "AbCdEfGhIjKlMnOpQrStUv";
const refusal = (reason: string) => expect.objectContaining({ name: "OAuthProxyError", reason });

/** A grant whose upstream tokens have so many seconds left of their hour. */
async function arranged(left: number, change: Partial<UpstreamTokens> = {}, options: ProcessOptions = {}) {
  const world = new DomainWorld();
  const process = world.process(options);
  const upstream = world.provider.tokens({ ...change });
  await process.grants.create(GRANT, { ...world.newGrant({ upstream }), redemption: "first" });
  world.now += 3600 - left;
  return { world, process, upstream };
}

const fresh = async (process: DomainProcess): Promise<LivingEntry> =>
  process.sessions.fresh(GRANT, await process.grants.living(GRANT));
const accessTokenOf = ({ value }: LivingEntry) => value.upstream?.accessToken;
const stored = async ({ grants }: DomainProcess) => (await grants.living(GRANT)).value.upstream;
const failing = (reason: Reason) => () => Promise.reject(new OAuthProxyError(reason));

/** Changes the grant as it is now. */
const change = async ({ grants }: DomainProcess, how: (grant: Grant) => Grant): Promise<LivingEntry> =>
  grants.update(GRANT, await grants.living(GRANT), how);

/** An upstream that answers when it is told to. */
function held({ provider }: DomainWorld) {
  const { answer } = provider;
  const [asked, released] = [new Gate(), new Gate()];
  provider.answer = async (tokens, subject) => {
    asked.open();
    await released.opened;
    return answer(tokens, subject);
  };
  return { asked: asked.opened, release: released.open };
}

describe("tokens are refreshed where they are due and can be", () => {
  test.each([3600, 1000, 61])("with %i seconds left they are used as they are", async (left) => {
    const { world, process } = await arranged(left);
    expect(accessTokenOf(await fresh(process))).toBe("access-0");
    expect(world.provider.refreshed).toEqual([]);
  });

  test.each([60, 1, 0, -1000])("with %i seconds left they are refreshed, and what comes is kept", async (left) => {
    const { world, process } = await arranged(left);
    expect(accessTokenOf(await fresh(process))).toBe("access-1");
    expect(await stored(process)).toMatchObject({ accessToken: "access-1", refreshToken: "refresh-1" });
    expect(world.provider.refreshed.map(({ refreshToken }) => refreshToken)).toEqual(["refresh-0"]);
  });

  test("those that live for ten minutes or less, only in the last tenth", async () => {
    const { world, process } = await arranged(3600, { expiresAt: 1_800_000_030 });
    world.now += 26;
    await fresh(process);
    expect(world.provider.refreshed).toEqual([]);
    world.now += 1;
    await fresh(process);
    expect(world.provider.refreshed).toHaveLength(1);
  });

  test.each([
    ["have no refresh token", { refreshToken: undefined }],
    ["have no end", { expiresAt: undefined }],
  ])("those that %s are left as they are", async (_, change) => {
    const { world, process } = await arranged(-1000, change);
    expect(accessTokenOf(await fresh(process))).toBe("access-0");
    expect(world.provider.refreshed).toEqual([]);
  });

  test("claims that only an ID token knew stay where no new one comes", async () => {
    const { world, process } = await arranged(0, { idToken: "id" });
    await change(process, (grant) => ({ ...grant, claims: { roles: ["a"], level: 1 } }));
    world.provider.answer = (_, subject) => ({
      subject,
      claims: { level: 2 },
      tokens: world.provider.tokens({ idToken: "id" }),
      partial: true,
    });
    expect((await fresh(process)).value.claims).toEqual({ roles: ["a"], level: 2 });
  });

  test("claims of a new ID token are all there is", async () => {
    const { world, process } = await arranged(0, { idToken: "id" });
    await change(process, (grant) => ({ ...grant, claims: { roles: ["a"], level: 1 } }));
    world.provider.answer = (_, subject) => ({
      subject,
      claims: { level: 2 },
      tokens: world.provider.tokens({ idToken: "new" }),
    });
    expect((await fresh(process)).value.claims).toEqual({ level: 2 });
  });
});

describe("one refresh at a time", () => {
  test.each([
    [1, -10],
    [1, 30],
    [2, -10],
    [2, 30],
    [3, -10],
    [3, 30],
  ])("of 32 at once over %i processes with %i seconds left, one asks, and all can go on", async (count, left) => {
    for (let seed = 1; seed <= 10; seed++) {
      const { world, process } = await arranged(left);
      const processes = Array.from({ length: count }, (_, index) => (index === 0 ? process : world.process()));
      world.storage.treatment = shuffled(randomFrom(seed));
      const entries = await Promise.all(
        Array.from({ length: 32 }, (_, index) => fresh(processes[index % count] as DomainProcess)),
      );
      expect(world.provider.refreshed, `seed ${seed}`).toHaveLength(1);
      for (const entry of entries) expect(entry.value.upstream?.expiresAt).toBeGreaterThan(world.now);
      expect(await stored(process)).toMatchObject({ refreshToken: "refresh-1" });
    }
  });

  test.each([1, 2])(
    "while it lasts, the others of %i processes use the old token as long as that works",
    async (count) => {
      const { world, process } = await arranged(30);
      const upstream = held(world);
      const first = fresh(process);
      await upstream.asked;
      const elsewhere = count === 1 ? process : world.process();
      expect(accessTokenOf(await fresh(elsewhere))).toBe("access-0");
      upstream.release();
      expect(accessTokenOf(await first)).toBe("access-1");
      expect(world.provider.refreshed).toHaveLength(1);
    },
  );

  test("while it lasts, those for whom nothing works wait for it, and use what it brings", async () => {
    let waited = 0;
    const { world, process } = await arranged(-10);
    const elsewhere = world.process({ pause: () => (++waited === 3 ? upstream.release() : undefined) });
    const upstream = held(world);
    const first = fresh(process);
    await upstream.asked;
    expect(accessTokenOf(await fresh(elsewhere))).toBe("access-1");
    expect(accessTokenOf(await first)).toBe("access-1");
    expect(world.provider.refreshed).toHaveLength(1);
  });

  test("a process that died over it holds the others up until its lease is over", async () => {
    const { world, process } = await arranged(-10);
    const asked = new Gate();
    world.provider.answer = () => {
      asked.open();
      return new Promise(() => undefined);
    };
    await Promise.race([fresh(process), asked.opened]);

    world.provider.answer = (_, subject) => ({ subject, claims: {}, tokens: world.provider.tokens() });
    const diedAt = world.now;
    const survivor = world.process({ pause: () => (world.now += 1) });
    expect(accessTokenOf(await fresh(survivor))).toBe("access-2");
    expect(world.now - diedAt).toBe(15);
  });

  test("one that hangs in a storage which never answers holds nobody up beyond its lease, in its own process neither", async () => {
    for (const left of [30, -10]) {
      const { world, process } = await arranged(left);
      const accident = new Accident("never returns", 1, ({ verb }) => verb === "replace");
      world.storage.treatment = accident.treatment;
      await Promise.race([fresh(process), accident.happened]);
      world.storage.recover();
      world.now += 15;
      expect(accessTokenOf(await fresh(process))).toBe("access-2");
    }
  });

  test("whoever waits longer than a lease and a request can take is told to come again", async () => {
    const { world, process } = await arranged(-10, {}, { pause: () => (world.now += 1) });
    await world.storage.save(`lease:${GRANT}`, "somebody else's, again and again", 1000);
    await expect(fresh(process)).rejects.toThrow(refusal("upstream_busy"));
    expect((await stored(process))?.refreshToken).toBe("refresh-0");
  });

  test("a lease that has run out is not taken from the one who has it now", async () => {
    const { world, process } = await arranged(-10);
    const upstream = held(world);
    const slow = fresh(process);
    await upstream.asked;
    world.now += 16;
    const elsewhere = held(world);
    const second = fresh(world.process());
    await elsewhere.asked;
    upstream.release();
    await slow;

    // The second still has its lease: a third finds it taken.
    const third = world.process({ pause: () => elsewhere.release() });
    await change(process, (grant) => ({ ...grant, upstream: { ...world.provider.tokens(), expiresAt: world.now } }));
    await Promise.all([second, fresh(third)]);
    expect(world.provider.refreshed).toHaveLength(2);
  });
});

describe("when the upstream fails", () => {
  test.each([
    "upstream_unavailable",
    "upstream_client_refused",
    "upstream_response_malformed",
    "upstream_refused",
  ] as const)("for the moment or by mistake, nothing is lost: %s", async (reason) => {
    const { world, process, upstream } = await arranged(-10);
    const { answer } = world.provider;
    world.provider.answer = failing(reason);
    await expect(fresh(process)).rejects.toThrow(refusal(reason));
    expect(await stored(process)).toEqual(upstream);
    expect(world.happenings).toContainEqual(
      expect.objectContaining({ type: "upstream.failed", operation: "refresh", reason }),
    );

    world.provider.answer = answer;
    expect(accessTokenOf(await fresh(process))).toBe("access-2");
  });

  test("all who share one refresh are told the same", async () => {
    const { world, process } = await arranged(-10);
    world.provider.answer = failing("upstream_unavailable");
    const settled = await Promise.allSettled(Array.from({ length: 32 }, () => fresh(process)));
    expect(world.provider.refreshed).toHaveLength(1);
    for (const each of settled) expect(each).toMatchObject({ reason: refusal("upstream_unavailable") });
  });

  test("with invalid_grant the session is over, and the grant with it", async () => {
    const { world, process } = await arranged(-10);
    world.provider.answer = failing("upstream_invalid_grant");
    await expect(fresh(process)).rejects.toThrow(refusal("upstream_invalid_grant"));
    await expect(process.grants.living(GRANT)).rejects.toThrow(refusal("grant_revoked"));
    expect(world.happenings).toContainEqual(
      expect.objectContaining({ type: "grant.revoked", because: "upstream", grant: GRANT }),
    );
  });

  test("an invalid_grant for a token that was rotated meanwhile says nothing", async () => {
    const { world, process } = await arranged(-10);
    const renewed = { ...world.provider.tokens(), accessToken: "renewed", refreshToken: "renewed" };
    world.provider.answer = async () => {
      await change(process, (grant) => ({ ...grant, upstream: renewed }));
      throw new OAuthProxyError("upstream_invalid_grant");
    };
    expect(accessTokenOf(await fresh(process))).toBe("renewed");
    expect(world.count("grant.revoked")).toBe(0);
  });
});

describe("what the upstream rotated is persisted before anything else is done with it", () => {
  test("a storage that fails just then: the request fails closed, and the grant lives", async () => {
    const { world, process, upstream } = await arranged(-10);
    world.storage.treatment = new Accident("fails", 1, ({ verb }) => verb === "replace").treatment;
    await expect(fresh(process)).rejects.toThrow(refusal("storage_unavailable"));
    expect(await stored(process)).toEqual(upstream);
    expect(world.count("upstream.refreshed")).toBe(0);
  });

  test("a storage that did it and could not say so is asked", async () => {
    const { world, process } = await arranged(-10);
    world.storage.treatment = new Accident("fails after the deed", 1, ({ verb }) => verb === "replace").treatment;
    expect(accessTokenOf(await fresh(process))).toBe("access-1");
    expect(world.provider.refreshed).toHaveLength(1);
  });

  test("a storage that did it and can't be asked either: the next one finds it done", async () => {
    const { world, process } = await arranged(-10);
    world.storage.treatment = goneAfter(({ verb }) => verb === "replace");
    await expect(fresh(process)).rejects.toThrow(refusal("storage_unavailable"));
    world.storage.recover();
    world.now += 16;
    expect(accessTokenOf(await fresh(process))).toBe("access-1");
    expect(world.provider.refreshed).toHaveLength(1);
  });

  test("also where the grant is rotated all the while", async () => {
    const { world, process } = await arranged(-10);
    let rotations = 0;
    let rotating = false;
    world.storage.treatment = async ({ verb }, perform) => {
      if (verb === "replace" && !rotating && rotations < 10) {
        rotating = true;
        await change(process, (grant) => ({ ...grant, generation: ++rotations }));
        rotating = false;
      }
      return perform();
    };
    await fresh(process);
    expect((await process.grants.living(GRANT)).value).toMatchObject({
      generation: 10,
      upstream: { refreshToken: "refresh-1" },
    });
  });
});

describe("the end of a grant", () => {
  test("that comes while the upstream answers ends what the answer brings as well", async () => {
    const { world, process } = await arranged(-10);
    const upstream = held(world);
    const refreshing = fresh(process);
    await upstream.asked;
    await process.sessions.end(GRANT, await process.grants.living(GRANT), "client");
    upstream.release();
    await expect(refreshing).rejects.toThrow(refusal("grant_revoked"));
    expect(world.provider.revoked.map(({ refreshToken }) => refreshToken)).toEqual(["refresh-0", "refresh-1"]);
  });

  test("is not undone by an upstream that does not answer to it", async () => {
    const { world, process } = await arranged(1000);
    world.provider.revoke = failing("upstream_unavailable");
    await process.sessions.end(GRANT, await process.grants.living(GRANT), "client");
    await expect(process.grants.living(GRANT)).rejects.toThrow(refusal("grant_revoked"));
    expect(world.happenings).toContainEqual(
      expect.objectContaining({ type: "upstream.failed", operation: "revoke", reason: "upstream_unavailable" }),
    );
  });

  test("of a grant without upstream tokens asks nobody", async () => {
    const { world, process } = await arranged(1000);
    await change(process, (grant) => ({ ...grant, upstream: undefined }));
    await process.sessions.end(GRANT, await process.grants.living(GRANT), "client");
    expect(world.provider.revoked).toEqual([]);
  });
});
