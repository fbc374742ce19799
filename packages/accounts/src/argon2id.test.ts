import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { argon2idOnThreads } from "./argon2id.ts";

/** What was done with the real threads. */
const seen = vi.hoisted(() => ({ started: 0, sent: [] as unknown[] }));
vi.mock(import("node:worker_threads"), async (original) => {
  const real = await original();
  class Watched extends real.Worker {
    constructor(...parameters: ConstructorParameters<typeof real.Worker>) {
      super(...parameters);
      seen.started += 1;
    }
    override postMessage(message: unknown): void {
      seen.sent.push(message);
      super.postMessage(message);
    }
  }
  return { ...real, Worker: Watched };
});

beforeEach(() => {
  seen.started = 0;
  seen.sent = [];
});

const PASSWORD = new TextEncoder().encode("password");
const SALT = new TextEncoder().encode("somesalt");
const COST = { memoryCost: 256, timeCost: 2, parallelism: 1, outputLen: 32 };
const compute = (changed: Partial<typeof COST> = {}) =>
  argon2idOnThreads(PASSWORD, { ...COST, ...changed, salt: SALT });
/** From the tests of the reference implementation, phc-winner-argon2, src/test.c. */
const EXPECTED = "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4=";

describe("hashing on threads", () => {
  test("starts as many as are needed at once, and none after that", async () => {
    const hashes = await Promise.all([compute(), compute(), compute()]);
    expect(hashes.map((hash) => Buffer.from(hash).toString("base64"))).toEqual([EXPECTED, EXPECTED, EXPECTED]);
    expect(seen.started).toBe(3);
    for (let count = 0; count < 5; count += 1) await Promise.all([compute(), compute(), compute()]);
    expect(seen.started).toBe(3);
  });

  test("rejects with what the library says, and the next hash is computed", async () => {
    await expect(compute({ timeCost: 0 })).rejects.toThrow(/time|iteration|t_cost/i);
    expect(Buffer.from(await compute()).toString("base64")).toBe(EXPECTED);
  });

  test("sends the password and the salt, and no byte that lies beside them", async () => {
    const memory = new Uint8Array(4096).fill(7);
    memory.set(PASSWORD, 100);
    memory.set(SALT, 300);
    const password = memory.subarray(100, 100 + PASSWORD.length);
    const salt = memory.subarray(300, 300 + SALT.length);
    const hash = await argon2idOnThreads(password, { ...COST, salt });
    expect(Buffer.from(hash).toString("base64")).toBe(EXPECTED);
    expect(seen.sent).toEqual([[PASSWORD, { ...COST, salt: SALT, algorithm: 2, version: 1 }]]);
    const views = seen.sent.flat().flatMap((part) => (part instanceof Uint8Array ? [part] : Object.values(part ?? {})));
    const memories = views.flatMap((view) => (view instanceof Uint8Array ? [view.buffer.byteLength] : []));
    expect(memories).toEqual([PASSWORD.length, SALT.length]);
  });

  test("keeps a process until the hash is there, and not a moment longer", async () => {
    const program = `
      const { argon2idOnThreads } = await import(${JSON.stringify(new URL("argon2id.ts", import.meta.url).href)});
      const [password, salt] = ["password", "somesalt"].map((text) => new TextEncoder().encode(text));
      const compute = () => argon2idOnThreads(password, { ...${JSON.stringify(COST)}, salt });
      compute().then(compute).then((hash) => console.log(Buffer.from(hash).toString("base64")));
    `;
    // Where an idle thread kept the process, the test would end by its own limit.
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program]);
    expect(stdout.trim()).toBe(EXPECTED);
  });
});
