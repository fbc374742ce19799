import { EncryptedTokenStorage, type TokenStorage } from "@sallyport/oauth-core";
import { describe, expect, test } from "vitest";
import { defectiveSealings } from "../test/defective-sealings.ts";
import { sound, subjectOf, type World } from "../test/world.ts";
import { ContractViolation } from "./clause.ts";
import { sealedStorageContract } from "./sealed-storage-contract.ts";
import type { SealedStorageSubject } from "./storage-subject.ts";

const sealedOver = (open: (world: World) => TokenStorage): SealedStorageSubject => ({
  ...subjectOf(open),
  EncryptedTokenStorage,
});

/** Without what a storage need not have. */
function bare(world: World): TokenStorage {
  const { get, save, delete: remove, cleanup, claim, replace } = sound(world);
  return { get, save, delete: remove, cleanup, claim, replace };
}

describe.each<[string, SealedStorageSubject]>([
  ["memory", sealedOver(({ backend }) => backend)],
  ["a remote storage with every optional verb", sealedOver(sound)],
  ["a remote storage with none of them", sealedOver(bare)],
])("sealed over %s", (_, subject) => {
  for (const clause of sealedStorageContract) test(clause.sentence, () => clause.check(subject));
});

describe("sealing that is broken breaks the clause that names its defect", () => {
  test.each(defectiveSealings)("%s: %s", async (id, _, Sealing) => {
    const clause = sealedStorageContract.find((candidate) => candidate.id === id);
    const seen = await clause?.check({ ...sealedOver(sound), EncryptedTokenStorage: Sealing }).then(
      () => "kept",
      (error: unknown) => error,
    );
    expect(seen).toBeInstanceOf(ContractViolation);
    expect(seen).toMatchObject({ clause: id });
    expect(seen).not.toHaveProperty("cause");
  });

  test("every clause has one that breaks it", () => {
    const named = new Set(defectiveSealings.map(([id]) => id));
    expect(sealedStorageContract.filter(({ id }) => !named.has(id)).map(({ id }) => id)).toEqual([]);
  });
});

test("a storage that decides no races is none to seal over", async () => {
  const plain = sealedOver(({ backend }) => ({
    get: (key) => backend.get(key),
    save: (key, value, ttl) => backend.save(key, value, ttl),
    delete: (key) => backend.delete(key),
    cleanup: () => backend.cleanup(),
  }));
  for (const clause of sealedStorageContract.filter(({ needs }) => needs === undefined)) {
    await expect(clause.check(plain)).rejects.toThrow("a storage without claim and replace");
  }
});
