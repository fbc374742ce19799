import * as crypto from "node:crypto";
import { verify as nativeVerify } from "@node-rs/argon2";
import { ConfigurationError, OAuthProxyError } from "@sallyport/oauth-core/accounts";
import fc from "fast-check";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import type { Argon2Cost, Argon2id } from "./argon2id.ts";
import { PasswordHashing, type PasswordHashingOptions } from "./password-hashing.ts";

/** What the machine says of itself; `undefined`: the truth. */
const machine = vi.hoisted((): { processors?: number } => ({}));
vi.mock(import("node:os"), async (original) => {
  const real = await original();
  return { ...real, availableParallelism: () => machine.processors ?? real.availableParallelism() };
});
afterEach(() => {
  delete machine.processors;
});

/** Printed, so that a run can be had again. */
const seed = Number(process.env["FUZZ_SEED"] ?? crypto.randomInt(2 ** 31));
afterAll(() => console.log(`password-hashing: FUZZ_SEED=${seed}`));

const runtime = { randomBytes: (size: number): Uint8Array => crypto.randomBytes(size) };
const LEAST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Stands for Argon2id where what counts is how often it is asked, and for how much: a digest of everything that goes into it. */
class CountedArgon2id {
  readonly calls: Argon2Cost[] = [];

  readonly compute: Argon2id = async (password, { salt, outputLen, ...cost }) => {
    this.calls.push(cost);
    const { memoryCost, timeCost, parallelism } = cost;
    const parts = [password, salt, Buffer.from(`${memoryCost} ${timeCost} ${parallelism}`)];
    const hash = crypto.createHash("shake256", { outputLength: outputLen });
    return parts.reduce((partial, part) => partial.update(part).update("|"), hash).digest();
  };

  /** What the calls so far cost together, in passes over a KiB; then begins to count anew. */
  spent(): number {
    return this.calls.splice(0).reduce((sum, { memoryCost, timeCost }) => sum + memoryCost * timeCost, 0);
  }
}

/** What a hash asks for is today's, or something else. */
async function counted(options: PasswordHashingOptions = {}) {
  const argon2id = new CountedArgon2id();
  const hashing = new PasswordHashing(runtime, options, argon2id.compute);
  const made = async (cost: PasswordHashingOptions) =>
    new PasswordHashing(runtime, cost, new CountedArgon2id().compute).hash("the right password");
  return { argon2id, hashing, made };
}

