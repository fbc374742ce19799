/** The proof by torture: two processes of the example server on one storage, and 200 people who work while everything around them is killed. */
import { type Random, startStandInUpstream, type TortureRun, torture } from "@sallyport/contracts/torture";
import { until } from "@sallyport/test-servers";
import { expect, onTestFinished } from "vitest";
import { readable } from "./readable.ts";
import { Replica } from "./replica.ts";
import type { StorageOnTrial, StorageServer } from "./storage-on-trial.ts";

/** What the proof shows; the title of its tests. */
export const PROVEN = "nobody who did nothing wrong is logged out, no code pays twice, and nothing is readable at rest";

/** Decides everything that is left to chance; a title that has it tells which run failed. */
export const newSeed = (): number => Math.floor(Math.random() * 2 ** 32);

const USERS = 200;
const PROCESSES = 2;

/** What shows that people get on with their work, and how much of it is done before the next process is killed. */
const STEPS = "access tokens tried";
const STEPS_BETWEEN = 30;

type Disturbance = (random: Random, run: TortureRun) => Promise<void>;

const SERVERS_KILLED = "server processes killed";
const STORAGE_KILLED = "storage servers killed";
const STORAGE_PAUSED = "storage servers paused";

/** Tortures the servers over a storage that was set up for this, and holds what came of it to the promises. Prints the figures. */
export async function proveByTorture(name: string, seed: number, storage: StorageOnTrial): Promise<void> {
  const upstream = await startStandInUpstream();
  onTestFinished(() => upstream.close());
  const replicas = await Replica.several(PROCESSES, {
    STORAGE: storage.setting,
    UPSTREAM_AUTHORIZATION_ENDPOINT: upstream.authorizationEndpoint,
    UPSTREAM_TOKEN_ENDPOINT: upstream.tokenEndpoint,
    UPSTREAM_USERINFO_ENDPOINT: upstream.userinfoEndpoint,
    UPSTREAM_CLIENT_ID: "torture",
    UPSTREAM_CLIENT_SECRET: "a secret of the upstream that is long enough",
    UPSTREAM_SCOPES: "read",
  });
  const endAll = async (): Promise<void> => {
    await Promise.all(replicas.map((replica) => replica.kill()));
  };
  onTestFinished(endAll);
  await Promise.all(replicas.map((replica) => replica.start()));

  const [killProcess, outages] = disturbances(replicas, storage.server);
  // Of every outage two: each costs everybody its seconds.
  const next = [...outages, ...outages].flatMap((outage) => [killProcess, outage]);
  const disturb: Disturbance = (random, run) => (next.shift() ?? killProcess)(random, run);
  const [{ origin: issuer } = { origin: "" }] = replicas;
  const origins = replicas.map(({ origin }) => origin);
  const { figures, secrets } = await torture({ issuer, origins, seed, users: USERS, rounds: 2, disturb });
  console.log([`Torture over ${name}, seed ${seed}:`, ...figures.lines()].join("\n"));

  expect(figures.failures).toEqual([]);
  expect(figures.count("users signed in")).toBe(USERS);
  const happened = [SERVERS_KILLED, ...(storage.server === undefined ? [] : [STORAGE_KILLED, STORAGE_PAUSED])];
  expect(happened.filter((what) => figures.count(what) === 0)).toEqual([]);

  await endAll();
  const dump = await storage.dump();
  // Each has a grant, and each grant its tokens.
  expect(dump.length).toBeGreaterThan(USERS * 500);
  const people = Array.from({ length: USERS }, (_, index) => `user-${index}@example.com`);
  expect(readable(dump, [...secrets, ...upstream.secrets, ...people])).toEqual([]);
}

/** What is done to the processes over and over, and what to the storage's server. */
function disturbances(
  replicas: readonly Replica[],
  server: StorageServer | undefined,
): readonly [killProcess: Disturbance, outages: readonly Disturbance[]] {
  const killProcess: Disturbance = async (random, run) => {
    const tried = run.figures.count(STEPS);
    await until("people get on", () => run.figures.count(STEPS) >= tried + STEPS_BETWEEN || run.done);
    await random.one(replicas).killAndStart();
    run.figures.add(SERVERS_KILLED);
  };
  if (server === undefined) return [killProcess, []];

  /** Until a client has noticed; where nobody asks for anything any more, nobody will. */
  const whilePutOff = async (run: TortureRun): Promise<void> => {
    const { putOff } = run;
    await until("a client is told to come back later", () => run.putOff > putOff || run.done);
  };
  const pauseStorage: Disturbance = async (_random, run) => {
    server.pause();
    try {
      await whilePutOff(run);
    } finally {
      server.resume();
    }
    run.figures.add(STORAGE_PAUSED);
  };
  const killStorage: Disturbance = async (_random, run) => {
    await server.kill();
    await whilePutOff(run);
    await server.start();
    run.figures.add(STORAGE_KILLED);
  };
  const killBoth: Disturbance = async (random, { figures }) => {
    const replica = random.one(replicas);
    await Promise.all([server.kill(), replica.kill()]);
    await server.start();
    await replica.start();
    figures.add(SERVERS_KILLED);
    figures.add(STORAGE_KILLED);
  };
  return [killProcess, [pauseStorage, killStorage, killBoth]];
}
