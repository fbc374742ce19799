/** User stores to hold the contract against: a world with users that can be cut off, and clients of it. */

import type { Login, User, UserStore } from "@sallyport/accounts";
import type { UserStoreSubject } from "../src/users.ts";

/** What the stores of one subject share. Everything that is decided is decided in one turn. */
export class UserWorld {
  reachable = true;
  readonly users = new Map<string, User>();

  /** A trip to the backend: everybody else gets a turn meanwhile, and it fails where the backend is unreachable. */
  async trip(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (!this.reachable) throw new Error("connection refused");
  }

  of(login: Login): User | undefined {
    return [...this.users.values()].find((user) =>
      "username" in login ? user.username === login.username : user.email === login.email,
    );
  }

  /** Whether somebody else has one of the names. */
  isTaken({ id, username, email }: User): boolean {
    const owners = [
      username === undefined ? undefined : this.of({ username }),
      email === undefined ? undefined : this.of({ email }),
    ];
    return owners.some((owner) => owner !== undefined && owner.id !== id);
  }

  create(user: User): "created" | "taken" {
    if (this.users.has(user.id) || this.isTaken(user)) return "taken";
    this.users.set(user.id, copy({ ...user, version: 0 }));
    return "created";
  }

  update(user: User): "updated" | "stale" | "taken" {
    if (this.users.get(user.id)?.version !== user.version) return "stale";
    if (this.isTaken(user)) return "taken";
    this.users.set(user.id, copy({ ...user, version: user.version + 1 }));
    return "updated";
  }
}

export function userSubject(open: (world: UserWorld) => UserStore, world = new UserWorld()): UserStoreSubject {
  return {
    open: async () => open(world),
    fail: async () => {
      world.reachable = false;
      return async () => {
        world.reachable = true;
      };
    },
  };
}

/** A client of the world's users that keeps the contract. */
export function soundUsers(world: UserWorld): UserStore {
  const behind = async <Answer>(ask: () => Answer): Promise<Answer> => {
    await world.trip();
    return ask();
  };
  return {
    find: (id) => behind(() => copy(world.users.get(id))),
    findByLogin: (login) => behind(() => copy(world.of(login))),
    create: (user) => behind(() => world.create(user)),
    update: (user) => behind(() => world.update(user)),
    list: ({ cursor = "", limit = 100 } = {}) =>
      behind(() => {
        const rest = [...world.users.values()]
          .filter(({ id }) => id > cursor)
          .sort((left, right) => (left.id < right.id ? -1 : 1));
        const users = rest.slice(0, limit).map(copy);
        const last = users.at(-1);
        return users.length < rest.length && last !== undefined ? { users, cursor: last.id } : { users };
      }),
  };
}

/** A sound store with one verb, or a few, gone wrong. */
export function usersBut(
  spoil: (store: UserStore, world: UserWorld) => Partial<UserStore>,
): (world: UserWorld) => UserStore {
  return (world) => {
    const store = soundUsers(world);
    return { ...store, ...spoil(store, world) };
  };
}

/** As it comes back from a backend. */
export function copy<Value>(value: Value): Value {
  return value === undefined ? value : structuredClone(value);
}
