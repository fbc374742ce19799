/** What it costs to sign in, beside the hash of the password. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hash, verify } from "@node-rs/argon2";
import { MemoryTokenStorage, type TokenStorage } from "@sallyport/oauth-core";
import { DiskStore } from "@sallyport/storage-disk";
import { accountsServer, PASSWORD } from "./accounts-server.ts";
import { Visitor } from "./accounts-visitor.ts";
import { benchGuardAmongSignIns } from "./guard-among-sign-ins.ts";
import type { Result } from "./report.ts";
import { type Contender, type Measured, ratios, takeTurns } from "./rounds.ts";

const BASE_URL = "https://mcp.example.com";
/** OWASP's least for Argon2id, which is what accounts hash with. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1, outputLen: 32 };
/** Of one turn. */
const SIGN_INS = 16;
/** Turns before the first one that counts: a server runs for longer than it takes to compile it, and only after some five hundred sign-ins do they cost no less from turn to turn. */
const WARM_UP = 32;

/** Measures sign-ins, and what others notice of them. */
export async function benchAccounts(rounds: number): Promise<readonly Result[]> {
  const directory = await mkdtemp(join(tmpdir(), "sallyport-bench-"));
  const disk = new DiskStore({ directory });
  try {
    const inMemory = await signIns("in memory", new MemoryTokenStorage(), rounds, 1.1);
    // On disk a sign-in is four durable writes one after the other, and how long these take is the disk's affair.
    const onDisk = await signIns("on disk", disk, rounds, undefined);
    return [...inMemory, ...onDisk, ...(await benchGuardAmongSignIns(rounds))];
  } finally {
    await disk.close();
    await rm(directory, { recursive: true });
  }
}

/** The sign-in page's form, by the processor and by the clock on the wall, and the way from the client's link to the token. */
async function signIns(
  where: string,
  storage: TokenStorage,
  rounds: number,
  target: number | undefined,
): Promise<readonly Result[]> {
  const auth = await accountsServer(BASE_URL, storage);
  const visitor = new Visitor({ baseUrl: BASE_URL, fetch: (request) => auth.fetch(request) }, 1);
  const { url, ...post } = await visitor.signInPost();
  const stored = await hash(PASSWORD, COST);
  const hashing = async () => {
    if (!(await verify(stored, PASSWORD))) throw new Error("the password is another one");
  };
  // Made before a turn, as they are what a framework hands over; what that takes, the adapters' part of the bench says.
  const requests: Request[] = [];
  const arrive = () => {
    while (requests.length < SIGN_INS) requests.push(new Request(url, { ...post, method: "POST" }));
  };
  const posting = async () => {
    const request = requests.pop();
    if (request === undefined) throw new Error("there was no request");
    const { status } = await auth.fetch(request);
    if (status !== 303) throw new Error(`nobody was signed in: ${status}`);
  };
  for (let turn = 0; turn < WARM_UP; turn += 1) {
    arrive();
    await repeated(SIGN_INS, posting);
  }
  const [hashUsed, postUsed, hashTook, postTook, flowTook] = await takeTurns(
    [
      contender("hash", hashing, { clock: processorTime }),
      contender("form", posting, { clock: processorTime, prepare: arrive }),
      contender("hash", hashing),
      contender("form", posting, { prepare: arrive }),
      contender("link to token", () => visitor.signIn(), { clock: () => visitor.waited }),
    ],
    rounds,
  );
  const over = (measured: Measured | undefined, bare: Measured | undefined): readonly number[] => {
    if (measured === undefined || bare === undefined) throw new Error("nothing was measured");
    return ratios(measured, bare);
  };
  return [
    {
      what: `sign-in page's form ${where}, over the hash: processor`,
      values: over(postUsed, hashUsed),
      unit: "×",
      target,
    },
    { what: `sign-in page's form ${where}, over the hash: time`, values: over(postTook, hashTook), unit: "×" },
    { what: `sign-in from link to token ${where}, over the hash: time`, values: over(flowTook, hashTook), unit: "×" },
  ];
}

function contender(
  name: string,
  work: () => Promise<unknown>,
  options: Pick<Contender, "clock" | "prepare"> = {},
): Contender {
  return { name, run: () => repeated(SIGN_INS, work), ...options };
}

async function repeated(times: number, work: () => Promise<unknown>): Promise<void> {
  for (let count = 0; count < times; count += 1) await work();
}

/** Milliseconds of all threads of this process: whatever else the machine is doing counts for nobody. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
