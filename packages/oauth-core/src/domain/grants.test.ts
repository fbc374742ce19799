import { describe, expect, test } from "vitest";
import { CLIENT_ID, type DomainProcess, DomainWorld, type ProcessOptions } from "../../test/domain-process.ts";
import { randomFrom } from "../../test/random.ts";
import { shuffled } from "../../test/unreliable-storage.ts";
import type { Grant, LivingEntry, NewGrant } from "./grants.ts";

const refusal = (reason: string) => expect.objectContaining({ name: "OAuthProxyError", code: "invalid_grant", reason });
const GRANT = "AbCdEfGhIjKlMnOpQrStUvAbCdEfGhIjKlMnOpQrStUv";

async function arranged(options: ProcessOptions = {}, change: Partial<NewGrant> = {}) {
  const world = new DomainWorld();
  const process = world.process(options);
  const grant = { ...world.newGrant(change), redemption: "first" };
  await process.grants.create(GRANT, grant);
  return { world, process, first: process.grants.refreshToken(GRANT, grant) };
}

/** Changes the grant as it is now. */
const change = async ({ grants }: DomainProcess, how: (grant: Grant) => Grant): Promise<LivingEntry> =>
  grants.update(GRANT, await grants.living(GRANT), how);

/** What the token endpoint does with a refresh token. */
async function refresh(process: DomainProcess, token: string, clientId = CLIENT_ID): Promise<string> {
  const { grant } = await process.grants.rotate(await process.grants.open(token, clientId));
  return process.grants.refreshToken(GRANT, grant);
}

describe("a grant", () => {
  test("is created once: of 32 at once, one succeeds", async () => {
    const world = new DomainWorld();
    world.storage.treatment = shuffled(randomFrom(1));
    const process = world.process();
    const created = await Promise.all(
      Array.from({ length: 32 }, (_, index) =>
        process.grants.create(GRANT, { ...world.newGrant(), redemption: String(index) }),
      ),
    );
    expect(created.filter(Boolean)).toHaveLength(1);
  });

  test("lives as long as its refresh token, from the last refresh", async () => {
    const { world, process, first } = await arranged({ refreshTokenTtl: 1000 });
    world.now += 999;
    const second = await refresh(process, first);
    world.now += 999;
    const third = await refresh(process, second);
    world.now += 1000;
    await expect(refresh(process, third)).rejects.toThrow(refusal("refresh_token_invalid"));
  });

  test("is not refreshed after its time, also where the storage keeps it for its code", async () => {
    const { world, process, first } = await arranged({ refreshTokenTtl: 30 }, { expiresAt: 1_800_000_030 });
    world.now += 30;
    await expect(refresh(process, first)).rejects.toThrow(refusal("refresh_token_invalid"));
  });

  test("of a client that may not refresh has no use for a refresh token", async () => {
    const { process, first } = await arranged({}, { refreshable: false });
    await expect(refresh(process, first)).rejects.toThrow(refusal("refresh_token_invalid"));
  });
});

describe("RFC 6749 §10.4: a refresh token that is wrong moves nothing and ends nothing", () => {
  test.each([
    ["none at all", () => "not a token"],
    [
      "of a grant that is not known",
      (token: string) => token.replace(GRANT, "vUtSrQpOnMlKjIhGfEdCbAvUtSrQpOnMlKjIhGfEdCbA"),
    ],
    ["forged", (token: string) => token.slice(0, -1) + (token.endsWith("A") ? "B" : "A")],
  ])("%s", async (_, change) => {
    const { world, process, first } = await arranged();
    await expect(refresh(process, change(first))).rejects.toThrow(refusal("refresh_token_invalid"));
    await expect(refresh(process, first)).resolves.toContain(`${GRANT}.1.`);
    expect(world.count("grant.revoked")).toBe(0);
  });

  test("of a generation that the storage has lost, as after it was restored from a backup", async () => {
    const { world, process, first } = await arranged();
    const { salt } = (await process.grants.living(GRANT)).value;
    const lost = process.grants.refreshToken(GRANT, { generation: 1, salt });
    await expect(refresh(process, lost)).rejects.toThrow(refusal("refresh_token_invalid"));
    await expect(refresh(process, first)).resolves.toBe(lost);
    expect(world.count("grant.revoked")).toBe(0);
  });

  test("of another client, fresh or used long ago", async () => {
    const { world, process, first } = await arranged();
    await expect(refresh(process, first, "another client")).rejects.toThrow(refusal("refresh_token_invalid"));
    const second = await refresh(process, first);
    world.now += 1000;
    await expect(refresh(process, first, "another client")).rejects.toThrow(refusal("refresh_token_invalid"));
    await expect(refresh(process, second)).resolves.toContain(`${GRANT}.2.`);
  });

  test("a forged one of an old generation can't end somebody's grant", async () => {
    const { world, process, first } = await arranged();
    const second = await refresh(process, first);
    world.now += 1000;
    const forged = `${first.slice(0, -3)}AAA`;
    await expect(refresh(process, forged)).rejects.toThrow(refusal("refresh_token_invalid"));
    await expect(refresh(process, second)).resolves.toContain(`${GRANT}.2.`);
  });
});

