/** The contract of sealed storage: what the core's encryption promises, over the storage that it is put on. */

import type { Clause } from "./clause.ts";
import { sealed } from "./storage/sealed.ts";
import type { SealedStorageSubject } from "./storage-subject.ts";

/**
 * What has to hold for records that are sealed at rest, while their keys are rotated too. For a storage that keeps `storageContract`:
 *
 * ```ts
 * for (const clause of sealedStorageContract) test(clause.sentence, () => clause.check({ ...subject, EncryptedTokenStorage }));
 * ```
 *
 * A storage that hands back anything but the very text that it was given, or compares by more or less than that, breaks it.
 */
export const sealedStorageContract: readonly Clause<SealedStorageSubject>[] = sealed;
