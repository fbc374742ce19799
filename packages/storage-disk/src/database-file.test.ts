import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { databaseIn, opened, place } from "../test/place.ts";
import { started } from "../test/started.ts";
import { openDatabase } from "./database-file.ts";
import { DiskStore } from "./disk-store.ts";
import { DiskStoreError } from "./disk-store-error.ts";

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

/** What opening a store answers: that it is open, or the reason and the path of the refusal. */
function verdict(directory: string): unknown {
  try {
    void new DiskStore({ directory }).close();
    return "opened";
  } catch (error) {
    if (!(error instanceof DiskStoreError)) throw error;
    expect(error.message).toContain(error.path);
    return [error.reason, error.path];
  }
}

/** Records in a closed database. */
async function filled(directory: string, count = 1): Promise<void> {
  const store = new DiskStore({ directory });
  await Promise.all(
    Array.from({ length: count }, (_, index) => store.save(`key:${index}`, `value ${index} `.repeat(50))),
  );
  await store.close();
}

describe("modes", () => {
  test("missing directories are made for this user alone, and so is every file in them", async () => {
    const root = place();
    const directory = join(root, "deep", "down");
    const umask = process.umask(0);
    onTestFinished(() => void process.umask(umask));
    const store = opened({ directory });
    await store.save("key", "value");

    expect([modeOf(join(root, "deep")), modeOf(directory)]).toEqual(["700", "700"]);
    const files = readdirSync(directory).sort();
    expect(files).toEqual(["sallyport.sqlite", "sallyport.sqlite-shm", "sallyport.sqlite-wal"]);
    for (const file of files) expect(modeOf(join(directory, file))).toBe("600");
  });

  test("a directory that others may read is taken as it is, one that they may write to is refused", () => {
    for (const mode of [0o700, 0o750, 0o755]) {
      const directory = place();
      chmodSync(directory, mode);
      expect(verdict(directory)).toBe("opened");
      expect(modeOf(directory)).toBe(mode.toString(8));
    }
    for (const mode of [0o770, 0o702, 0o1777]) {
      const directory = place();
      chmodSync(directory, mode);
      expect(verdict(directory)).toEqual(["directory_too_open", directory]);
      expect(readdirSync(directory)).toEqual([]);
    }
  });

  test("a database that others may read or write is refused, and left as it is", async () => {
    const directory = place();
    await filled(directory);
    for (const mode of [0o640, 0o604, 0o620]) {
      chmodSync(databaseIn(directory), mode);
      expect(verdict(directory)).toEqual(["file_too_open", databaseIn(directory)]);
      expect(modeOf(databaseIn(directory))).toBe(mode.toString(8));
    }
    chmodSync(databaseIn(directory), 0o600);
    expect(verdict(directory)).toBe("opened");
  });
});

describe("a place where there can be no database is named", () => {
  test("a file in the place of the directory, or above it", () => {
    const file = join(place(), "file");
    writeFileSync(file, "");
    expect(verdict(file)).toEqual(["not_a_directory", file]);
    expect(verdict(join(file, "below"))).toEqual(["not_a_directory", join(file, "below")]);
  });

  test("a link that leads nowhere", () => {
    const link = join(place(), "link");
    symlinkSync(join(place(), "nowhere"), link);
    expect(verdict(link)).toEqual([expect.any(String), link]);
  });

  test("a directory in the place of the database", () => {
    const directory = place();
    mkdirSync(databaseIn(directory), { mode: 0o700 });
    expect(verdict(directory)).toEqual(["failed", databaseIn(directory)]);
  });

  test("a directory in which this user may not write", { timeout: 60_000 }, async ({ skip, onTestFinished }) => {
    if (process.getuid?.() !== 0) {
      const directory = place();
      await filled(directory);
      chmodSync(directory, 0o500);
      expect(verdict(directory)).toEqual(["no_access", directory]);
      return chmodSync(directory, 0o700);
    }
    // Nothing is forbidden to root, so another user has to try.
    const nobody = "65534";
    const readable = place();
    chownSync(readable, Number(nobody), Number(nobody));
    const asNobody = async (directory: string) =>
      (await started({ onTestFinished }, "unprivileged-opener", directory, nobody).ended).lines;
    const [control] = await asNobody(readable);
    if (control === undefined) return skip("an unprivileged user can't run this Node.js here");
    expect(control).toBe("saved");

    chmodSync(readable, 0o500);
    expect(await asNobody(readable)).toEqual([`no_access ${readable}`]);
    expect(await asNobody(join(readable, "new"))).toEqual([`no_access ${join(readable, "new")}`]);
    chmodSync(readable, 0o700);
    chmodSync(databaseIn(readable), 0o400);
    expect(await asNobody(readable)).toEqual([`no_access ${databaseIn(readable)}`]);
    // As it is where a server was once started by root.
    chmodSync(databaseIn(readable), 0o600);
    chownSync(databaseIn(readable), 0, 0);
    expect(await asNobody(readable)).toEqual([`no_access ${databaseIn(readable)}`]);
  });

  test("a file system that is mounted read-only", async ({ skip }) => {
    const directory = place();
    if (!mounted(directory, "size=4m,mode=700")) return skip("only root can mount a file system");
    const store = opened({ directory });
    await store.save("key", "value");
    await store.close();

    execFileSync("mount", ["-o", "remount,ro", directory]);
    expect(verdict(directory)).toEqual(["no_access", directory]);
    execFileSync("mount", ["-o", "remount,rw", directory]);
    expect(await opened({ directory }).get("key")).toBe("value");
  });
});

