/** The adapter contract: what the binding of an HTTP framework owes to the server and to the app around it, as checks. */

import type { AdapterSubject } from "./adapters/adapter-subject.ts";
import { addresses } from "./adapters/addresses.ts";
import { answers } from "./adapters/answers.ts";
import { bodies } from "./adapters/bodies.ts";
import { failures } from "./adapters/failures.ts";
import { guarding } from "./adapters/guarding.ts";
import { isolation } from "./adapters/isolation.ts";
import { passing } from "./adapters/passing.ts";
import { paths } from "./adapters/paths.ts";
import type { Clause } from "./clause.ts";

export type {
  AdapterApp,
  AdapterServer,
  AdapterSubject,
  AppAnswer,
  AppRequest,
  AppRoute,
  MountedServer,
} from "./adapters/adapter-subject.ts";
export { type JourneyOptions, type JourneySurroundings, journey, journeyThrough } from "./adapters/journey.ts";
export { type Clause, ContractViolation } from "./clause.ts";
export { type ClauseUnderWaiver, underWaivers, type Waivers } from "./waivers.ts";

/**
 * What an adapter has to keep so that the server behaves in its framework as it does everywhere. Run each clause as one test:
 *
 * ```ts
 * for (const clause of adapterContract) test(clause.sentence, () => clause.check(subject));
 * ```
 *
 * Each clause starts servers of its own; several may run at once.
 */
export const adapterContract: readonly Clause<AdapterSubject>[] = [
  ...paths,
  ...addresses,
  ...bodies,
  ...answers,
  ...passing,
  ...guarding,
  ...failures,
  ...isolation,
];