describe("simultaneous refreshes agree", () => {
  test.each([1, 2, 3])("32 at once over %i processes, in any order, get the same next token", async (count) => {
    for (let seed = 1; seed <= 10; seed++) {
      const { world, first } = await arranged();
      const processes = Array.from({ length: count }, (_, index) => world.process({ clock: index * 30 }));
      world.storage.treatment = shuffled(randomFrom(seed));
      const tokens = await Promise.all(
        Array.from({ length: 32 }, (_, index) => refresh(processes[index % count] as DomainProcess, first)),
      );
      expect(new Set(tokens).size, `seed ${seed}`).toBe(1);
      expect(tokens[0]).toContain(`${GRANT}.1.`);
    }
  });

  test("whoever began while a token was current is no replay, however long the storage holds it up", async () => {
    const { world, process, first } = await arranged({ refreshTokenGracePeriod: 0 });
    const slow = await process.grants.open(first, CLIENT_ID);
    const second = await refresh(world.process({ refreshTokenGracePeriod: 0, clock: 5 }), first);
    world.now += 30;
    const { grant, retried } = await process.grants.rotate(slow);
    expect({ token: process.grants.refreshToken(GRANT, grant), retried }).toEqual({ token: second, retried: true });
    expect(world.count("grant.revoked")).toBe(0);
  });

  test("whoever comes too late for an ended grant gets nothing", async () => {
    const { world, process, first } = await arranged();
    const slow = await process.grants.open(first, CLIENT_ID);
    const elsewhere = world.process();
    await elsewhere.sessions.end(GRANT, await elsewhere.grants.living(GRANT), "client");
    await expect(process.grants.rotate(slow)).rejects.toThrow(refusal("grant_revoked"));
  });

  test("a rotation and a change of the grant at the same time both happen", async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { world, process, first } = await arranged();
      world.storage.treatment = shuffled(randomFrom(seed));
      const upstream = world.provider.tokens({ accessToken: "renewed" });
      const changes = Array.from({ length: 4 }, () => change(process, (grant) => ({ ...grant, upstream })));
      const [tokens] = await Promise.all([
        Promise.all(Array.from({ length: 4 }, () => refresh(process, first))),
        Promise.all(changes),
      ]);
      expect(new Set(tokens).size).toBe(1);
      const { value } = await process.grants.living(GRANT);
      expect(value).toMatchObject({ generation: 1, upstream: { accessToken: "renewed" } });
    }
  });
});

describe("the grace period", () => {
  test("is counted from the first use and never slides: at 60 and 119 seconds fine, at 121 the grant ends", async () => {
    const { world, process, first } = await arranged();
    const second = await refresh(process, first);
    for (const seconds of [60, 59]) {
      world.now += seconds;
      expect(await refresh(process, first)).toBe(second);
    }
    world.now += 2;
    await expect(refresh(process, first)).rejects.toThrow(refusal("refresh_token_reused"));
    await expect(refresh(process, second)).rejects.toThrow(refusal("grant_revoked"));
    expect(world.happenings).toContainEqual(
      expect.objectContaining({ type: "refresh_token.reused", grant: GRANT, clientId: CLIENT_ID, subject: "alice" }),
    );
    expect(world.provider.revoked).toHaveLength(1);
  });

  test("an old generation within its grace is given the current token", async () => {
    const { world, process, first } = await arranged();
    const tokens = [first];
    for (let generation = 0; generation < 5; generation++) {
      world.now += 10;
      tokens.push(await refresh(process, tokens.at(-1) ?? ""));
    }
    for (const token of tokens) expect(await refresh(process, token)).toContain(`${GRANT}.`);
    const answers = await Promise.all(tokens.slice(0, 5).map((token) => refresh(process, token)));
    expect(new Set(answers).size).toBe(1);
  });

  test("each generation has its own: the one after it lives on when its time is over", async () => {
    const { world, process, first } = await arranged();
    const second = await refresh(process, first);
    world.now += 100;
    const third = await refresh(process, second);
    world.now += 100;
    expect(await refresh(process, second)).toBe(third);
    await expect(refresh(process, first)).rejects.toThrow(refusal("refresh_token_reused"));
  });

  test("200 rotations within one grace period are all answered with a token that works, and nobody is logged out", async () => {
    const { process, first } = await arranged();
    const tokens = [first];
    for (let count = 0; count < 200; count++) tokens.push(await refresh(process, tokens.at(-1) ?? ""));
    const answers = await Promise.all(tokens.map((token) => refresh(process, token)));
    expect(new Set(answers).size).toBe(1);
    const { value } = await process.grants.living(GRANT);
    expect(value.firstUses.length).toBeLessThanOrEqual(64);
  });

  test("after such a burst rotation goes on as before, and old tokens are reuse again", async () => {
    const { world, process, first } = await arranged();
    let token = first;
    for (let count = 0; count < 200; count++) token = await refresh(process, token);
    world.now += 121;
    const next = await refresh(process, token);
    expect(next).not.toBe(token);
    expect((await process.grants.living(GRANT)).value.firstUses).toHaveLength(1);
    await expect(refresh(process, first)).rejects.toThrow(refusal("refresh_token_reused"));
  });

  test("of zero: a token that was used a second ago is reuse", async () => {
    const { world, process, first } = await arranged({ refreshTokenGracePeriod: 0 });
    const second = await refresh(process, first);
    world.now += 1;
    await expect(refresh(process, first)).rejects.toThrow(refusal("refresh_token_reused"));
    await expect(refresh(process, second)).rejects.toThrow(refusal("grant_revoked"));
  });

  test.each([-60, 60])("holds between processes whose clocks are %i s apart, up to its last second", async (clock) => {
    const { world, process, first } = await arranged();
    const elsewhere = world.process({ clock });
    const second = await refresh(process, first);
    world.now += 119;
    expect(await refresh(elsewhere, first)).toBe(second);
  });

  test.each([-60, 60])("ends between such processes as well, two clock errors later", async (clock) => {
    const { world, process, first } = await arranged();
    const elsewhere = world.process({ clock });
    await refresh(process, first);
    world.now += 241;
    await expect(refresh(elsewhere, first)).rejects.toThrow(refusal("refresh_token_reused"));
  });

  test("survives a restart", async () => {
    const { world, process, first } = await arranged();
    const second = await refresh(process, first);
    world.now += 60;
    expect(await refresh(world.process(), first)).toBe(second);
  });
});

