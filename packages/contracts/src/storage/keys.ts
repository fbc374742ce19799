/** Clauses about keys: any two different strings name two different records. */

import type { TokenStorage } from "@sallyport/oauth-core";
import { clause, LONG, type Stage } from "./stage.ts";

/** Keys that become one where a storage sanitises, folds, trims, decodes, resolves or matches them. */
const TWINS = [
  ...["a/b", "a\\b", "a:b", "a_b", "a-b", "a.b", "a b", "a+b", "a,b", "a|b", "a#b", "a&b", "a=b", "a~b", "ab"],
  ...["a%b", "a*b", "a?b", "a[b]", "a{b}", "a'b", 'a"b', "a`b", "a;b", "a$b", "a!b", "a@b", "a<b>", "a(b)", "a^b"],
  ...["a%2Fb", "a%2fb", "a%252Fb", "a//b", "a/b/", "/a/b", "a/./b", "a/x/../b"],
  ...["A/b", "a/B", " a/b", "a/b ", "a/b.", "a\tb", "a\nb", "a\r\nb", "a\u00a0b", "a\u200bb", "a\ufeffb"],
  ...[
    "\u00e9",
    "e\u0301",
    "\u00c9",
    "ß",
    "ss",
    "SS",
    "\u0130",
    "i",
    "I",
    "\u0131",
    "\ufb01",
    "fi",
    "\u00c5",
    "\u212b",
    "漢",
    "🚪",
    "🚪\ufe0f",
    "\uff11",
    "1",
    "01",
  ],
];

const PATHS = [
  ...["../escape", "../../../../etc/passwd", "/etc/passwd", "..", ".", "./", "~/.ssh/id_rsa", "..\\..\\escape"],
  ...["C:\\Windows\\win.ini", "file:///etc/passwd", "con", "nul", "aux.json", ".hidden", "a.json", "a.tmp", "a.lock"],
];

const PROTOTYPE_NAMES = [
  ...[
    "__proto__",
    "constructor",
    "prototype",
    "toString",
    "valueOf",
    "hasOwnProperty",
    "isPrototypeOf",
    "toJSON",
    "then",
  ],
  ...[
    "__defineGetter__",
    "__lookupSetter__",
    "length",
    "name",
    "size",
    "get",
    "undefined",
    "null",
    "true",
    "0",
    "-1",
    "NaN",
  ],
];

/** Two kibibytes of key, different from others in the last character only. */
const long = (start: string, unit: string, last: string): string => {
  const room = 2048 - Buffer.byteLength(start) - Buffer.byteLength(last);
  return start + unit.repeat(Math.floor(room / Buffer.byteLength(unit))) + last;
};

/** Holds that every key of the list has a record of its own, for every verb. */
async function distinct(stage: Stage, storage: TokenStorage, keys: readonly string[]): Promise<void> {
  for (const key of keys) await stage.absent(storage, key, `of the unused key ${JSON.stringify(key.slice(-40))}`);
  for (const [index, key] of keys.entries()) {
    if (storage.claim === undefined) await storage.save(key, index, LONG);
    else await stage.decided(storage.claim(key, index, LONG), true, `claim of ${JSON.stringify(key.slice(-40))}`);
  }
  for (const [index, key] of keys.entries()) {
    await stage.present(storage, key, index, `of ${JSON.stringify(key.slice(-40))}`);
  }
  for (const key of keys) await storage.save(key, key, LONG);
  for (const key of keys) {
    await stage.present(storage, key, key, `of ${JSON.stringify(key.slice(-40))} after it was saved again`);
    await storage.delete(key);
    await stage.absent(storage, key, `of ${JSON.stringify(key.slice(-40))} after its delete`);
  }
}

export const keys = [
  clause({
    id: "keys-distinct",
    sentence: "keys are opaque: no two different ones meet by case, accents, spaces, separators or escapes",
    waivable: false,
    async play(stage) {
      await distinct(
        stage,
        await stage.open(),
        TWINS.map((twin) => stage.key(twin)),
      );
    },
  }),
  clause({
    id: "keys-paths",
    sentence: "keys are opaque: one that looks like a path is a name like any other",
    waivable: false,
    async play(stage) {
      // As an end of a key and as its beginning.
      await distinct(
        stage,
        await stage.open(),
        PATHS.flatMap((path) => [stage.key(path), `${path}/${stage.key("")}`]),
      );
    },
  }),
  clause({
    id: "keys-prototype",
    sentence: "keys are opaque: one that an object inherits is a name like any other",
    waivable: false,
    async play(stage) {
      const storage = await stage.open();
      // These can't be made unique, so what an earlier run may have left is removed first.
      for (const name of PROTOTYPE_NAMES) await storage.delete(name);
      await distinct(stage, storage, PROTOTYPE_NAMES);
    },
  }),
  clause({
    id: "keys-long",
    sentence: "keys are opaque: two of 2 KiB that differ in their last character name two records",
    async play(stage) {
      const start = stage.key("long ");
      const units = ["x", "ü", "🚪"];
      await distinct(
        stage,
        await stage.open(),
        units.flatMap((unit) => [long(start, unit, "1"), long(start, unit, "2")]),
      );
    },
  }),
];
