import { describe, expect, test } from "vitest";
import { CLIENT_ID, type DomainProcess, DomainWorld, RESOURCE } from "../../test/domain-process.ts";
import { Gate } from "../../test/gate.ts";
import { randomFrom } from "../../test/random.ts";
import { Accident, shuffled } from "../../test/unreliable-storage.ts";
import { OAuthProxyError } from "../protocol/errors.ts";
import type { Codes } from "./codes.ts";
import type { NewGrant } from "./grants.ts";

const refusal = (reason: string) => expect.objectContaining({ name: "OAuthProxyError", code: "invalid_grant", reason });
const REFUSED = "refused";

const record = {
  clientId: CLIENT_ID,
  redirectUri: "http://127.0.0.1:49152/callback",
  codeChallenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
  scope: ["read"],
  resourceScope: [],
  resources: [RESOURCE],
  traceId: "trace",
  signedIn: { subject: "alice", claims: {} },
} satisfies Parameters<Codes["issue"]>[0];

function arranged() {
  const world = new DomainWorld();
  const process = world.process();
  const spend = (code: string, by: DomainProcess = process) => spentBy(by, code, world.newGrant());
  return { world, process, spend };
}

/** Spends a code as the token endpoint does, and tells which grant there is for it. */
async function spentBy({ codes }: DomainProcess, code: string, grant: NewGrant): Promise<string> {
  const { signedIn } = await codes.find(code);
  if (signedIn === undefined) throw new Error("nobody has signed in");
  await codes.spend(code, CLIENT_ID, signedIn.grantId, grant);
  return signedIn.grantId;
}

/** The grants of those who were paid, and the reasons of the others. */
async function outcomes(attempts: readonly Promise<string>[]) {
  const settled = await Promise.allSettled(attempts);
  return {
    paid: settled.flatMap((each) => (each.status === "fulfilled" ? [each.value] : [])),
    reasons: settled.flatMap((each) =>
      each.status === "rejected" ? [(each.reason as OAuthProxyError).reason ?? each.reason] : [],
    ),
  };
}

describe("a code", () => {
  test("RFC 6749 §10.10: has 256 random bits, and a beginning that a scanner finds", async () => {
    const { process } = arranged();
    const codes = await Promise.all(Array.from({ length: 50 }, () => process.codes.issue(record)));
    expect(new Set(codes).size).toBe(50);
    for (const code of codes) expect(code).toMatch(/^sp_ac_[A-Za-z0-9_-]{43}$/);
  });

  test("stands for what was asked, and reading it spends nothing", async () => {
    const { process, spend } = arranged();
    const code = await process.codes.issue(record);
    expect(await process.codes.find(code)).toMatchObject(record);
    expect(await process.codes.find(code)).toMatchObject(record);
    await expect(spend(code)).resolves.toMatch(/^[A-Za-z0-9_-]{44}$/);
  });

  test("that was never issued is none", async () => {
    await expect(arranged().process.codes.find("sp_ac_unknown")).rejects.toThrow(refusal("code_invalid"));
  });

  test("RFC 6749 §4.1.2: is short-lived", async () => {
    const { world, process } = arranged();
    const code = await process.codes.issue(record);
    world.now += 299;
    await expect(process.codes.find(code)).resolves.toBeDefined();
    world.now += 1;
    await expect(process.codes.find(code)).rejects.toThrow(refusal("code_invalid"));
  });

  test("does not live on in a storage that forgets to let it expire", async () => {
    const { world, process } = arranged();
    const code = await process.codes.issue(record);
    const late = world.process({ clock: 361 });
    await expect(late.codes.find(code)).rejects.toThrow(refusal("code_invalid"));
  });

  test.each([-60, 60])("is known to a process whose clock is %i s off, for as long as it lives", async (clock) => {
    const { world, process } = arranged();
    const code = await process.codes.issue(record);
    world.now += 299;
    await expect(world.process({ clock }).codes.find(code)).resolves.toBeDefined();
  });
});