describe("what is no database of ours is refused, and left as it is", () => {
  const refused = async (reason: string, spoil: (path: string) => unknown) => {
    const directory = place();
    const path = databaseIn(directory);
    await filled(directory, 200);
    await spoil(path);
    const before = readFileSync(path);
    expect(verdict(directory)).toEqual([reason, path]);
    expect(readFileSync(path).equals(before)).toBe(true);
  };

  const sql = (statements: string) => (path: string) => {
    const database = new DatabaseSync(path);
    database.exec(statements);
    database.close();
  };

  test("a text file", () => refused("damaged", (path) => writeFileSync(path, '{"not":"a database"}'.repeat(500))));
  test("an empty file", () => refused("damaged", (path) => truncateSync(path, 0)));
  test("a database that was cut off", () => refused("damaged", (path) => truncateSync(path, 3 * 4096)));
  test("a database of another program", () => refused("foreign", sql("PRAGMA application_id = 1")));
  test("a database of a newer version", () => refused("newer", sql("PRAGMA user_version = 2")));
  test("a database of ours without its table", () => refused("failed", sql("DROP TABLE records")));
  test("a database of ours without a version", () => refused("damaged", sql("PRAGMA user_version = 0")));
});

test("damage in the middle rejects, and never answers absent or wrong", async () => {
  const directory = place();
  const count = 1000;
  await filled(directory, count);
  const size = statSync(databaseIn(directory)).size;
  const file = openSync(databaseIn(directory), "r+");
  // The first page, which leads to all others, stays; a third of the rest goes.
  for (let page = 1; page < size / 4096; page += 3) writeSync(file, Buffer.alloc(4096, 0xa5), 0, 4096, page * 4096);
  closeSync(file);

  const store = opened({ directory });
  const seen = await Promise.all(
    Array.from({ length: count }, (_, index) =>
      store.get(`key:${index}`).then(
        (value) => (value === `value ${index} `.repeat(50) ? "right" : "wrong"),
        (error: unknown) => (error instanceof DiskStoreError ? error.reason : error),
      ),
    ),
  );
  expect(new Set(seen)).not.toContain("wrong");
  expect(seen).toContain("damaged");
  await expect(store.claim("key:1", "stolen", 60)).rejects.toBeInstanceOf(DiskStoreError);
});

test("a value that is no JSON any more rejects, and a take of it takes nothing", async () => {
  const directory = place();
  await filled(directory);
  const database = new DatabaseSync(databaseIn(directory));
  database.exec("UPDATE records SET value = '\"cut o'");
  database.close();

  const store = opened({ directory });
  for (const read of [store.get("key:0"), store.take("key:0"), store.get("key:0")]) {
    await expect(read).rejects.toMatchObject({ reason: "damaged", path: databaseIn(directory) });
  }
});

test("each commit is synced to the disk, in a log that readers do not wait for", () => {
  const database = openDatabase(databaseIn(place()));
  onTestFinished(() => database.close());
  const pragma = (name: string) => Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {});
  // https://www.sqlite.org/pragma.html#pragma_synchronous: 2 is FULL.
  expect([...pragma("journal_mode"), ...pragma("synchronous")]).toEqual(["wal", 2]);
});

test("a process that dies while it makes the database leaves none behind, and the next one makes it", () => {
  const directory = place();
  // What such a process leaves: a draft, whole or not, under a name of its own.
  writeFileSync(`${databaseIn(directory)}.f3c1.new`, "half", { mode: 0o600 });
  expect(verdict(directory)).toBe("opened");
});