describe("with Argon2id itself", () => {
  test("a hash matches the password that it was made of, and no other", async () => {
    const hashing = new PasswordHashing(runtime);
    const hash = await hashing.hash("correct horse 한글 😀");

    expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(await hashing.verify(hash, "correct horse 한글 😀")).toEqual({ matches: true, outdated: false });
    expect(await hashing.verify(hash, "correct horse 한글 😁")).toEqual({ matches: false, outdated: false });
    expect(await hashing.verify(undefined, "correct horse 한글 😀")).toEqual({ matches: false, outdated: false });
  });

  test("two hashes of one password have nothing in common but their parameters", async () => {
    const hashing = new PasswordHashing(runtime);
    const [first, second] = await Promise.all([hashing.hash("the same"), hashing.hash("the same")]);
    const [left = [], right = []] = [first, second].map((hash) => hash.split("$").slice(4));
    expect(left).toHaveLength(2);
    expect(left[0]).not.toBe(right[0]);
    expect(left[1]).not.toBe(right[1]);
  });

  test("other software verifies a hash of ours", async () => {
    const hash = await new PasswordHashing(runtime, { memoryCost: 20_000, timeCost: 3, parallelism: 2 }).hash(
      "pässword",
    );
    expect(await nativeVerify(hash, "pässword")).toBe(true);
    expect(await nativeVerify(hash, "password")).toBe(false);
  });

  // The test vectors of the reference implementation, phc-winner-argon2, src/test.c.
  test.each([
    ["password", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"],
    ["password", "$argon2id$v=19$m=262144,t=2,p=1$c29tZXNhbHQ$eP4eyR+zqlZX1y5xCFTkw9m5GYx0L5YWwvCFvtlbLow"],
    ["password", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"],
    ["password", "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc"],
    ["password", "$argon2id$v=19$m=65536,t=1,p=1$c29tZXNhbHQ$9qWtwbpyPd3vm1rB1GThgPzZ3/ydHL92zKL+15XZypg"],
    ["password", "$argon2id$v=19$m=65536,t=4,p=1$c29tZXNhbHQ$kCXUjmjvc5XMqQedpMTsOv+zyJEf5PhtGiUghW9jFyw"],
    ["differentpassword", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$C4TWUs9rDEvq7w3+J4umqA32aWKB1+DSiRuBfYxFj94"],
    ["password", "$argon2id$v=19$m=65536,t=2,p=1$ZGlmZnNhbHQ$vfMrBczELrFdWP0ZsfhWsRPaHppYdP3MVEMIVlqoFBw"],
  ])("the reference implementation's hash of %j is known: %s", async (password, hash) => {
    const hashing = new PasswordHashing(runtime);
    expect(await hashing.verify(hash, password)).toEqual({ matches: true, outdated: true });
    expect(await hashing.verify(hash, `${password}.`)).toEqual({ matches: false, outdated: false });
  });

  const argon2Sync: unknown = Reflect.get(crypto, "argon2Sync");
  test.runIf(typeof argon2Sync === "function")("OpenSSL computes the same hash, whatever the password", async () => {
    if (typeof argon2Sync !== "function") return expect.fail("the test runs without what it is about");
    const hashing = new PasswordHashing(runtime);
    const password = fc.string({ unit: "binary", maxLength: 64 }).filter((text) => text.isWellFormed());
    await fc.assert(
      fc.asyncProperty(password, async (message) => {
        const [salt = "", hash = ""] = (await hashing.hash(message)).split("$").slice(4);
        const nonce = Buffer.from(salt, "base64");
        const expected: unknown = argon2Sync("argon2id", {
          ...{ message, nonce, parallelism: 1, tagLength: 32, memory: 19_456, passes: 2 },
        });
        expect(Buffer.from(hash, "base64")).toEqual(expected);
      }),
      { seed, numRuns: 20 },
    );
  });

  test("timers go on while passwords are hashed", async () => {
    const hashing = new PasswordHashing(runtime);
    // The first one loads the native module, which takes turns of its own.
    await hashing.hash("the right password");
    let isDone = false;
    let turns = 0;
    const hashed = hashing.hash("the right password").finally(() => {
      isDone = true;
    });
    while (!isDone) {
      turns++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    await hashed;
    expect(turns).toBeGreaterThan(5);
  });
});

describe("a comparison that fails costs what a wrong password costs", () => {
  const today = { memoryCost: 32_768, timeCost: 3, parallelism: 2 };
  const whole = today.memoryCost * today.timeCost;

  test("for nobody, and for a person", async () => {
    const { argon2id, hashing, made } = await counted(today);
    const hash = await made(today);

    expect(await hashing.verify(hash, "a wrong password")).toEqual({ matches: false, outdated: false });
    expect(argon2id.calls).toEqual([today]);
    expect(argon2id.spent()).toBe(whole);

    expect(await hashing.verify(undefined, "a wrong password")).toEqual({ matches: false, outdated: false });
    expect(argon2id.calls).toEqual([today]);
    expect(argon2id.spent()).toBe(whole);

    expect(await hashing.verify(hash, "the right password")).toEqual({ matches: true, outdated: false });
    expect(argon2id.spent()).toBe(whole);
  });

  test("and nobody has a password, not even where what stands in for theirs would match", async () => {
    const fixed = { randomBytes: (size: number) => new Uint8Array(size).fill(1) };
    const hashing = new PasswordHashing(fixed, {}, async (_, { outputLen }) => new Uint8Array(outputLen).fill(1));
    expect(await hashing.verify(undefined, "any password")).toEqual({ matches: false, outdated: false });
  });

  test.each([
    ["nothing", ""],
    ["text", "the right password"],
    ["bcrypt", "$2b$12$abcdefghijklmnopqrstuuOaQ1vDMJ0dWSHMvWpLmkC.dPNbkuOxq"],
    ["Argon2i", "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA"],
    ["Argon2d", "$argon2d$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA"],
    ["the old version", "$argon2id$v=16$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"],
    ["no version", "$argon2id$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"],
    ["no hash", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ"],
    ["a short hash", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO0"],
    ["a short salt", "$argon2id$v=19$m=65536,t=2,p=1$c2FsdA$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"],
    ["padding", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ=$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc="],
    ["bits beside the bytes", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHR$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"],
    ["base64url", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRP_c"],
    [
      "an unknown parameter",
      "$argon2id$v=19$m=65536,t=2,p=1,data=AA$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    ],
    ["no passes", "$argon2id$v=19$m=65536,t=0,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"],
    [
      "passes for years",
      "$argon2id$v=19$m=65536,t=4294967295,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    ],
    [
      "all of the memory",
      "$argon2id$v=19$m=4294967295,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    ],
    ["too little memory", "$argon2id$v=19$m=8,t=2,p=2$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"],
    ["a leading zero", "$argon2id$v=19$m=065536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"],
    ["a line break", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc\n"],
    ["more text than a hash has", `$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$${"A".repeat(65_536)}`],
  ])("for a stored hash that is %s", async (_, hash) => {
    const { argon2id, hashing } = await counted(today);
    expect(await hashing.verify(hash, "the right password")).toEqual({ matches: false, outdated: false });
    expect(argon2id.calls).toEqual([today]);
  });

  test("for a hash of lesser parameters, to a thousandth", async () => {
    const { argon2id, hashing, made } = await counted(today);
    for (const cost of [{}, { timeCost: 3 }, { memoryCost: 32_768 }, { memoryCost: 32_767, timeCost: 3 }]) {
      const hash = await made(cost);
      expect(await hashing.verify(hash, "a wrong password")).toEqual({ matches: false, outdated: false });
      const ratio = argon2id.spent() / whole;
      expect(ratio).toBeGreaterThan(0.999);
      expect(ratio).toBeLessThan(1.001);
    }
  });
});

describe("a hash that matches is outdated", () => {
  const today = { memoryCost: 32_768, timeCost: 3, parallelism: 2 };

  test.each([
    ["with less memory", { ...today, memoryCost: 32_767 }, true],
    ["with fewer passes", { ...today, timeCost: 2 }, true],
    ["with fewer lanes", { ...today, parallelism: 1 }, true],
    ["with less of one and more of another", { memoryCost: 65_536, timeCost: 2, parallelism: 2 }, true],
    ["not with the same", today, false],
    ["not with more", { memoryCost: 65_536, timeCost: 4, parallelism: 4 }, false],
  ])("%s", async (_, cost, outdated) => {
    const { argon2id, hashing, made } = await counted(today);
    const hash = await made(cost);
    expect(await hashing.verify(hash, "the right password")).toEqual({ matches: true, outdated });
    expect(argon2id.calls).toEqual([cost]);
  });

  test.each([
    ["with a shorter salt", 15, 32],
    ["with a shorter hash", 16, 31],
  ])("%s", async (_, saltBytes, hashBytes) => {
    const { argon2id, hashing } = await counted();
    const salt = crypto.randomBytes(saltBytes);
    const password = new TextEncoder().encode("the right password");
    const hash = await argon2id.compute(password, { ...LEAST, salt, outputLen: hashBytes });
    const unpadded = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64").replaceAll("=", "");
    const stored = `$argon2id$v=19$m=19456,t=2,p=1$${unpadded(salt)}$${unpadded(hash)}`;
    expect(await hashing.verify(stored, "the right password")).toEqual({ matches: true, outdated: true });
  });
});

describe("hashes wait for their turn", () => {
  /** An Argon2id that goes on when it is told to. */
  function held() {
    const running: (() => void)[] = [];
    const compute: Argon2id = async (_, { outputLen }) => {
      await new Promise<void>((resolve) => running.push(resolve));
      return new Uint8Array(outputLen);
    };
    /** Lets one end after the other, until there is none. */
    const finish = async () => {
      while (running.length > 0) {
        running.shift()?.();
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    return { running, compute, finish };
  }
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  const busy = expect.objectContaining({ reason: "busy", code: "temporarily_unavailable" });

  test("as many as are allowed are computed at once, as many may wait, and the next is told to come back", async () => {
    const { running, compute, finish } = held();
    const hashing = new PasswordHashing(runtime, { concurrency: 2, queue: 3 }, compute);
    const admitted = [
      hashing.hash("a password"),
      hashing.verify(undefined, "a password"),
      hashing.hash("a password"),
      hashing.verify("nonsense", "a password"),
      hashing.hash("a password"),
    ];
    await expect(hashing.hash("a password")).rejects.toEqual(busy);
    await expect(hashing.verify(undefined, "a password")).rejects.toBeInstanceOf(OAuthProxyError);
    await settled();
    expect(running).toHaveLength(2);

    await finish();
    expect(await Promise.all(admitted)).toHaveLength(5);
    const later = hashing.hash("a password");
    await settled();
    await finish();
    expect(await later).toMatch(/^\$argon2id\$/);
  });

  test("without a queue whoever finds nobody before them is still served", async () => {
    const { compute, finish } = held();
    const hashing = new PasswordHashing(runtime, { concurrency: 1, queue: 0 }, compute);
    const first = hashing.hash("a password");
    await expect(hashing.hash("a password")).rejects.toEqual(busy);
    await settled();
    await finish();
    await first;
  });

  test.each([
    [1, 1],
    [2, 1],
    [4, 3],
    [5, 4],
    [64, 4],
  ])(
    "without options, of %i processors one is left to the event loop: %i at once, and 256 wait",
    async (processors, most) => {
      machine.processors = processors;
      const { running, compute, finish } = held();
      const hashing = new PasswordHashing(runtime, {}, compute);
      const outcomes = Promise.allSettled(Array.from({ length: 300 }, () => hashing.hash("a password")));
      await settled();
      expect(running).toHaveLength(most);
      await finish();
      const refused = (await outcomes).filter((outcome) => outcome.status === "rejected");
      expect(refused).toHaveLength(300 - 256 - most);
    },
  );

  test("one that fails leaves its place to the next, and is no answer about a password", async () => {
    let calls = 0;
    const failing: Argon2id = async (_, { outputLen }) => {
      calls++;
      if (calls === 1) throw new Error("out of memory");
      return new Uint8Array(outputLen);
    };
    const hashing = new PasswordHashing(runtime, { concurrency: 1, queue: 1 }, failing);
    const outcomes = await Promise.allSettled([hashing.verify(undefined, "a password"), hashing.hash("a password")]);
    expect(outcomes).toEqual([
      { status: "rejected", reason: new Error("out of memory") },
      { status: "fulfilled", value: expect.stringMatching(/^\$argon2id\$/) },
    ]);
  });
});

describe("construction", () => {
  test("OWASP's least parameters are the default", async () => {
    const { argon2id, hashing } = await counted();
    await hashing.hash("a password");
    expect(argon2id.calls).toEqual([LEAST]);
  });

  test.each([
    ["memoryCost", 19_455],
    ["memoryCost", 1_048_577],
    ["memoryCost", 19_456.5],
    ["memoryCost", Number.NaN],
    ["timeCost", 1],
    ["timeCost", 65],
    ["parallelism", 0],
    ["parallelism", 65],
    ["concurrency", 0],
    ["concurrency", Number.POSITIVE_INFINITY],
    ["queue", -1],
    ["queue", 1.5],
  ])("%s of %d is refused", (option, value) => {
    const refused = expect.objectContaining({ option: `passwordHashing.${option}` });
    expect(() => new PasswordHashing(runtime, { [option]: value })).toThrow(ConfigurationError);
    expect(() => new PasswordHashing(runtime, { [option]: value })).toThrow(refused);
  });

  test("the most that is allowed can be verified as well", async () => {
    const most = { memoryCost: 1_048_576, timeCost: 64, parallelism: 64 };
    const { hashing } = await counted(most);
    const hash = await hashing.hash("the right password");
    expect(await hashing.verify(hash, "the right password")).toEqual({ matches: true, outdated: false });
  });

  test("salts come from the given source of randomness", async () => {
    const fixed = { randomBytes: (size: number) => new Uint8Array(size).fill(1) };
    const hashing = new PasswordHashing(fixed, {}, new CountedArgon2id().compute);
    expect(await hashing.hash("a password")).toContain("$AQEBAQEBAQEBAQEBAQEBAQ$");
  });
});
