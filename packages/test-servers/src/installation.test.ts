import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type Installable, installed, type Surroundings } from "./installation.ts";

/** A folder of this test, with empty files as its programs. */
function folderWith(...programs: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-programs-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const program of programs) writeFileSync(join(folder, program), "");
  return folder;
}

const wanted: Installable = { program: "some-server", debianPackage: "some-package", variable: "SOME_URL" };

/** Surroundings that remember what was done in them. */
function surroundings(change: Partial<Surroundings> = {}): Surroundings & { readonly told: string[] } {
  const told: string[] = [];
  return {
    environment: { PATH: folderWith() },
    mayInstall: false,
    install: async () => undefined,
    tell: (line) => told.push(line),
    told,
    ...change,
  };
}

test("a program on PATH is found, and nothing is installed", async () => {
  const folder = folderWith("some-server");
  const around = surroundings({
    environment: { PATH: `${folderWith()}:${folder}` },
    mayInstall: true,
    install: () => Promise.reject(new Error("installed")),
  });
  expect(await installed(wanted, around)).toBe(folder);
  expect(around.told).toEqual([]);
});

test("of several versions beside PATH, the newest is found", async () => {
  const root = folderWith();
  for (const version of ["9", "15", "14"]) {
    mkdirSync(join(root, version));
    writeFileSync(join(root, version, "some-server"), "");
  }
  expect(await installed({ ...wanted, folders: [`${root}/*`] }, surroundings())).toBe(join(root, "15"));
});

test("where this process may install, it does, and finds the program", async () => {
  const folder = folderWith();
  const around = surroundings({
    environment: { PATH: folder },
    mayInstall: true,
    install: async (debianPackage, program) => {
      expect(debianPackage).toBe("some-package");
      writeFileSync(join(folder, program), "");
    },
  });
  expect(await installed(wanted, around)).toBe(folder);
});

test("where there is none, one line tells what to install, and nothing fails", async () => {
  const around = surroundings();
  expect(await installed(wanted, around)).toBeUndefined();
  expect(around.told).toEqual([expect.stringMatching(/some-server.*apt-get install some-package.*SOME_URL/)]);
});

test("with CI=true a missing program fails, unless a running server is named", async () => {
  const PATH = folderWith();
  await expect(installed(wanted, surroundings({ environment: { PATH, CI: "true" } }))).rejects.toThrow(
    /apt-get install some-package/,
  );
  const named = surroundings({ environment: { PATH, CI: "true", SOME_URL: "some://server" } });
  expect(await installed(wanted, named)).toBeUndefined();
});