describe("the end of a grant", () => {
  test("is known at once to the process that ended it, and within revocationCheckTtl to the others", async () => {
    const { world, process } = await arranged();
    const elsewhere = world.process();
    expect(await elsewhere.grants.isAlive(GRANT)).toBe(true);
    await process.sessions.end(GRANT, await process.grants.living(GRANT), "client");
    expect(await process.grants.isAlive(GRANT)).toBe(false);
    world.now += 5;
    expect(await elsewhere.grants.isAlive(GRANT)).toBe(false);
  });

  test("with revocationCheckTtl 0 it is known everywhere at once", async () => {
    const { world, process } = await arranged();
    const elsewhere = world.process({ revocationCheckTtl: 0 });
    expect(await elsewhere.grants.isAlive(GRANT)).toBe(true);
    await process.sessions.end(GRANT, await process.grants.living(GRANT), "client");
    expect(await elsewhere.grants.isAlive(GRANT)).toBe(false);
  });

  test("that could not be stored has not happened, for anybody", async () => {
    const { world, process, first } = await arranged();
    const entry = await process.grants.living(GRANT);
    world.storage.treatment = () => Promise.reject(new Error("the storage can not be reached"));
    await expect(process.sessions.end(GRANT, entry, "client")).rejects.toThrow(
      expect.objectContaining({ code: "temporarily_unavailable" }),
    );
    world.storage.recover();
    expect(await process.grants.isAlive(GRANT)).toBe(true);
    expect(world.count("grant.revoked")).toBe(0);
    expect(world.provider.revoked).toEqual([]);
    await expect(refresh(process, first)).resolves.toBeDefined();
  });

  test("wins over every change that goes on at the same time", async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { world, process, first } = await arranged();
      world.storage.treatment = shuffled(randomFrom(seed));
      const upstream = world.provider.tokens({ accessToken: "renewed", refreshToken: "renewed too" });
      const entry = await process.grants.living(GRANT);
      await Promise.allSettled([
        change(process, (grant) => ({ ...grant, upstream })),
        refresh(process, first),
        process.sessions.end(GRANT, entry, "client"),
        refresh(process, first),
      ]);
      await expect(process.grants.living(GRANT)).rejects.toThrow(refusal("grant_revoked"));
      await expect(refresh(process, first)).rejects.toThrow(refusal("grant_revoked"));
      expect(world.count("grant.revoked")).toBe(1);
    }
  });

  test("ends upstream what the grant had at the end, not what it had when somebody looked", async () => {
    const { world, process } = await arranged();
    const entry = await process.grants.living(GRANT);
    const renewed = world.provider.tokens({ refreshToken: "renewed" });
    await change(process, (grant) => ({ ...grant, upstream: renewed }));
    await process.sessions.end(GRANT, entry, "client");
    expect(world.provider.revoked).toEqual([renewed]);
  });

  test("lasts for as long as a code or an access token of it could come back", async () => {
    const { world, process } = await arranged();
    await process.sessions.end(GRANT, await process.grants.living(GRANT), "client");
    world.now += 3600 + 299;
    expect(await process.grants.create(GRANT, { ...world.newGrant(), redemption: "again" })).toBe(false);
  });
});

test("RFC 7009 §2.1: a refresh token of any generation proves itself to its grant and to no other", async () => {
  const { process, first } = await arranged();
  const { value } = await process.grants.living(GRANT);
  const second = await refresh(process, first);
  expect([first, second].map((token) => process.grants.proves(token, value))).toEqual([true, true]);
  expect(process.grants.proves(first, { salt: "another" })).toBe(false);
  expect(process.grants.proves("no token", value)).toBe(false);
});
