/** What every storage has to prove with real servers and real processes; a storage's tests say how a store is opened. For Vitest. */
export { everythingIsThere, killedWhileWriting } from "./storage/confirmations.ts";
export {
  clausesAboutFailure,
  everyClause,
  everySealedClause,
  type Fault,
  type Stores,
} from "./storage/contract-trial.ts";
export { everyKey } from "./storage/every-key.ts";
export { everyVerbWorks } from "./storage/every-verb.ts";
export { race } from "./storage/race.ts";
export { refusesWhatNoStorageTakes } from "./storage/refusals.ts";
export { startedFor } from "./storage/started-for.ts";
export { noAnswerIsALie } from "./storage/workload.ts";
