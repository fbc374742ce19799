/** Where a clause about user stores is played: instances, people that nobody else has, and words for what was seen. */

import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { Login, User, UserStore } from "@sallyport/accounts";
import { type Clause, ContractViolation } from "../clause.ts";
import type { UserStoreSubject } from "./subject.ts";

/** A clause as it is written in this folder. */
export interface UserClause {
  readonly id: string;
  readonly sentence: string;
  readonly needs?: "fail";
  play(stage: UserStage): Promise<void>;
}

/** Makes a clause that anybody can check out of one that is played on a stage. Nothing here may be waived: who signs in as whom hangs from all of it. */
export function clause({ play, ...facts }: UserClause): Clause<UserStoreSubject> {
  return {
    ...facts,
    waivable: false,
    async check(subject) {
      if (facts.needs === "fail" && subject.fail === undefined) return;
      try {
        await play(new UserStage(subject, facts));
      } catch (error) {
        if (error instanceof ContractViolation) throw error;
        throw new ContractViolation(facts, `an error that nothing here calls for: ${String(error)}`, { cause: error });
      }
    },
  };
}

/** One performance of one clause. */
export class UserStage {
  readonly #subject: UserStoreSubject;
  readonly #clause: Pick<Clause, "id" | "sentence">;

  constructor(subject: UserStoreSubject, facts: Pick<Clause, "id" | "sentence">) {
    this.#subject = subject;
    this.#clause = facts;
  }

  /** Another instance over the subject's backend. */
  open(): Promise<UserStore> {
    return this.#subject.open();
  }

  /** Two of them, which stand for two processes. */
  async pair(): Promise<readonly [UserStore, UserStore]> {
    return [await this.open(), await this.open()];
  }

  /** Makes the backend unreachable; answers with what heals it. */
  async fail(): Promise<() => Promise<void>> {
    return this.#subject.fail === undefined ? this.violated("a subject that can not fail") : this.#subject.fail();
  }

  /** A word that no other performance uses, fit for an id, a username and the local part of an address. */
  word(): string {
    return randomUUID();
  }

  /** Somebody new, with a username. */
  person(change: Partial<User> = {}): User {
    const word = this.word();
    return {
      id: `id-${word}`,
      username: `user-${word}`,
      emailVerified: false,
      roles: [],
      claims: {},
      disabled: false,
      epoch: 0,
      createdAt: 1_800_000_000,
      version: 0,
      ...change,
    };
  }

  /** Somebody new, whom the store has already. */
  async stored(store: UserStore, change: Partial<User> = {}): Promise<User> {
    const person = this.person(change);
    await this.told(store.create(person), "created", "create of somebody new");
    return person;
  }

  /** Ends the performance: the clause is broken. */
  violated(seen: string): never {
    throw new ContractViolation(this.#clause, seen);
  }

  /** Holds that a verb that decides was told `expected`. */
  async told(verdict: Promise<string>, expected: string, who: string): Promise<void> {
    const seen: unknown = await verdict;
    if (seen !== expected) this.violated(`${who} was told ${shown(seen)} instead of ${expected}`);
  }

  /** Holds that a user was read as they are expected to be; `when` completes the sentence "find, …, answered …". */
  same(seen: User | undefined, expected: User, when: string): void {
    if (seen === undefined || !sameAsJson(seen, expected))
      this.violated(`find, ${when}, answered ${shown(seen)} instead of ${shown(expected)}`);
  }

  /** Holds that somebody is found by id and by everything that they sign in with, as they are expected to be. */
  async present(store: UserStore, expected: User, when: string): Promise<void> {
    this.same(await store.find(expected.id), expected, `by id, ${when}`);
    for (const login of loginsOf(expected))
      this.same(await store.findByLogin(login), expected, `by ${kindOf(login)}, ${when}`);
  }

  /** Holds that nobody is found by a login. */
  async nobody(store: UserStore, login: Login, when: string): Promise<void> {
    const seen: unknown = await store.findByLogin(login);
    if (seen !== undefined)
      this.violated(`find by ${kindOf(login)}, ${when}, answered ${shown(seen)} instead of undefined`);
  }

  /** Holds that nobody is found by an id. */
  async unknown(store: UserStore, id: string, when: string): Promise<void> {
    const seen: unknown = await store.find(id);
    if (seen !== undefined) this.violated(`find by id, ${when}, answered ${shown(seen)} instead of undefined`);
  }
}

/** Everything that somebody signs in with. */
export function loginsOf({ username, email }: User): readonly Login[] {
  return [...(username === undefined ? [] : [{ username }]), ...(email === undefined ? [] : [{ email }])];
}

function kindOf(login: Login): string {
  return "username" in login ? "username" : "address";
}

/** As JSON, in which a member that is `undefined` is none. */
function sameAsJson(seen: unknown, expected: unknown): boolean {
  return isDeepStrictEqual(JSON.parse(JSON.stringify(seen)), JSON.parse(JSON.stringify(expected)));
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 300 ? `${text.slice(0, 300)}… (${text.length} characters)` : text;
}
