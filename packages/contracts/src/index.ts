/** The public surface of `@sallyport/contracts`. */
export { type CheckOptions, type ClauseResult, checkStorage } from "./check-storage.ts";
export { type Clause, ContractViolation } from "./clause.ts";
export { sealedStorageContract } from "./sealed-storage-contract.ts";
export { storageContract } from "./storage-contract.ts";
export type { SealedStorageSubject, StorageSubject } from "./storage-subject.ts";
export { type ClauseUnderWaiver, underWaivers, type Waivers } from "./waivers.ts";
