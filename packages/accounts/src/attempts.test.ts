import { MemoryTokenStorage } from "@sallyport/oauth-core";
import { Collection, KeyRing } from "@sallyport/oauth-core/accounts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { keyOf, keysOf, Records } from "../test/records.ts";
import { type AdmittedAttempt, type Attempt, type AttemptRecord, Attempts, type RefusedAttempt } from "./attempts.ts";

const ADDRESS = "192.0.2.1";
const HOUR = 3600;

function arranged() {
  const records = new Records();
  const collectionOf = (seal = keysOf("seal")) => records.collection<AttemptRecord>("accounts-attempts", seal);
  const instance = (keys = keysOf("attempts"), seal = keysOf("seal")) =>
    new Attempts({ collection: collectionOf(seal), keys, runtime: records.runtime });
  const kept = async () => {
    const names = await records.names();
    const entries = await Promise.all(names.map((name) => collectionOf().get(name.slice("accounts-attempts:".length))));
    return entries.map((entry) => entry?.value);
  };
  return { records, instance, attempts: instance(), kept };
}

type Verdict = AdmittedAttempt | RefusedAttempt;

const waitOf = (verdict: Verdict) => (verdict.admitted ? 0 : verdict.retryAfter);

async function fail(attempts: Attempts, attempt: Attempt, times = 1): Promise<void> {
  for (let left = times; left > 0; left--) await settled(await attempts.begin(attempt), "failed");
}

async function settled(verdict: Verdict, outcome: "failed" | "succeeded"): Promise<void> {
  if (!verdict.admitted) throw new Error("the attempt was refused");
  await verdict.settle(outcome);
}

/** How long nobody is admitted, found out by waiting. */
async function waits(records: Records, attempts: Attempts, attempt: Attempt, times: number): Promise<number[]> {
  const found: number[] = [];
  for (let left = times; left > 0; left--) {
    const began = records.now;
    let verdict = await attempts.begin(attempt);
    while (!verdict.admitted) {
      records.now += 1;
      verdict = await attempts.begin(attempt);
    }
    found.push(records.now - began);
  }
  return found;
}