describe("one winner per code", () => {
  test.each([1, 2, 3])(
    "of 32 at once, over %i processes, in any order: one is paid and nobody is punished",
    async (count) => {
      for (let seed = 1; seed <= 10; seed++) {
        const { world, process } = arranged();
        const code = await process.codes.issue(record);
        const processes = Array.from({ length: count }, () => world.process());
        world.storage.treatment = shuffled(randomFrom(seed));
        const { paid, reasons } = await outcomes(
          Array.from({ length: 32 }, (_, index) =>
            spentBy(processes[index % count] ?? process, code, world.newGrant()),
          ),
        );
        expect(paid, `seed ${seed}`).toHaveLength(1);
        expect(reasons, `seed ${seed}`).toEqual(Array(31).fill("code_invalid"));
        await expect(process.grants.living(paid[0] ?? "")).resolves.toBeDefined();
        expect(world.count("code.duplicated")).toBe(31);
      }
    },
  );
});

describe("the winner is not punished for a sibling", () => {
  test("a duplicate within 10 seconds is a retry", async () => {
    const { world, process, spend } = arranged();
    const code = await process.codes.issue(record);
    const grantId = await spend(code);
    for (const seconds of [0, 5, 4]) {
      world.now += seconds;
      await expect(spend(code)).rejects.toThrow(refusal("code_invalid"));
    }
    await expect(process.grants.living(grantId)).resolves.toBeDefined();
  });

  test("RFC 6749 §4.1.2: one after that is a replay, which ends the grant, upstream as well, and is named", async () => {
    const { world, process, spend } = arranged();
    const code = await process.codes.issue(record);
    const grantId = await spend(code);
    world.now += 11;
    await expect(spend(code)).rejects.toThrow(refusal("code_replayed"));
    await expect(process.grants.living(grantId)).rejects.toThrow(refusal("grant_revoked"));
    expect(world.provider.revoked).toHaveLength(1);
    expect(world.happenings).toContainEqual(
      expect.objectContaining({ type: "code.replayed", grant: grantId, clientId: CLIENT_ID, subject: "alice" }),
    );
    expect(world.happenings).toContainEqual(
      expect.objectContaining({ type: "grant.revoked", because: "code_replay", grant: grantId }),
    );
  });

  test("after a replay the code makes nothing again", async () => {
    const { world, process, spend } = arranged();
    const code = await process.codes.issue(record);
    await spend(code);
    for (const seconds of [11, 1, 60, 120]) {
      world.now += seconds;
      await expect(spend(code)).rejects.toThrow(refusal(seconds === 11 ? "code_replayed" : "code_invalid"));
    }
    expect(world.count("grant.revoked")).toBe(1);
  });

  test("32 replays at once end the grant once, and ask the upstream once", async () => {
    const { world, process, spend } = arranged();
    const code = await process.codes.issue(record);
    await spend(code);
    world.now += 11;
    world.storage.treatment = shuffled(randomFrom(7));
    const { paid } = await outcomes(Array.from({ length: 32 }, () => spend(code)));
    expect(paid).toEqual([]);
    expect(world.count("grant.revoked")).toBe(1);
    expect(world.provider.revoked).toHaveLength(1);
  });

  test("a code of a grant that its owner revoked stays spent, and is no replay", async () => {
    const { world, process, spend } = arranged();
    const code = await process.codes.issue(record);
    const grantId = await spend(code);
    await process.sessions.end(grantId, await process.grants.living(grantId), "client");
    world.now += 11;
    await expect(spend(code)).rejects.toThrow(refusal("code_invalid"));
    expect(world.count("code.replayed")).toBe(0);
  });

  test("RFC 6749 §4.1.2: a code whose grant is shorter-lived than itself is redeemed once all the same", async () => {
    const world = new DomainWorld();
    const process = world.process({ accessTokenTtl: 30, refreshTokenTtl: 30 });
    for (const refreshable of [true, false]) {
      const code = await process.codes.issue(record);
      const expiresAt = world.now + 30;
      const spend = () => spentBy(process, code, world.newGrant({ refreshable, expiresAt }));
      await spend();
      world.now += 31;
      await expect(spend()).rejects.toThrow(refusal("code_replayed"));
      world.now += 268;
      await expect(spend()).rejects.toThrow(refusal("code_invalid"));
    }
  });
});

