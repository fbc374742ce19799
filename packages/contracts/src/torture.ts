/** Torture: what a storage and a server have to stand, as a library. Races, replays, lost responses and kills against running servers. */

import { Figures } from "./torture/figures.ts";
import { Random } from "./torture/random.ts";
import { PUT_OFF, Replicas } from "./torture/replicas.ts";
import { User } from "./torture/user.ts";

export { Figures } from "./torture/figures.ts";
export { Random } from "./torture/random.ts";
export {
  type StandInUpstream,
  type StandInUpstreamOptions,
  startStandInUpstream,
} from "./torture/stand-in-upstream.ts";

/** What is tortured, and how hard. */
export interface TortureOptions {
  /** The issuer that all processes share; its `/mcp` is the protected resource. Its upstream has to be a {@link startStandInUpstream}. */
  readonly issuer: string;
  /** The origins at which the processes listen. */
  readonly origins: readonly string[];
  /** Decides everything that is left to chance. Print it. */
  readonly seed: number;
  /** People, each with a client of their own. Default: 200. */
  readonly users?: number | undefined;
  /** How often each of them refreshes, in bursts. Default: 5. */
  readonly rounds?: number | undefined;
  /** The most simultaneous refreshes of one token. Default: 8. */
  readonly burst?: number | undefined;
  /** How many race for each code. Default: 4. */
  readonly racers?: number | undefined;
  /** Does something terrible between the steps, such as killing a process and starting it again. Called over and over while users are at work. */
  readonly disturb?: ((random: Random, run: TortureRun) => Promise<void>) | undefined;
  /** Users whose code is redeemed a second time at the end, after the window in which that counts as a retry. Default: 5. */
  readonly replays?: number | undefined;
  /** Passes the seconds after which a second redemption is a replay. Default: waits for them. */
  readonly passRetryWindow?: (() => Promise<void>) | undefined;
}

/** What a disturbance can see of the users. */
export interface TortureRun {
  /** What has happened so far. Disturbances may count themselves here. */
  readonly figures: Figures;
  /** How often clients were told to try again later. */
  readonly putOff: number;
  /** Whether everybody has done their work, so that nobody asks for anything. */
  readonly done: boolean;
}

/** What came of it. */
export interface TortureReport {
  readonly figures: Figures;
  /** Everything that was given to clients: none of it may be found at rest. */
  readonly secrets: ReadonlySet<string>;
}

/** How many users are at work at once. */
const AT_ONCE = 16;
/** Milliseconds after which a client asks again. */
const RETRY_AFTER = 20;
/** Milliseconds after which a second redemption of a code is a replay: ten seconds, and one for the rounding of expiry. */
const RETRY_WINDOW = 11_500;

/**
 * Lets many users sign in and refresh against servers that are disturbed meanwhile, and finds out whether anybody was wronged:
 * `report.figures.failures` is empty where nobody was.
 */
export async function torture(options: TortureOptions): Promise<TortureReport> {
  const { issuer, origins, seed, users = 200, rounds = 5, burst = 8, racers = 4, replays = 5 } = options;
  const random = new Random(seed);
  const figures = new Figures();
  const secrets = new Set<string>();
  const replicas = new Replicas({ origins, issuer, random, figures, pause: () => after(RETRY_AFTER) });
  const remember = (secret: string) => secrets.add(secret);
  const crowd = Array.from(
    { length: users },
    (_, index) => new User(`user-${index}`, { issuer, replicas, random, figures, remember }),
  );

  const work = inTurns(crowd, async (user) => {
    await user.signIn(racers);
    figures.add("users signed in");
    for (let round = 0; round < rounds; round += 1) {
      await user.refresh(random.between(1, burst));
      if (random.chance(0.2)) await user.suffer(random.one(crowd.filter((other) => other !== user)));
    }
  });
  await disturbWhile(work, options, random, figures);

  const [unlucky, innocent] = [crowd.slice(0, replays), crowd.slice(replays)];
  if (unlucky.length > 0) await (options.passRetryWindow ?? (() => after(RETRY_WINDOW)))();
  await inTurns(unlucky, (user) => user.replay());
  await inTurns(innocent, async (user) => {
    if (!(await user.isSignedIn())) figures.fail("innocent users logged out", user.name);
  });
  return { figures, secrets };
}

async function disturbWhile(
  work: Promise<void>,
  { disturb }: TortureOptions,
  random: Random,
  figures: Figures,
): Promise<void> {
  let done = false;
  const finished = work.finally(() => {
    done = true;
  });
  // Its failure is told by the `await` below; until then somebody has to hold it.
  finished.catch(() => undefined);
  const run: TortureRun = {
    figures,
    get putOff() {
      return figures.count(PUT_OFF);
    },
    get done() {
      return done;
    },
  };
  while (!done && disturb !== undefined) {
    await disturb(random, run);
    figures.add("disturbances");
  }
  await finished;
}

async function inTurns(users: readonly User[], act: (user: User) => Promise<void>): Promise<void> {
  const waiting = [...users];
  const worker = async (): Promise<void> => {
    for (let user = waiting.shift(); user !== undefined; user = waiting.shift()) await act(user);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

function after(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
