/** Clauses about values: what is saved comes back, and nothing else. */

import { clause, LONG } from "./stage.ts";

/** A value of every shape that JSON has (RFC 8259), and of those on which a storage may stumble. */
const SHAPES: Readonly<Record<string, unknown>> = {
  "an object": { subject: "alice", scopes: ["a", "b"], nested: { deep: [1, { deeper: null }] } },
  "an empty object": {},
  "an array": [1, "2", true, null, [], {}],
  "an empty array": [],
  "a text": "s1.key.ciphertext-_",
  "an empty text": "",
  "a text that looks like JSON": '{"a":1}',
  "a text that looks like a number": "007",
  "a text that says null": "null",
  "a text in many scripts": "Ünïcödé 漢字 عربى 🚪\u{1F3F4}\u{E0067}\u200d",
  "a text with control characters": 'NUL \u0000, line\r\n, tab\t, "quote", \\ and \u2028',
  "half a surrogate pair": "\ud83d alone",
  zero: 0,
  "a negative number": -1,
  "a fraction": 0.1,
  "a large number": 1.7976931348623157e308,
  "a tiny number": 5e-324,
  "the largest safe integer": Number.MAX_SAFE_INTEGER,
  true: true,
  false: false,
  "members with odd names": { "": 1, "a.b": 2, $set: 3, "0": 4, "with space": 5, "\u0000": 6 },
  "a member named __proto__": JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":1}}'),
  "many levels": Array.from({ length: 100 }).reduce<unknown>((inner) => ({ inner }), "bottom"),
};

export const values = [
  clause({
    id: "round-trip",
    sentence: "a value comes back as it was saved, whatever its JSON shape",
    waivable: false,
    async play(stage) {
      const storage = await stage.open();
      for (const [name, value] of Object.entries(SHAPES)) {
        await storage.save(stage.key(name), value, LONG);
        await stage.present(storage, stage.key(name), value, `of ${name}`);
      }
    },
  }),
  clause({
    id: "absence",
    sentence: "a key under which nothing was saved is absent: undefined or null",
    waivable: false,
    async play(stage) {
      const storage = await stage.open();
      await stage.absent(storage, stage.key("never saved"), "of a key that was never saved");
    },
  }),
  clause({
    id: "overwrite",
    sentence: "save overwrites what was there, whatever its shape",
    waivable: false,
    async play(stage) {
      const storage = await stage.open();
      const key = stage.key("record");
      for (const value of [{ a: 1, b: 2 }, { b: 3 }, "text", [1], 0]) {
        await storage.save(key, value, LONG);
        await stage.present(storage, key, value, "after one save more");
      }
    },
  }),
  clause({
    id: "delete",
    sentence: "delete removes one record and no other, and is no error where nothing is",
    waivable: false,
    async play(stage) {
      const storage = await stage.open();
      const [key, neighbour] = [stage.key("record"), stage.key("record:neighbour")];
      await storage.save(key, "value", LONG);
      await storage.save(neighbour, "value", LONG);
      for (const when of ["after a delete", "after a second delete"]) {
        await storage.delete(key);
        await stage.absent(storage, key, when);
      }
      await storage.delete(stage.key("never saved"));
      await stage.present(storage, neighbour, "value", "of a neighbour of the deleted key");
      await storage.save(key, "again", LONG);
      await stage.present(storage, key, "again", "after a delete and another save");
    },
  }),
  clause({
    id: "value-isolation",
    sentence: "changing an object that was saved or read changes no record",
    async play(stage) {
      const storage = await stage.open();
      const key = stage.key("record");
      const expected = { scopes: ["read"] };

      const saved = structuredClone(expected);
      await storage.save(key, saved, LONG);
      saved.scopes.push("admin");
      await stage.present(storage, key, expected, "after the saved object was changed");

      const read = (await storage.get(key)) as typeof expected;
      read.scopes.push("admin");
      await stage.present(storage, key, expected, "after an object that was read was changed");
    },
  }),
  clause({
    id: "large-value",
    sentence: "a value of 1 MiB comes back whole",
    async play(stage) {
      const storage = await stage.open();
      const large = Array.from({ length: 2 ** 16 }, (_, index) => index.toString(16).padStart(16, "0")).join("");
      await storage.save(stage.key("large"), large, LONG);
      const seen = await storage.get(stage.key("large"));
      if (seen !== large) stage.violated(`get answered something else, ${String(seen).length} characters long`);
    },
  }),
  clause({
    id: "instances",
    sentence: "what one instance writes every other one over the same backend sees at once",
    waivable: false,
    async play(stage) {
      const [one, other] = [await stage.open(), await stage.open()];
      const key = stage.key("record");
      await one.save(key, "first", LONG);
      await stage.present(other, key, "first", "by another instance after a save");
      await other.save(key, "second", LONG);
      await stage.present(one, key, "second", "by the first instance after the other one's save");
      await other.delete(key);
      await stage.absent(one, key, "by the first instance after the other one's delete");
    },
  }),
];
