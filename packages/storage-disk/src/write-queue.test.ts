import { copyFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { commitsIn } from "../test/log.ts";
import { databaseIn, place } from "../test/place.ts";
import { openDatabase } from "./database-file.ts";
import { Records } from "./records.ts";
import { WriteQueue } from "./write-queue.ts";

/** A queue over a database of its own, which the test can reach as well. */
function queue(options: { busyTimeoutMs?: number } = {}) {
  const path = databaseIn(place());
  const database = openDatabase(path);
  onTestFinished(() => database.close());
  const records = new Records(database);
  const writes = new WriteQueue(database, { path, busyTimeoutMs: options.busyTimeoutMs ?? 5000 });
  const save = (key: string, value = '"value"') => writes.write(key, () => records.save(key, value, null));
  return { path, database, records, writes, save };
}

/** The same database, as another process has it. */
function neighbour(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  onTestFinished(() => database.close());
  return database;
}

const outcomes = async (promises: readonly Promise<unknown>[]) =>
  (await Promise.allSettled(promises)).map((result) => (result.status === "fulfilled" ? "done" : result.reason));

test("all writes of one turn share one commit, those of the next one have another", async () => {
  const { path, save } = queue();
  await Promise.all(Array.from({ length: 50 }, (_, index) => save(`first:${index}`)));
  expect(commitsIn(path)).toBe(1);
  // Microtasks belong to the same turn.
  await Promise.all([save("second:1"), Promise.resolve().then(() => save("second:2"))]);
  expect(commitsIn(path)).toBe(2);
});

test("a flood is committed in parts, and everything else has its turn in between", async () => {
  const { path, save } = queue();
  const flood = Promise.all(Array.from({ length: 2500 }, (_, index) => save(`key:${index}`)));
  const seen: number[] = [];
  for (let turn = 0; turn < 3; turn += 1) {
    await nextTurn();
    seen.push(commitsIn(path));
  }
  expect(seen).toEqual([1, 2, 3]);
  await flood;
});

test("nobody is answered before the commit", async () => {
  const { path, save } = queue();
  const others = neighbour(path).prepare("SELECT count(*) AS count FROM records");
  const seen = await Promise.all([1, 2, 3].map((index) => save(`key:${index}`).then(() => others.get()?.["count"])));
  expect(seen).toEqual([3, 3, 3]);
});

test("writes take effect in the order in which they were asked for", async () => {
  const { records, writes, save } = queue();
  void save("key", '"first"');
  const taken = writes.write("key", () => records.take("key", 0));
  void save("key", '"second"');
  const claimed = writes.write("key", () => records.claim("key", '"third"', null, 0));
  expect([await taken, await claimed]).toEqual(['"first"', false]);
  expect(records.get("key", 0)).toBe('"second"');
});

test("a statement that fails fails for its caller alone, and the others are saved", async () => {
  const { database, records, writes, save } = queue();
  const broken = database.prepare("INSERT INTO records (key, value) VALUES ('broken', NULL)");
  const results = await outcomes([save("before"), writes.write("broken", () => broken.run()), save("after")]);
  expect(results).toEqual(["done", expect.objectContaining({ reason: "failed" }), "done"]);
  expect(["before", "broken", "after"].map((key) => records.get(key, 0))).toEqual(['"value"', undefined, '"value"']);
});

test("what the work itself throws reaches its caller as it is, and nobody else", async () => {
  const { records, writes, save } = queue();
  const own = new RangeError("the clock has stopped");
  const fail = () => {
    throw own;
  };
  expect(await outcomes([save("before"), writes.write("broken", fail), save("after")])).toEqual(["done", own, "done"]);
  expect(records.get("after", 0)).toBe('"value"');
});

test("a full database, which ends the whole transaction, fails for those that do not fit", async () => {
  const { database, records, save } = queue();
  await save("replaced", JSON.stringify("x".repeat(50_000)));
  const { page_count: pages } = database.prepare("PRAGMA page_count").get() ?? {};
  database.exec(`PRAGMA max_page_count = ${pages}`);

  const large = JSON.stringify("y".repeat(50_000));
  const results = await outcomes([save("replaced", '"small"'), save("one", large), save("other", large), save("new")]);
  const full = expect.objectContaining({ reason: "full" });
  // The first makes room for one more.
  expect(results).toEqual(["done", "done", full, "done"]);
  expect(records.get("replaced", 0)).toBe('"small"');
  expect(records.get("other", 0)).toBeUndefined();
  await save("replaced", '"smaller"');
});

test("a commit that fails fails for all of its writes, and the next one is whole", async () => {
  const { path, database, records, writes, save } = queue();
  database.exec("CREATE TABLE parents (id INTEGER PRIMARY KEY)");
  database.exec("CREATE TABLE children (parent INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)");
  // SQLite finds this out when it commits.
  const orphan = database.prepare("INSERT INTO children (parent) VALUES (1)");
  const failed = expect.objectContaining({ reason: "failed", path });
  const results = await outcomes([save("one"), writes.write(undefined, () => orphan.run()), save("two")]);
  expect(results).toEqual([failed, failed, failed]);
  expect(records.get("one", 0)).toBeUndefined();

  await save("three");
  expect(neighbour(path).prepare("SELECT key FROM records").all()).toEqual([expect.objectContaining({ key: "three" })]);
});

test("while another process writes, a write waits for it, and the event loop does not", async () => {
  const { path, records, save } = queue();
  const other = neighbour(path);
  other.exec("BEGIN IMMEDIATE; INSERT INTO records (key, value) VALUES ('theirs', '1')");
  const saved = save("ours");
  let turns = 0;
  for (; turns < 50; turns += 1) await nextTurn();
  expect(records.get("ours", 0)).toBeUndefined();

  const late = save("late");
  other.exec("COMMIT");
  await Promise.all([saved, late]);
  expect(["theirs", "ours", "late"].map((key) => records.get(key, 0))).toEqual(["1", '"value"', '"value"']);
});

test("a process that never stops writing is not waited for without end", async () => {
  const { path, save } = queue({ busyTimeoutMs: 20 });
  const other = neighbour(path);
  other.exec("BEGIN IMMEDIATE");
  let turns = 0;
  const counting = setInterval(() => {
    turns += 1;
  }, 1);
  onTestFinished(() => clearInterval(counting));
  const refused = expect.objectContaining({ name: "DiskStoreError", reason: "busy", path });
  expect(await outcomes([save("one"), save("two")])).toEqual([refused, refused]);
  expect(turns).toBeGreaterThan(1);

  other.exec("ROLLBACK");
  await save("three");
});

test("when it is quiet after many writes, the log is folded into the database", async () => {
  const { path, save } = queue();
  await Promise.all(Array.from({ length: 100 }, (_, index) => save(`key:${index}`)));
  await nextTurn();
  // All of it is in the file: a copy without the log has it.
  const copy = databaseIn(place());
  copyFileSync(path, copy);
  expect(neighbour(copy).prepare("SELECT count(*) AS count FROM records").get()?.["count"]).toBe(100);
});

test("it is idle when everything is answered", async () => {
  const { writes, save } = queue();
  await writes.idle();
  const order: string[] = [];
  const all = [save("one").then(() => order.push("one")), writes.idle().then(() => order.push("idle"))];
  await Promise.all(all);
  expect(order).toEqual(["one", "idle"]);
});
