/** Broken user stores: each with the clause that names its defect. */

import type { Login, User, UserStore } from "@sallyport/accounts";
import { perWorld } from "./per-world.ts";
import { copy, soundUsers, type UserWorld, usersBut } from "./user-world.ts";

/** A defect: the clause that names it, its description, and the store that has it. */
export type UserDefect = readonly [clause: string, defect: string, open: (world: UserWorld) => UserStore];

/** A store that keeps users otherwise than it was told to. */
const keeping = (change: (user: User) => User) =>
  usersBut((store) => ({
    create: (user) => store.create(change(user)),
    update: (user) => store.update(change(user)),
  }));

/** A store that takes what is almost equal for equal. */
const comparing = (fold: (text: string) => string) =>
  usersBut((store, world) => {
    const owner = ({ username, email }: User): User | undefined =>
      [...world.users.values()].find(
        (user) =>
          (username !== undefined && fold(user.username ?? "") === fold(username)) ||
          (email !== undefined && fold(user.email ?? "") === fold(email)),
      );
    return { create: async (user) => (owner(user) === undefined ? store.create(user) : "taken") };
  });

/** Looks whether names are free, and then stores: between the two, everybody else has looked as well. */
const lookingFirst = (isTaken: (world: UserWorld, user: User) => boolean) =>
  usersBut((_, world) => ({
    create: async (user) => {
      await world.trip();
      if (isTaken(world, user)) return "taken";
      await world.trip();
      world.users.set(user.id, copy({ ...user, version: 0 }));
      return "created";
    },
  }));

/** One lock for all calls of one instance, as a process has it that knows nothing of the others. */
function lockedPerInstance(world: UserWorld): UserStore {
  let last: Promise<unknown> = Promise.resolve();
  const store = soundUsers(world);
  return {
    ...store,
    update: (user) => {
      const result = last.then(async () => {
        const before = await store.find(user.id);
        if (before?.version !== user.version) return "stale" as const;
        await world.trip();
        world.users.set(user.id, copy({ ...user, version: user.version + 1 }));
        return "updated" as const;
      });
      last = result.catch(() => undefined);
      return result;
    },
  };
}

const text = (login: Login): string => JSON.stringify(login);
const owns = (user: User, { username, email }: User): boolean =>
  (username !== undefined && user.username === username) || (email !== undefined && user.email === email);
const seenOf = perWorld(() => new Map<string, User | undefined>());
const heldOf = perWorld(() => new Map<string, string>());
const indexOf = perWorld(() => new Map<string, string>());
const agedOf = perWorld(() => ({ walks: 0 }));

/** An index of its own beside the users, which is written by those who come and never cleared by those who go. */
const indexed = (renames: boolean) =>
  usersBut((store, world) => {
    const index = indexOf(world);
    const record = (user: User): void => {
      if (user.username !== undefined) index.set(text({ username: user.username }), user.id);
      if (user.email !== undefined) index.set(text({ email: user.email }), user.id);
    };
    return {
      create: async (user) => {
        const outcome = await store.create(user);
        if (outcome === "created") record(user);
        return outcome;
      },
      update: async (user) => {
        const outcome = await store.update(user);
        if (outcome === "updated" && renames) record(user);
        return outcome;
      },
      findByLogin: async (login) => {
        const id = index.get(text(login));
        return id === undefined ? store.findByLogin(login).then(() => undefined) : store.find(id);
      },
    };
  });

/** Claims names one by one, and forgets to let go of those that it had when another one turned out to be taken. */
const claimingOneByOne = (lets: { readonly goOnRefusal: boolean }) =>
  usersBut((store, world) => {
    const held = heldOf(world);
    return {
      create: async (user) => {
        const names = [user.username, user.email].filter((name) => name !== undefined);
        const mine: string[] = [];
        for (const name of names) {
          await world.trip();
          if (held.has(name)) {
            if (lets.goOnRefusal) for (const one of mine) held.delete(one);
            return "taken";
          }
          held.set(name, user.id);
          mine.push(name);
        }
        const outcome = await store.create(user);
        if (outcome === "taken" && lets.goOnRefusal) for (const one of mine) held.delete(one);
        return outcome;
      },
    };
  });