test("where another process made the database a moment before, that one is used", async () => {
  const directory = place();
  const close = vi.spyOn(DatabaseSync.prototype, "close");
  let faster: DiskStore | undefined;
  // The last step before the draft gets its name.
  close.mockImplementationOnce(function (this: DatabaseSync) {
    faster = new DiskStore({ directory });
    this.close();
  });
  const slower = opened({ directory });
  close.mockRestore();
  await faster?.save("key", "value");
  await faster?.close();
  expect(await slower.get("key")).toBe("value");
});

test("making a database leaves nothing else behind", async () => {
  const directory = place();
  await new DiskStore({ directory }).close();
  expect(readdirSync(directory)).toEqual(["sallyport.sqlite"]);
});

describe("whoever takes the file away under an open store", () => {
  const takenAway = async (take: (path: string) => unknown) => {
    const directory = place();
    const store = opened({ directory });
    await store.save("before", "value");
    await take(databaseIn(directory));
    await expect(store.save("after", "value")).rejects.toMatchObject({ reason: "gone", path: databaseIn(directory) });
    // What it still holds is the log by name, which may be another database's by now: not a byte more goes there.
    const log = readFileSync(`${databaseIn(directory)}-wal`);
    await expect(store.claim("another", "value")).rejects.toMatchObject({ reason: "gone" });
    expect(readFileSync(`${databaseIn(directory)}-wal`).equals(log)).toBe(true);
    return { directory, store };
  };

  test("is told with the next write, which would be gone with the process", async () => {
    const { directory } = await takenAway((path) => rmSync(path));
    expect(existsSync(databaseIn(directory))).toBe(false);
  });

  test("is told too where another database stands in its place", async () => {
    const elsewhere = place();
    await filled(elsewhere);
    const { store } = await takenAway((path) => renameSync(databaseIn(elsewhere), path));
    // What it would read is no longer what others see.
    await expect(store.get("before")).rejects.toMatchObject({ reason: "gone" });
    await expect(store.size()).rejects.toMatchObject({ reason: "gone" });
  });
});

test("a full disk rejects what does not fit, loses nothing, and heals when there is room", async ({ skip }) => {
  const directory = place();
  if (!mounted(directory, "size=3m,mode=700")) return skip("only root can mount a file system");
  const store = opened({ directory });
  const confirmed: string[] = [];
  const outcomes: unknown[] = [];
  const ballast = join(directory, "ballast");
  writeFileSync(ballast, Buffer.alloc(2 ** 20));

  // Alone and many at a time, until there is no room for long.
  for (let round = 0; round < 40; round += 1) {
    const keys = Array.from({ length: 1 + (round % 5) }, (_, index) => `key:${round}:${index}`);
    const results = await Promise.allSettled(keys.map((key) => store.save(key, key.repeat(4000))));
    for (const [index, result] of results.entries()) {
      if (result.status === "fulfilled") confirmed.push(keys[index] ?? "");
      else outcomes.push(result.reason);
    }
  }
  expect(confirmed.length).toBeGreaterThan(0);
  expect(outcomes.length).toBeGreaterThan(0);
  for (const outcome of outcomes) {
    expect(outcome).toBeInstanceOf(DiskStoreError);
    expect(outcome).toMatchObject({ reason: "full", path: databaseIn(directory) });
  }
  for (const key of confirmed) expect(await store.get(key)).toBe(key.repeat(4000));

  rmSync(ballast);
  await store.save("later", "value");
  await store.close();
  const reopened = opened({ directory });
  for (const key of confirmed) expect(await reopened.get(key)).toBe(key.repeat(4000));
  expect(await reopened.get("later")).toBe("value");
});

test("a disk that is full from the start is named", async ({ skip }) => {
  const directory = place();
  if (!mounted(directory, "size=16k,mode=700")) return skip("only root can mount a file system");
  expect(verdict(directory)).toEqual(["full", databaseIn(directory)]);
  expect(readdirSync(directory)).toEqual([]);
});

test("a disk that is full when the database is opened is named, and nothing is lost", async ({ skip }) => {
  const directory = place();
  if (!mounted(directory, "size=1m,mode=700")) return skip("only root can mount a file system");
  await filled(directory);
  const ballast = join(directory, "ballast");
  const { bavail, bsize } = statfsSync(directory);
  writeFileSync(ballast, Buffer.alloc(bavail * bsize));
  expect(verdict(directory)).toEqual(["full", databaseIn(directory)]);
  rmSync(ballast);
  expect(await opened({ directory }).get("key:0")).toContain("value 0");
});

/** Mounts a file system in memory for one test, where that is allowed. */
function mounted(directory: string, options: string): boolean {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false;
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", directory], { stdio: "ignore" });
  } catch {
    return false;
  }
  onTestFinished(() => void execFileSync("umount", ["-l", directory]));
  return true;
}
