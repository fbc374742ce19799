/** Where a clause about storages is played: instances that are closed afterwards, keys of its own, and words for what was seen. */

import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { AtomicTokenStorage, TokenStorage } from "@sallyport/oauth-core";
import { type Clause, ContractViolation } from "../clause.ts";
import type { StorageSubject } from "../storage-subject.ts";

/** An hour: a lifetime that no clause outlives by accident. */
export const LONG = 3600;

/** What a clause may need beyond the verbs that every storage has. */
export type Optional = "take" | "list" | "close" | "fail";

/** A clause as it is written in this folder. */
export interface StorageClause<Subject extends StorageSubject = StorageSubject> {
  readonly id: string;
  readonly sentence: string;
  /** Default true. */
  readonly waivable?: boolean;
  readonly needs?: Optional;
  play(stage: Stage<Subject>): Promise<void>;
}

/** Makes a clause that anybody can check out of one that is played on a stage. */
export function clause<Subject extends StorageSubject = StorageSubject>({
  play,
  waivable = true,
  ...facts
}: StorageClause<Subject>): Clause<Subject> {
  return {
    ...facts,
    waivable,
    async check(subject) {
      const stage = new Stage(subject, facts);
      try {
        if (facts.needs === undefined || (await stage.has(facts.needs))) await play(stage);
      } catch (error) {
        if (error instanceof ContractViolation) throw error;
        throw new ContractViolation(facts, `an error that nothing here calls for: ${String(error)}`, { cause: error });
      } finally {
        await stage.strike();
      }
    },
  };
}

/** One performance of one clause. */
export class Stage<Subject extends StorageSubject = StorageSubject> {
  readonly subject: Subject;
  readonly #clause: Pick<Clause, "id" | "sentence">;
  readonly #space = randomUUID();
  readonly #opened: TokenStorage[] = [];

  constructor(subject: Subject, facts: Pick<Clause, "id" | "sentence">) {
    this.subject = subject;
    this.#clause = facts;
  }

  /** A key that no other performance uses. */
  key(name: string): string {
    return `${this.#clause.id}:${this.#space}:${name}`;
  }

  /** Another instance over the subject's backend. */
  async open(): Promise<TokenStorage> {
    const storage = await this.subject.open();
    this.#opened.push(storage);
    return storage;
  }

  /** Another instance, which has to have the atomic verbs. */
  async openAtomic(): Promise<AtomicTokenStorage> {
    const storage = await this.open();
    return isAtomic(storage) ? storage : this.violated("a storage without claim and replace");
  }

  async advance(seconds: number): Promise<void> {
    await this.subject.advance(seconds);
  }

  /** Makes the backend unreachable; answers with what heals it. */
  async fail(): Promise<() => Promise<void>> {
    return this.subject.fail === undefined ? this.violated("a subject that can not fail") : this.subject.fail();
  }

  /** Whether the subject has an optional part. */
  async has(part: Optional): Promise<boolean> {
    return part === "fail" ? this.subject.fail !== undefined : (await this.open())[part] !== undefined;
  }

  /** Ends the performance: the clause is broken. */
  violated(seen: string): never {
    throw new ContractViolation(this.#clause, seen);
  }

  /** Holds that `key` has `expected`; `when` completes the sentence "get answered …". */
  async present(storage: TokenStorage, key: string, expected: unknown, when: string): Promise<void> {
    this.same(await storage.get(key), expected, `get, ${when},`);
  }

  /** Holds that nothing live is under `key`. */
  async absent(storage: TokenStorage, key: string, when: string): Promise<void> {
    const seen = await storage.get(key);
    if (isPresent(seen)) this.violated(`get, ${when}, answered ${shown(seen)} instead of nothing`);
  }

  /** Holds that two values are the same as JSON. */
  same(seen: unknown, expected: unknown, who: string): void {
    if (!sameAsJson(seen, expected)) {
      this.violated(`${who} answered ${isPresent(seen) ? shown(seen) : "nothing"} instead of ${shown(expected)}`);
    }
  }

  /** Holds that a verb that decides was told `expected`; anything but a boolean is no decision. */
  async decided(verdict: Promise<boolean>, expected: boolean, who: string): Promise<void> {
    const seen: unknown = await verdict;
    if (seen !== expected) this.violated(`${who} was told ${shown(seen)} instead of ${expected}`);
  }

  /** Closes what was opened. What closing does is the subject of a clause of its own, so it is not judged here. */
  async strike(): Promise<void> {
    await Promise.allSettled(this.#opened.map(async (storage) => storage.close?.()));
  }
}

/** Whether there is a value: a storage may answer `undefined` or `null` for none. */
export function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function isAtomic(storage: TokenStorage): storage is AtomicTokenStorage {
  return storage.claim !== undefined && storage.replace !== undefined;
}

function sameAsJson(seen: unknown, expected: unknown): boolean {
  return isPresent(seen) && isDeepStrictEqual(JSON.parse(JSON.stringify(seen)), JSON.parse(JSON.stringify(expected)));
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 120 ? `${text.slice(0, 120)}… (${text.length} characters)` : text;
}