test("five failures for a login are free, then waits double up to a quarter of an hour", async () => {
  const { records, attempts } = arranged();
  expect(await waits(records, attempts, { login: "alice" }, 18)).toEqual([
    ...[0, 0, 0, 0, 0],
    ...[1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
    ...[900, 900, 900],
  ]);
});

test("who is refused is told the seconds that are left, and being refused prolongs nothing", async () => {
  const { records, attempts } = arranged();
  await waits(records, attempts, { login: "alice" }, 8);
  for (const left of [8, 7, 6, 5, 4, 3, 2, 1, 0]) {
    expect(waitOf(await attempts.begin({ login: "alice" }))).toBe(left);
    records.now += 1;
  }
});

test("an attempt counts before it is settled, and where it never is", async () => {
  const { attempts } = arranged();
  const begun = [];
  for (let at = 0; at < 6; at++) begun.push(await attempts.begin({ login: "alice" }));
  expect(begun.map(({ admitted }) => admitted)).toEqual([true, true, true, true, true, false]);
});

test("success clears what was counted for the login", async () => {
  const { attempts, kept } = arranged();
  await fail(attempts, { login: "alice" }, 4);
  await settled(await attempts.begin({ login: "alice" }), "succeeded");
  expect(await kept()).toEqual([]);
  await fail(attempts, { login: "alice" }, 5);
  expect(waitOf(await attempts.begin({ login: "alice" }))).toBe(1);
});

test("an attempt is settled once: what comes after changes nothing", async () => {
  const { attempts } = arranged();
  const begun = await attempts.begin({ login: "alice" });
  await settled(begun, "failed");
  await fail(attempts, { login: "alice" }, 4);
  await settled(begun, "succeeded");
  expect((await attempts.begin({ login: "alice" })).admitted).toBe(false);
});

test("a login is forgotten after an hour without a failure, and not before", async () => {
  const { records, attempts } = arranged();
  await fail(attempts, { login: "alice" }, 4);
  records.now += HOUR - 1;
  await fail(attempts, { login: "alice" });
  expect(waitOf(await attempts.begin({ login: "alice" }))).toBe(1);
  records.now += HOUR;
  await fail(attempts, { login: "alice" }, 5);
});

test("logins do not disturb each other", async () => {
  const { attempts } = arranged();
  await fail(attempts, { login: "alice" }, 5);
  expect((await attempts.begin({ login: "bob" })).admitted).toBe(true);
});

test.each([false, true])(
  "of 64 guesses at once over two instances, as many go on as are free (shuffled: %j)",
  async (shuffled) => {
    const { records, instance, kept } = arranged();
    records.shuffled = shuffled;
    const instances = [instance(), instance()];
    const guesses = Array.from({ length: 64 }, async (_, at) =>
      instances[at % 2]?.begin({ login: "alice", address: `198.51.100.${at}` }),
    );
    const admitted = (await Promise.all(guesses)).filter((verdict) => verdict?.admitted);
    expect(admitted).toHaveLength(5);
    // And whom the login turned away, no address has to bear.
    expect((await kept()).map((record) => record?.failures).sort()).toEqual([1, 1, 1, 1, 1, 5]);
  },
);

test.each([false, true])(
  "of 64 guesses at once from one address at 64 logins, thirty go on, and the rest leaves no trace (shuffled: %j)",
  async (shuffled) => {
    const { records, instance, kept } = arranged();
    records.shuffled = shuffled;
    const instances = [instance(), instance()];
    const guesses = Array.from({ length: 64 }, async (_, at) =>
      instances[at % 2]?.begin({ login: `user-${at}`, address: ADDRESS }),
    );
    expect((await Promise.all(guesses)).filter((verdict) => verdict?.admitted)).toHaveLength(30);
    const failures = (await kept()).map((record) => record?.failures ?? 0);
    expect(Math.max(...failures)).toBe(30);
    expect(failures.reduce((sum, each) => sum + each)).toBe(60);
  },
);

test("of 64 guesses at once after a wait, one goes on", async () => {
  const { records, instance } = arranged();
  await fail(instance(), { login: "alice" }, 5);
  records.now += 1;
  const verdicts = await Promise.all(
    Array.from({ length: 64 }, () => instance().begin({ login: "alice", address: ADDRESS })),
  );
  expect(verdicts.filter(({ admitted }) => admitted)).toHaveLength(1);
});

test("of a success and a failure at once, the address keeps the failure, and the login at most that one", async () => {
  for (let round = 0; round < 20; round++) {
    const { records, instance, kept } = arranged();
    for (let before = 0; before < round; before++) records.runtime.randomBytes(1);
    const attempt: Attempt = { login: "alice", address: ADDRESS };
    await fail(instance(), attempt, 3);
    records.shuffled = true;
    const right = await instance().begin(attempt);
    const [wrong] = await Promise.all([instance().begin(attempt), settled(right, "succeeded")]);
    await settled(wrong, "failed");

    const failures = (await kept()).map((record) => record?.failures).sort();
    expect([[4], [1, 4]]).toContainEqual(failures);
  }
});

test("a stranger who makes a login wait does not touch a browser that is known", async () => {
  const { records, attempts } = arranged();
  await waits(records, attempts, { login: "alice", address: ADDRESS }, 15);
  expect(waitOf(await attempts.begin({ login: "alice", address: ADDRESS }))).toBe(900);
  const mine: Attempt = { login: "alice", browser: "nonce", address: ADDRESS };
  await settled(await attempts.begin(mine), "failed");
  await settled(await attempts.begin(mine), "succeeded");
  // A sign-in in a browser that is known gives strangers no new guesses.
  expect(waitOf(await attempts.begin({ login: "alice", address: ADDRESS }))).toBe(900);
});

test("a known browser does not use up what strangers have free, nor its address", async () => {
  const { attempts, kept } = arranged();
  await fail(attempts, { login: "alice", browser: "nonce", address: ADDRESS }, 10);
  expect(await kept()).toHaveLength(1);
});

test("after ten failures a known browser is like any other, for an hour", async () => {
  const { records, attempts } = arranged();
  const mine: Attempt = { login: "alice", browser: "nonce" };
  await fail(attempts, mine, 10);
  await fail(attempts, { login: "alice" }, 5);
  expect(waitOf(await attempts.begin(mine))).toBe(1);
  records.now += HOUR - 1;
  await fail(attempts, mine);
  expect(waitOf(await attempts.begin(mine))).toBe(2);
  records.now += 1;
  await fail(attempts, mine, 10);
  expect(waitOf(await attempts.begin(mine))).toBe(1);
});

test("of 64 guesses at once with one known browser's cookie, its ten and the login's five go on", async () => {
  const { instance } = arranged();
  const verdicts = await Promise.all(
    Array.from({ length: 64 }, () => instance().begin({ login: "alice", browser: "nonce" })),
  );
  expect(verdicts.filter(({ admitted }) => admitted)).toHaveLength(15);
});

test("a known browser that had used up its ten has them again when somebody signs in with it", async () => {
  const { attempts, kept } = arranged();
  const mine: Attempt = { login: "alice", browser: "nonce" };
  await fail(attempts, mine, 12);
  await settled(await attempts.begin(mine), "succeeded");
  expect(await kept()).toEqual([]);
});

test("thirty failures in a quarter of an hour from one address are free, at whatever logins, and then it waits", async () => {
  const { records, attempts } = arranged();
  for (let at = 0; at < 30; at++) await fail(attempts, { login: `user-${at}`, address: ADDRESS });
  expect(waitOf(await attempts.begin({ login: "another", address: ADDRESS }))).toBe(1);
  expect(waitOf(await attempts.begin({ login: "another", address: "192.0.2.2" }))).toBe(0);
  records.now += 1;
  await fail(attempts, { login: "and-another", address: ADDRESS });
  expect(waitOf(await attempts.begin({ login: "another", address: ADDRESS }))).toBe(2);
});

test("an address has thirty again after a quarter of an hour, however steadily it fails", async () => {
  const { records, attempts } = arranged();
  for (let at = 0; at < 200; at++) {
    await fail(attempts, { login: `user-${at}`, address: ADDRESS });
    records.now += 31;
  }
});

test("an address of which the wait goes on after its quarter of an hour is not admitted before", async () => {
  const { records, attempts } = arranged();
  let at = 0;
  while (waitOf(await attempts.begin({ login: `user-${at++}`, address: ADDRESS })) < 512) {
    const wait = waitOf(await attempts.begin({ login: "probe", address: ADDRESS }));
    if (wait < 512) records.now += wait;
  }
  records.now += 511;
  expect(waitOf(await attempts.begin({ login: "probe", address: ADDRESS }))).toBe(1);
  records.now += 1;
  expect(waitOf(await attempts.begin({ login: "probe", address: ADDRESS }))).toBe(0);
});

test("signing in to one's own account gives an address no new guesses at those of others", async () => {
  const { attempts } = arranged();
  for (let at = 0; at < 30; at++) {
    await settled(await attempts.begin({ login: "mallory", address: ADDRESS }), "succeeded");
    await fail(attempts, { login: `user-${at}`, address: ADDRESS });
  }
  expect(waitOf(await attempts.begin({ login: "mallory", address: ADDRESS }))).toBe(1);
});

test("an address that has to wait gets its place and its wait back when the next one succeeds", async () => {
  const { records, attempts } = arranged();
  for (let at = 0; at < 31; at++) {
    await fail(attempts, { login: `user-${at}`, address: ADDRESS });
    if (at === 29) records.now += 1;
  }
  records.now += 2;
  const begun = await attempts.begin({ login: "alice", address: ADDRESS });
  expect(waitOf(await attempts.begin({ login: "bob", address: ADDRESS }))).toBe(4);
  await settled(begun, "succeeded");
  expect(waitOf(await attempts.begin({ login: "bob", address: ADDRESS }))).toBe(0);
});

test("a success that comes late leaves the wait that the failures of others would have begun without it", async () => {
  const { records, attempts } = arranged();
  const begun = await attempts.begin({ login: "alice", address: ADDRESS });
  for (let at = 0; at < 29; at++) await fail(attempts, { login: `user-${at}`, address: ADDRESS });
  records.now += 1;
  await fail(attempts, { login: "another", address: ADDRESS });
  expect(waitOf(await attempts.begin({ login: "bob", address: ADDRESS }))).toBe(2);
  await settled(begun, "succeeded");
  expect(waitOf(await attempts.begin({ login: "bob", address: ADDRESS }))).toBe(1);
});

test("addresses of one /64, and one IPv4 address in several writings, are counted together", async () => {
  const { attempts } = arranged();
  for (let at = 0; at < 30; at++) {
    await fail(attempts, { login: `six-${at}`, address: `2001:db8:0:1::${at.toString(16)}` });
    await fail(attempts, { login: `four-${at}`, address: at % 2 === 0 ? ADDRESS : `::ffff:${ADDRESS}` });
  }
  for (const address of ["2001:db8:0:1:ffff::", `[::ffff:${ADDRESS}]:443`])
    expect((await attempts.begin({ login: "bob", address })).admitted).toBe(false);
  expect((await attempts.begin({ login: "bob", address: "2001:db8:0:2::" })).admitted).toBe(true);
});

test("without an address that is one, only the login is counted", async () => {
  const { attempts, kept } = arranged();
  for (const address of [undefined, "", "unknown", "A".repeat(1024 * 1024)])
    await fail(attempts, { login: "alice", address });
  expect(await kept()).toMatchObject([{ failures: 4 }]);
});

test("a login that nobody has is counted like any other: the same calls and the same records", async () => {
  const traceOf = async (login: string) => {
    const { records, attempts, kept } = arranged();
    const verdicts = [];
    for (let at = 0; at < 8; at++) verdicts.push(waitOf(await attempts.begin({ login, address: ADDRESS })));
    records.now += 1;
    verdicts.push(waitOf(await attempts.begin({ login, address: ADDRESS })));
    const shapes = (await kept()).map((record) => JSON.stringify(record)).sort();
    const calls = records.calls.map((call) => call.slice(0, call.indexOf(" ")));
    return { verdicts, shapes, calls, sizes: (await records.names()).map((name) => name.length) };
  };
  expect(await traceOf("alice")).toEqual(await traceOf("somebody.who.is.not.there@example.com"));
});

test("an attempt reads its buckets at once and writes each once; a refused one writes nothing", async () => {
  const { records, attempts } = arranged();
  const verbsOf = async (attempt: Attempt, outcome?: "succeeded") => {
    records.calls.length = 0;
    const verdict = await attempts.begin(attempt);
    if (outcome !== undefined) await settled(verdict, outcome);
    return records.calls.map((call) => call.slice(0, call.indexOf(" ")));
  };
  const stranger: Attempt = { login: "alice", address: ADDRESS };
  expect(await verbsOf(stranger)).toEqual(["get", "get", "claim", "claim"]);
  expect(await verbsOf(stranger)).toEqual(["get", "get", "replace", "replace"]);
  expect(await verbsOf({ ...stranger, browser: "nonce" })).toEqual(["get", "claim"]);
  // The address gets its place back without being read again.
  expect(await verbsOf(stranger, "succeeded")).toEqual(["get", "get", "replace", "replace", "delete", "replace"]);
  await fail(attempts, stranger, 5);
  expect(await verbsOf(stranger)).toEqual(["get", "get"]);
  const full = "192.0.2.2";
  for (let at = 0; at < 30; at++) await fail(attempts, { login: `user-${at}`, address: full });
  expect(await verbsOf({ login: "bob", address: full })).toEqual(["get", "get"]);
});

test("of several waits, who is refused is told the longest", async () => {
  const { records, attempts } = arranged();
  await waits(records, attempts, { login: "alice" }, 8);
  for (let at = 0; at < 30; at++) await fail(attempts, { login: `user-${at}`, address: ADDRESS });
  expect(waitOf(await attempts.begin({ login: "alice", address: ADDRESS }))).toBe(8);
  expect(waitOf(await attempts.begin({ login: "bob", address: ADDRESS }))).toBe(1);
});

test("both buckets are asked for before either has answered", async () => {
  const { records, attempts } = arranged();
  let asked = 0;
  let release = (): void => undefined;
  const both = new Promise<void>((resolve) => {
    release = resolve;
  });
  records.before = (call) => {
    if (!call.startsWith("get ")) return undefined;
    asked += 1;
    if (asked === 2) release();
    return both;
  };
  expect((await attempts.begin({ login: "alice", address: ADDRESS })).admitted).toBe(true);
});

test("neither names nor addresses nor browsers can be read at rest, in keys or values", async () => {
  const { records, attempts } = arranged();
  await fail(attempts, { login: "alice@example.com", browser: "the-browser", address: ADDRESS }, 11);
  await fail(attempts, { login: "alice@example.com", address: "2001:db8::1" });
  await attempts.limit("mail", "alice@example.com", { most: 3, per: HOUR });
  const dump = await records.dump();
  for (const secret of ["alice", "example.com", "the-browser", "192.0", "2001:db8", "failures", "mail", "login"])
    expect(dump).not.toContain(secret);
  for (const name of await records.names()) expect(name).toMatch(/^accounts-attempts:[\w-]{43}$/);
});

test("whoever does not hold the key can't look for a name at rest", async () => {
  const { records, instance } = arranged();
  await fail(instance(keysOf("one")), { login: "alice" });
  await fail(instance(keysOf("another")), { login: "alice" });
  expect(new Set(await records.names()).size).toBe(2);
});

test("records go away by themselves, and never before they are forgotten", async () => {
  const { records, attempts, kept } = arranged();
  await fail(attempts, { login: "alice", address: ADDRESS });
  records.now += 899;
  expect(await kept()).toHaveLength(2);
  records.now += 1;
  expect(await kept()).toHaveLength(1);
  records.now += HOUR - 901;
  expect(await kept()).toHaveLength(1);
  records.now += 1;
  expect(await kept()).toHaveLength(0);
});

test("what is to be forgotten does not wait for a storage that still has it", async () => {
  const records = new Records();
  const lasting = new Collection<AttemptRecord>({
    storage: new MemoryTokenStorage({ now: () => 0 }),
    prefix: "accounts-attempts",
    ring: new KeyRing([keyOf("seal")]),
  });
  const attempts = new Attempts({ collection: lasting, keys: keysOf("attempts"), runtime: records.runtime });
  await fail(attempts, { login: "alice" }, 4);
  await attempts.limit("mail", "alice", { most: 1, per: HOUR });
  records.now += HOUR;
  expect(await attempts.limit("mail", "alice", { most: 1, per: HOUR })).toEqual({ admitted: true });
  await fail(attempts, { login: "alice" }, 5);
});

test("a clock that is set back makes no limit last longer than it says", async () => {
  const { records, attempts } = arranged();
  const mail = () => attempts.limit("mail", "alice", { most: 1, per: HOUR });
  await mail();
  records.now -= 365 * 24 * HOUR;
  expect(await mail()).toEqual({ admitted: false, retryAfter: HOUR });
  records.now += HOUR;
  expect(await mail()).toEqual({ admitted: true });
});

test("a clock that is set back makes nobody wait for longer than a quarter of an hour", async () => {
  const { records, attempts } = arranged();
  await waits(records, attempts, { login: "alice" }, 17);
  records.now -= 365 * 24 * HOUR;
  expect(waitOf(await attempts.begin({ login: "alice" }))).toBe(900);
  records.now += 899;
  expect(waitOf(await attempts.begin({ login: "alice" }))).toBe(1);
  records.now += 1;
  expect(waitOf(await attempts.begin({ login: "alice" }))).toBe(0);
});

test("a clock that is set back gives nobody new guesses", async () => {
  const { records, attempts } = arranged();
  await fail(attempts, { login: "alice" }, 4);
  records.now -= 2;
  await fail(attempts, { login: "alice" });
  expect(waitOf(await attempts.begin({ login: "alice" }))).toBe(1);
  records.now -= 365 * 24 * HOUR;
  expect(waitOf(await attempts.begin({ login: "alice" }))).toBe(1);
});

test("of a limit so many are admitted, and the next when the first of them is forgotten", async () => {
  const { records, attempts } = arranged();
  const mail = () => attempts.limit("mail", "alice", { most: 3, per: HOUR });
  for (const gap of [0, 100, 200]) {
    records.now += gap;
    expect(await mail()).toEqual({ admitted: true });
  }
  expect(await mail()).toEqual({ admitted: false, retryAfter: HOUR - 300 });
  records.now += HOUR - 301;
  expect(await mail()).toEqual({ admitted: false, retryAfter: 1 });
  records.now += 1;
  expect(await mail()).toEqual({ admitted: true });
});

test("limits of different kinds and keys are counted apart, and apart from attempts", async () => {
  const { attempts } = arranged();
  const once = { most: 1, per: HOUR };
  for (const [kind, key] of [
    ["mail", "alice"],
    ["mail", "bob"],
    ["sign-up", "alice"],
    ["login", "alice"],
  ] as const)
    expect((await attempts.limit(kind, key, once)).admitted).toBe(true);
  expect((await attempts.limit("mail", "alice", once)).admitted).toBe(false);
  await fail(attempts, { login: "alice" }, 5);
});

test("of 64 mails at once as many go out as the limit says", async () => {
  const { instance } = arranged();
  const verdicts = await Promise.all(
    Array.from({ length: 64 }, () => instance().limit("mail", ADDRESS, { most: 10, per: HOUR })),
  );
  expect(verdicts.filter(({ admitted }) => admitted)).toHaveLength(10);
});

test("what has no key is not limited", async () => {
  const { records, attempts } = arranged();
  for (let at = 0; at < 3; at++)
    expect(await attempts.limit("mail", undefined, { most: 1, per: HOUR })).toEqual({ admitted: true });
  expect(records.calls).toEqual([]);
});

test("where the storage can't be reached, nobody is told to go on", async () => {
  for (let call = 1; call <= 4; call++) {
    const { records, attempts } = arranged();
    records.breakAt(call, "is gone");
    await expect(attempts.begin({ login: "alice", address: ADDRESS })).rejects.toThrow("can not be reached");
  }
});

test("an answer that was lost leaves the attempt counted once", async () => {
  const { records, attempts, kept } = arranged();
  await fail(attempts, { login: "alice" });
  records.breakAt(2, "fails after the deed");
  expect((await attempts.begin({ login: "alice" })).admitted).toBe(true);
  expect(await kept()).toMatchObject([{ failures: 2 }]);
});

test("where others win every race, an attempt is refused and not let in uncounted", async () => {
  const records = new Records();
  const storage = new MemoryTokenStorage({ now: () => records.now });
  const hot = new Collection<AttemptRecord>({
    storage: Object.assign(storage, { replace: () => Promise.resolve(false) }),
    prefix: "accounts-attempts",
    ring: new KeyRing([keyOf("seal")]),
  });
  const attempts = new Attempts({ collection: hot, keys: keysOf("attempts"), runtime: records.runtime });
  await fail(attempts, { login: "alice" });
  expect(await attempts.begin({ login: "alice" })).toEqual({ admitted: false, retryAfter: 1 });
});

test("a record that nobody can read any more is not in the way for long, and admits nobody at once", async () => {
  const { records, instance } = arranged();
  await fail(instance(keysOf("attempts"), keysOf("lost")), { login: "alice" }, 2);
  const attempts = instance();
  const verdicts = await Promise.all(Array.from({ length: 16 }, () => attempts.begin({ login: "alice" })));
  expect(verdicts.map(waitOf)).toEqual(Array.from({ length: 16 }, () => 1));
  records.now += 1;
  await settled(await attempts.begin({ login: "alice" }), "failed");
  expect(waitOf(await attempts.begin({ login: "alice" }))).toBe(2);
});

test("however attempts come, no wait is longer than a quarter of an hour and no more are admitted than the waits allow", async () => {
  const steps = fc.array(fc.record({ pause: fc.integer({ min: -30, max: 1200 }), succeeds: fc.nat(19) }), {
    minLength: 20,
    maxLength: 80,
  });
  await fc.assert(
    fc.asyncProperty(steps, async (sequence) => {
      const { records, attempts } = arranged();
      let failures = 0;
      let last = records.now;
      let until = 0;
      for (const { pause, succeeds } of sequence) {
        // A clock that is set back by a little is a process beside another: its reach is tried on its own above.
        records.now = Math.max(last, records.now + pause);
        if (records.now >= last + HOUR) failures = 0;
        const verdict = await attempts.begin({ login: "alice" });
        expect(verdict.admitted).toBe(records.now >= until || failures === 0);
        expect(waitOf(verdict)).toBe(verdict.admitted ? 0 : until - records.now);
        expect(waitOf(verdict)).toBeLessThanOrEqual(900);
        if (!verdict.admitted) continue;
        failures += 1;
        last = records.now;
        until = failures < 5 ? records.now : records.now + Math.min(900, 2 ** (failures - 5));
        await settled(verdict, succeeds === 0 ? "succeeded" : "failed");
        if (succeeds === 0) failures = 0;
      }
    }),
    { numRuns: 100 },
  );
});

test("whoever guesses all day at one login has about three hundred guesses, however they rest", async () => {
  for (let burst = 1; burst <= 24; burst++) {
    const { records, attempts } = arranged();
    const end = records.now + 24 * HOUR;
    let guesses = 0;
    while (records.now < end) {
      const verdict = await attempts.begin({ login: "alice" });
      if (verdict.admitted) guesses += 1;
      records.now += verdict.admitted && guesses % burst === 0 ? HOUR : waitOf(verdict);
    }
    expect(guesses).toBeLessThan(310);
  }
});

test("an attempt that nobody looked at gives its places back, and no more than those", async () => {
  const { attempts } = arranged();
  await fail(attempts, { login: "alice", address: ADDRESS }, 4);
  for (let times = 0; times < 10; times += 1) {
    const verdict = await attempts.begin({ login: "alice", address: ADDRESS });
    if (!verdict.admitted) throw new Error("the attempt was refused");
    await verdict.settle("untried");
    // Only the first word counts.
    await verdict.settle("succeeded");
  }
  await fail(attempts, { login: "alice", address: ADDRESS });
  expect(waitOf(await attempts.begin({ login: "alice", address: ADDRESS }))).toBe(1);
});
