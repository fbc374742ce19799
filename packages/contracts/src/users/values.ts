/** Clauses about what is read: exactly what was written, by whoever reads, and nothing else. */

import type { User } from "@sallyport/accounts";
import { clause, type UserStage } from "./stage.ts";

/** People as they come: with everything, with as little as there may be, and with what databases stumble over. */
function everyKind(stage: UserStage): readonly User[] {
  return [
    stage.person(),
    stage.person({ username: undefined, email: `${stage.word()}@example.com`, emailVerified: true }),
    stage.person({
      email: `${stage.word()}@xn--bcher-kva.example`,
      name: "Zoë 'Robert\"); -- \\ % _ Ólafsdóttir 漢字 🚪 שלום",
      passwordHash: "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$/A+b0123456789$",
      roles: ["admin", "Admin", "a,b", "{c}", "", "über"],
      claims: {
        team: "sec",
        levels: [1, 2.5, -3, 1e21],
        nested: { none: null, yes: true, list: [[], {}] },
        constructor: "c",
      },
      disabled: true,
      epoch: 12,
    }),
    stage.person({
      id: `.~_-${stage.word()}${"x".repeat(88)}`,
      username: `ünïcødé-漢字-${stage.word()}`,
      name: "n".repeat(100),
    }),
    stage.person({ claims: { long: "é".repeat(8_000) }, createdAt: 4_102_444_800, epoch: 2_000_000_000 }),
    stage.person({ createdAt: 0 }),
  ];
}

/** Texts that are different, though some database, collation or pattern takes them for equal. */
const ALMOST_EQUAL: readonly (readonly [string, string])[] = [
  ["case", "CASE"],
  ["straße", "strasse"],
  ["ı", "i"],
  ["é", "e\u0301"],
  ["name", "name "],
  ["e", "é"],
  ["1", "01"],
  ["a", "a%"],
  ["ab", "a_"],
  ["漢", "字"],
  ["ａ", "a"],
];

export const values = [
  clause({
    id: "user-round-trip",
    sentence: "a user is read, by id and by every login, as they were written, with version 0",
    async play(stage) {
      const [one, other] = await stage.pair();
      for (const person of everyKind(stage)) {
        await stage.told(one.create(person), "created", "create of somebody new");
        for (const store of [one, other]) await stage.present(store, person, "after create");
      }
      const counted = stage.person({ version: 7 });
      await stage.told(one.create(counted), "created", "create with a version of its own");
      await stage.present(one, { ...counted, version: 0 }, "after create with a version of its own");
    },
  }),
  clause({
    id: "user-absence",
    sentence: "who is not there is undefined, and a username is no address",
    async play(stage) {
      const store = await stage.open();
      const word = stage.word();
      await stage.unknown(store, `id-${word}`, "of nobody");
      await stage.nobody(store, { username: `user-${word}` }, "of nobody");
      await stage.nobody(store, { email: `${word}@example.com` }, "of nobody");
      for (const name of ["constructor", "__proto__", "toString", "null", "undefined"]) {
        await stage.unknown(store, name, `by ${name}`);
        await stage.nobody(store, { username: name }, `by ${name}`);
      }
      const person = await stage.stored(store, { email: `${word}@example.com` });
      await stage.nobody(store, { username: `${word}@example.com` }, "by what is an address");
      await stage.nobody(store, { email: person.username ?? "" }, "by what is a username");
      await stage.unknown(store, person.username ?? "", "by what is a username");
      await stage.nobody(store, { username: person.id }, "by what is an id");
    },
  }),
  clause({
    id: "user-exact",
    sentence: "ids, usernames and addresses are compared as they stand: what differs in anything is two",
    async play(stage) {
      const store = await stage.open();
      for (const [left, right] of ALMOST_EQUAL) {
        const word = stage.word();
        const people = [left, right].map((text) =>
          stage.person({ username: `${word}${text}`, email: `${word}${text}@example.com` }),
        );
        for (const person of people)
          await stage.told(store.create(person), "created", `create beside a name that only resembles "${left}"`);
        for (const person of people) await stage.present(store, person, `beside a name that only resembles it`);
      }
      const id = stage.word();
      const lower = await stage.stored(store, { id: `id-${id}` });
      const upper = await stage.stored(store, { id: `ID-${id}` });
      for (const person of [lower, upper]) await stage.present(store, person, "beside an id in another case");
    },
  }),
  clause({
    id: "user-isolation",
    sentence: "whoever changes an object that was written or read changes no user",
    async play(stage) {
      const store = await stage.open();
      const roles = ["reader"];
      const claims = { team: "a" };
      const person = await stage.stored(store, { roles, claims });
      roles.push("admin");
      claims.team = "b";
      const expected = { ...person, roles: ["reader"], claims: { team: "a" } };
      await stage.present(store, expected, "after the object that was written has changed");
      for (const read of [await store.find(person.id), await store.findByLogin({ username: person.username ?? "" })]) {
        if (read !== undefined) Reflect.set(read.claims, "team", "b");
        if (read !== undefined) Reflect.set(read, "disabled", true);
      }
      await stage.present(store, expected, "after an object that was read has changed");
    },
  }),
  clause({
    id: "user-everywhere",
    sentence: "what one instance has written every instance reads at once, what it has read before too",
    async play(stage) {
      const [one, other] = await stage.pair();
      const person = await stage.stored(one, { email: `${stage.word()}@example.com` });
      await stage.present(other, person, "by another instance");
      await stage.told(one.update({ ...person, disabled: true }), "updated", "update");
      await stage.present(other, { ...person, disabled: true, version: 1 }, "by another instance, after an update");
      const late = stage.person();
      await stage.nobody(other, { username: late.username ?? "" }, "before create");
      await stage.unknown(other, late.id, "before create");
      await stage.told(one.create(late), "created", "create");
      await stage.present(other, late, "by another instance, which had not found them before");
    },
  }),
];