export const userDefects: readonly UserDefect[] = [
  // Values
  [
    "user-round-trip",
    "what is optional comes back as null",
    usersBut((store) => ({ find: async (id) => withNulls(await store.find(id)) })),
  ],
  [
    "user-round-trip",
    "roles are kept as one text with commas",
    keeping((user) => ({ ...user, roles: user.roles.join(",").split(",") })),
  ],
  [
    "user-round-trip",
    "claims lose what is nested",
    keeping((user) => ({
      ...user,
      claims: JSON.parse(JSON.stringify(user.claims, (key, value) => (key === "nested" ? {} : value))),
    })),
  ],
  [
    "user-round-trip",
    "names lose what is not Latin",
    keeping(({ name, ...user }) => ({
      ...user,
      ...(name !== undefined && { name: name.replaceAll(/[^ -\u00ff]/g, "?") }),
    })),
  ],
  [
    "user-round-trip",
    "numbers of 32 bits for seconds",
    keeping((user) => ({ ...user, createdAt: user.createdAt | 0 })),
  ],
  [
    "user-round-trip",
    "the version that was given is kept",
    usersBut((store, world) => ({
      create: async (user) => {
        const outcome = await store.create(user);
        if (outcome === "created") world.users.set(user.id, copy(user));
        return outcome;
      },
    })),
  ],
  [
    "user-round-trip",
    "who has no username is not found",
    usersBut((store) => ({
      find: async (id) => {
        const user = await store.find(id);
        return user?.username === undefined ? undefined : user;
      },
    })),
  ],
  [
    "user-absence",
    "nobody is null",
    usersBut((store) => ({ find: async (id) => (await store.find(id)) ?? JSON.parse("null") })),
  ],
  [
    "user-absence",
    "nobody is an error",
    usersBut((store) => ({
      findByLogin: async (login) => {
        const user = await store.findByLogin(login);
        if (user === undefined) throw new Error("no rows");
        return user;
      },
    })),
  ],
  [
    "user-absence",
    "usernames and addresses are one",
    usersBut((store, world) => ({
      findByLogin: async (login) => {
        const name = "username" in login ? login.username : login.email;
        return (await store.findByLogin(login)) ?? copy(world.of({ username: name }) ?? world.of({ email: name }));
      },
    })),
  ],
  [
    "user-absence",
    "users are members of an object",
    usersBut((store) => ({ find: async (id) => (await store.find(id)) ?? Reflect.get({}, id) })),
  ],
  ["user-exact", "names are compared without case", comparing((text) => text.toLowerCase())],
  ["user-exact", "names are compared without trailing spaces", comparing((text) => text.replaceAll(/ +(?=@|$)/g, ""))],
  [
    "user-exact",
    "names are compared without accents",
    comparing((text) => text.normalize("NFD").replaceAll(/\p{M}/gu, "")),
  ],
  ["user-exact", "names are compared after normalisation", comparing((text) => text.normalize("NFKC"))],
  [
    "user-exact",
    "names are compared as patterns",
    usersBut((store, world) => ({
      findByLogin: async (login) => {
        await store.findByLogin(login);
        const [kind, name] =
          "username" in login ? (["username", login.username] as const) : (["email", login.email] as const);
        const pattern = new RegExp(
          `^${name
            .replaceAll(/[.*+?^${"$"}{}()|[\]\\]/g, "\\$&")
            .replaceAll("%", ".*")
            .replaceAll("_", ".")}$`,
        );
        return copy([...world.users.values()].find((user) => pattern.test(user[kind] ?? "")));
      },
    })),
  ],
  [
    "user-exact",
    "ids are compared without case",
    usersBut((store, world) => ({
      create: async (user) =>
        [...world.users.keys()].some((id) => id.toLowerCase() === user.id.toLowerCase()) ? "taken" : store.create(user),
    })),
  ],
  [
    "user-isolation",
    "the object that was written is kept",
    usersBut((store, world) => ({
      create: async (user) => {
        const outcome = await store.create(user);
        if (outcome === "created") world.users.set(user.id, user);
        return outcome;
      },
    })),
  ],
  [
    "user-isolation",
    "the object that is kept is handed out",
    usersBut((store, world) => ({
      find: async (id) => {
        await store.find(id);
        return world.users.get(id);
      },
    })),
  ],
  [
    "user-everywhere",
    "each instance remembers whom it has read",
    usersBut((store) => {
      const read = new Map<string, User>();
      return {
        find: async (id) => {
          const user = read.get(id) ?? (await store.find(id));
          if (user !== undefined) read.set(id, user);
          return user;
        },
      };
    }),
  ],
  [
    "user-everywhere",
    "each instance remembers whom it has not found",
    usersBut((store) => {
      const missed = new Set<string>();
      return {
        findByLogin: async (login) => {
          const user = missed.has(text(login)) ? undefined : await store.findByLogin(login);
          if (user === undefined) missed.add(text(login));
          return user;
        },
      };
    }),
  ],
  // Create
  [
    "create-taken",
    "create writes over who has the id",
    usersBut((store, world) => ({
      create: async (user) => {
        if (world.users.has(user.id)) world.users.set(user.id, copy(user));
        return store.create(user);
      },
    })),
  ],
  [
    "create-taken",
    "addresses may be two people's",
    lookingFirst(
      (world, user) =>
        world.users.has(user.id) ||
        [...world.users.values()].some(({ username }) => username !== undefined && username === user.username),
    ),
  ],
  [
    "create-taken",
    "who is there already is told created again",
    usersBut((store, world) => ({
      create: async (user) =>
        JSON.stringify(world.users.get(user.id)) === JSON.stringify(user) ? "created" : store.create(user),
    })),
  ],
  [
    "create-taken",
    "what is taken is an error",
    usersBut((store) => ({
      create: async (user) => {
        const outcome = await store.create(user);
        if (outcome === "taken") throw new Error("23505");
        return outcome;
      },
    })),
  ],
  [
    "create-refused-keeps-nothing",
    "names that were claimed before one was refused stay claimed",
    claimingOneByOne({ goOnRefusal: false }),
  ],
  [
    "create-one-winner-username",
    "usernames are looked up, and written then",
    lookingFirst((world, user) => world.users.has(user.id) || world.isTaken(user)),
  ],
  [
    "create-one-winner-email",
    "only usernames are unique in the database, and addresses are looked up before",
    usersBut((store, world) => ({
      create: async (user) => {
        if (user.email !== undefined && world.of({ email: user.email }) !== undefined) return "taken";
        await world.trip();
        if (user.username !== undefined && world.of({ username: user.username }) !== undefined) return "taken";
        if (world.users.has(user.id)) return "taken";
        world.users.set(user.id, copy({ ...user, version: 0 }));
        return store.find(user.id).then(() => "created" as const);
      },
    })),
  ],
  [
    "create-one-winner-id",
    "ids are taken for random, and nobody looks",
    usersBut((_, world) => ({
      create: async (user) => {
        await world.trip();
        if (world.isTaken(user)) return "taken";
        world.users.set(user.id, copy({ ...user, version: 0 }));
        return "created";
      },
    })),
  ],
  [
    "create-one-winner-id",
    "each instance has a lock of its own",
    (world) => {
      let last: Promise<unknown> = Promise.resolve();
      const store = lookingFirst(
        (all, user) => all.users.has(user.id) || [...all.users.values()].some((one) => owns(one, user)),
      )(world);
      return {
        ...store,
        create: (user) => {
          const result = last.then(() => store.create(user));
          last = result.catch(() => undefined);
          return result;
        },
      };
    },
  ],
  [
    "create-refused-blocks-nobody",
    "a name that somebody is about to have is told taken at once",
    claimingOneByOne({ goOnRefusal: true }),
  ],
  // Update
  [
    "update-stores",
    "an update merges",
    usersBut((store, world) => ({
      update: (user) =>
        store.update({
          ...world.users.get(user.id),
          ...user,
          claims: { ...world.users.get(user.id)?.claims, ...user.claims },
        }),
    })),
  ],
  [
    "update-stores",
    "what an update leaves out stays",
    usersBut((store, world) => ({
      update: (user) => store.update({ ...world.users.get(user.id), ...user }),
    })),
  ],
  [
    "update-stores",
    "the version is not raised",
    usersBut((store, world) => ({
      update: async (user) => {
        const outcome = await store.update(user);
        if (outcome === "updated") world.users.set(user.id, copy(user));
        return outcome;
      },
    })),
  ],
  ["update-stores", "a new name is not recorded", indexed(false)],
  ["update-frees-names", "a name that was let go leads to who had it", indexed(true)],
  ["update-frees-names", "a name is given out once", claimingOneByOne({ goOnRefusal: true })],
  [
    "update-stale",
    "the version is not looked at",
    usersBut((store, world) => ({
      update: (user) => store.update({ ...user, version: world.users.get(user.id)?.version ?? user.version }),
    })),
  ],
  [
    "update-stale",
    "a version from the future is as good",
    usersBut((store, world) => ({
      update: (user) =>
        store.update({ ...user, version: Math.min(user.version, world.users.get(user.id)?.version ?? 0) }),
    })),
  ],
  [
    "update-stale",
    "an update of nobody makes somebody",
    usersBut((store) => ({
      update: async (user) => {
        const outcome = await store.update(user);
        return outcome === "stale" && (await store.create(user)) === "created" ? "updated" : outcome;
      },
    })),
  ],
  [
    "update-taken",
    "names are unique in create only",
    usersBut((_, world) => ({
      update: async (user) => {
        await world.trip();
        if (world.users.get(user.id)?.version !== user.version) return "stale";
        world.users.set(user.id, copy({ ...user, version: user.version + 1 }));
        return "updated";
      },
    })),
  ],
  [
    "update-taken",
    "names are written after everything else",
    usersBut((store, world) => ({
      update: async (user) => {
        const before = world.users.get(user.id);
        if (before?.version === user.version && world.isTaken(user)) {
          world.users.set(user.id, copy({ ...user, username: before.username, email: before.email }));
          return "taken";
        }
        return store.update(user);
      },
    })),
  ],
  [
    "update-taken",
    "one's own names are somebody's",
    usersBut((store, world) => ({
      update: async (user) =>
        [...world.users.values()].some((one) => owns(one, user)) && user.name === "new" ? "taken" : store.update(user),
    })),
  ],
  [
    "update-one-winner",
    "the version is looked at, and the user written then",
    usersBut((store, world) => ({
      update: async (user) => {
        const before = await store.find(user.id);
        if (before?.version !== user.version) return "stale";
        await world.trip();
        world.users.set(user.id, copy({ ...user, version: user.version + 1 }));
        return "updated";
      },
    })),
  ],
  ["update-one-winner", "each instance has a lock of its own", lockedPerInstance],
  [
    "update-loses-nothing",
    "the version is looked at, and the user written then",
    usersBut((store, world) => ({
      update: async (user) => {
        const before = await store.find(user.id);
        if (before?.version !== user.version) return "stale";
        await world.trip();
        world.users.set(user.id, copy({ ...user, version: user.version + 1 }));
        return "updated";
      },
    })),
  ],
  [
    "update-one-winner-name",
    "whose a name is is looked up, and the user written then",
    usersBut((store, world) => ({
      update: async (user) => {
        if (world.isTaken(user)) return "taken";
        await world.trip();
        if (world.users.get(user.id)?.version !== user.version) return store.update(user);
        world.users.set(user.id, copy({ ...user, version: user.version + 1 }));
        return "updated";
      },
    })),
  ],
  [
    "update-renames-decided",
    "every rename claims its name, and who lost keeps the claim",
    usersBut((store, world) => {
      const held = heldOf(world);
      return {
        create: async (user) => (user.username !== undefined && held.has(user.username) ? "taken" : store.create(user)),
        update: async (user) => {
          if (user.username !== undefined && user.username !== world.users.get(user.id)?.username)
            held.set(user.username, user.id);
          return store.update(user);
        },
      };
    }),
  ],
  [
    "update-swap",
    "who wants another's name waits until it is free, and takes it",
    usersBut((store, world) => ({
      update: async (user) => {
        await world.trip();
        if (world.users.get(user.id)?.version !== user.version || !world.isTaken(user)) return store.update(user);
        world.users.set(user.id, copy({ ...user, version: user.version + 1 }));
        return "updated";
      },
    })),
  ],
  // List
  [
    "list-pages",
    "a page begins with the last one of the page before",
    usersBut((store, world) => ({
      list: async ({ cursor = "", limit = 100 } = {}) => {
        await store.find(cursor);
        const rest = [...world.users.values()]
          .filter(({ id }) => id >= cursor)
          .sort((left, right) => (left.id < right.id ? -1 : 1));
        const users = rest.slice(0, limit);
        const last = users.at(-1);
        return users.length < rest.length && last !== undefined ? { users, cursor: last.id } : { users };
      },
    })),
  ],
  [
    "list-pages",
    "there is one page only",
    usersBut((store) => ({ list: async (options) => ({ users: (await store.list(options)).users }) })),
  ],
  [
    "list-pages",
    "list has less of users than find",
    usersBut((store) => ({
      list: async (options) => {
        const page = await store.list(options);
        return { ...page, users: page.users.map((user) => ({ ...user, roles: [] })) };
      },
    })),
  ],
  [
    "list-pages",
    "the cursor is not looked at",
    usersBut((store) => ({ list: ({ limit } = {}) => store.list({ limit }) })),
  ],
  [
    "list-amid-changes",
    "pages are counted from the first",
    usersBut((store, world) => ({
      list: async ({ cursor = "0", limit = 100 } = {}) => {
        await store.find(cursor);
        agedOf(world).walks += 1;
        const all = [...world.users.values()].sort(
          (left, right) => left.createdAt - right.createdAt || (left.id < right.id ? -1 : 1),
        );
        const next = Number(cursor) + limit;
        return { users: all.slice(Number(cursor), next), ...(next < all.length && { cursor: String(next) }) };
      },
    })),
  ],
  [
    "list-amid-changes",
    "pages go by what updates change",
    usersBut((store, world) => ({
      list: async ({ cursor = "", limit = 100 } = {}) => {
        await store.find(cursor);
        const orderOf = (user: User): string => `${String(user.createdAt).padStart(10, "0")} ${user.id}`;
        const rest = [...world.users.values()]
          .filter((user) => orderOf(user) > cursor)
          .sort((left, right) => (orderOf(left) < orderOf(right) ? -1 : 1));
        const users = rest.slice(0, limit);
        const last = users.at(-1);
        return users.length < rest.length && last !== undefined ? { users, cursor: orderOf(last) } : { users };
      },
    })),
  ],
  // Failure
  [
    "unreachable-rejects",
    "an error is answered with undefined",
    usersBut((store) => ({ findByLogin: (login) => store.findByLogin(login).catch(() => undefined) })),
  ],
  [
    "unreachable-rejects",
    "every error of an insert is taken for taken",
    usersBut((store) => ({ create: (user) => store.create(user).catch(() => "taken" as const) })),
  ],
  [
    "unreachable-rejects",
    "who was read before is remembered for bad times",
    usersBut((store, world) => ({
      find: async (id) => {
        try {
          const user = await store.find(id);
          seenOf(world).set(id, user);
          return user;
        } catch (error) {
          if (!seenOf(world).has(id)) throw error;
          return seenOf(world).get(id);
        }
      },
    })),
  ],
  [
    "unreachable-rejects",
    "a list of nobody",
    usersBut((store) => ({ list: (options) => store.list(options).catch(() => ({ users: [] })) })),
  ],
  [
    "unreachable-heals",
    "an instance that has failed once fails for ever",
    usersBut((store) => {
      let broken: unknown;
      return {
        update: async (user) => {
          if (broken !== undefined) throw broken;
          return store.update(user).catch((error: unknown) => {
            broken = error;
            throw error;
          });
        },
      };
    }),
  ],
  [
    "unreachable-heals",
    "what could not be written is written later",
    usersBut((store, world) => ({
      update: (user) =>
        store.update(user).catch((error: unknown) => {
          world.users.set(user.id, copy({ ...user, version: user.version + 1 }));
          throw error;
        }),
    })),
  ],
];

function withNulls(user: User | undefined): User | undefined {
  return user === undefined ? undefined : { ...JSON.parse('{"email":null,"name":null}'), ...user };
}