describe("the 10 seconds run from the redemption, whatever came before it", () => {
  test("an attempt that died on the way and was repeated leaves a whole window for a lost answer", async () => {
    const { world, process, spend } = arranged();
    const code = await process.codes.issue(record);
    world.storage.treatment = new Accident("fails", 1, ({ kind }) => kind === "grant").treatment;
    await expect(spend(code)).rejects.toThrow(expect.objectContaining({ code: "temporarily_unavailable" }));
    world.storage.recover();

    world.now += 9;
    const grantId = await spend(code);
    world.now += 9;
    await expect(spend(code)).rejects.toThrow(refusal("code_invalid"));
    await expect(process.grants.living(grantId)).resolves.toBeDefined();
    world.now += 11;
    await expect(spend(code)).rejects.toThrow(refusal("code_replayed"));
  });

  test("an attempt that the storage held up for longer than the window harms nobody when it gets through at last", async () => {
    const { world, process, spend } = arranged();
    const code = await process.codes.issue(record);
    const [arrived, released] = [new Gate(), new Gate()];
    world.storage.treatment = async ({ kind }, perform) => {
      if (kind !== "grant") return perform();
      arrived.open();
      await released.opened;
      return perform();
    };
    const slow = spend(code);
    await arrived.opened;
    world.storage.recover();

    world.now += 12;
    const grantId = await spend(code);
    released.open();
    await expect(slow).rejects.toThrow(refusal("code_invalid"));
    await expect(process.grants.living(grantId)).resolves.toBeDefined();
    expect(world.count("code.replayed")).toBe(0);
  });

  test("an attempt that was held up and then wins leaves a whole window too", async () => {
    const { world, process, spend } = arranged();
    const code = await process.codes.issue(record);
    world.storage.treatment = async ({ kind, verb }, perform) => {
      if (kind === "grant" && verb === "claim") world.now += 12;
      return perform();
    };
    const grantId = await spend(code);
    world.storage.recover();
    world.now += 9;
    await expect(spend(code)).rejects.toThrow(refusal("code_invalid"));
    await expect(process.grants.living(grantId)).resolves.toBeDefined();
  });

  test("repeating it over and over does not put the replay off", async () => {
    const { world, process, spend } = arranged();
    const code = await process.codes.issue(record);
    await spend(code);
    const reasons: string[] = [];
    for (let second = 0; second < 12; second++) {
      world.now += 1;
      reasons.push(...(await outcomes([spend(code)])).reasons);
    }
    expect(reasons.slice(0, 9)).toEqual(Array(9).fill("code_invalid"));
    expect(reasons).toContain("code_replayed");
  });
});

describe("work that can be done only once for a code", () => {
  test("is done by one of 32, and nobody waits for it", async () => {
    const { world, process, spend } = arranged();
    const code = await process.codes.issue(record);
    world.storage.treatment = shuffled(randomFrom(3));
    let done = 0;
    const attempts = Array.from({ length: 32 }, async () => {
      await process.codes.once(code, async () => done++);
      return spend(code);
    });
    const { paid, reasons } = await outcomes(attempts);
    expect({ done, paid: paid.length }).toEqual({ done: 1, paid: 1 });
    expect(reasons).toEqual(Array(31).fill("code_invalid"));
    await expect(process.grants.living(paid[0] ?? "")).resolves.toBeDefined();
  });

  test("is not needed again for a code that keeps who signed in", async () => {
    const { world, process, spend } = arranged();
    const code = await process.codes.issue({ ...record, signedIn: undefined, upstreamCode: { code: "x", nonce: "y" } });
    world.now += 100;
    const signedIn = { subject: "alice", claims: {} };
    await process.codes.keep(code, await process.codes.find(code), signedIn);
    expect(await process.codes.find(code)).toMatchObject({ signedIn, clientId: CLIENT_ID });
    expect(await process.codes.find(code)).not.toHaveProperty("upstreamCode");
    await expect(spend(code)).resolves.toBeDefined();
    world.now += 200;
    await expect(process.codes.find(code)).rejects.toThrow(refusal("code_invalid"));
  });

  test("can be tried again where it failed for the moment, and not where it failed for good", async () => {
    const { process } = arranged();
    const code = await process.codes.issue(record);
    const once = (work: () => Promise<string>) => process.codes.once(code, work);
    const fail = (reason: "upstream_unavailable" | "upstream_invalid_grant") => async (): Promise<string> => {
      throw new OAuthProxyError(reason);
    };
    await expect(once(fail("upstream_unavailable"))).rejects.toThrow(
      expect.objectContaining({ reason: "upstream_unavailable" }),
    );
    await expect(once(fail("upstream_invalid_grant"))).rejects.toThrow(refusal("upstream_invalid_grant"));
    await expect(once(async () => REFUSED)).rejects.toThrow(refusal("code_invalid"));
  });
});
