/** The public surface of `@sallyport/contracts`. */
export { type CheckOptions, type ClauseResult, checkStorage } from "./check-storage.ts";
export { type Clause, ContractViolation } from "./clause.ts";
export { storageContract } from "./storage-contract.ts";
export type { StorageSubject } from "./storage-subject.ts";
