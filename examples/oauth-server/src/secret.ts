/** The secret of a server that was given none: made up at each start, or once and kept where the users are. */
import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { EnvironmentError } from "@sallyport/example-mcp-server/configuration";

/** 32 bytes, from which every key is derived. */
export function newSecret(): string {
  return randomBytes(32).toString("base64url");
}

/**
 * The secret that is kept in a directory, made up where there is none yet. It appears there whole or not at all, so that processes that start together agree on one.
 *
 * Danger: whoever can read the directory can open everything in it. That is for trying things out; elsewhere the secret is kept apart from what it seals.
 *
 * @throws {EnvironmentError} where what is kept there is none
 */
export function keptSecret(directory: string): string {
  const path = join(directory, "secret");
  return read(path) ?? make(path);
}

function read(path: string): string | undefined {
  try {
    const secret = readFileSync(path, "utf8").trim();
    // Another one in its place would open nothing of what is there.
    if (Buffer.byteLength(secret) < 32) throw new EnvironmentError([`SECRET: ${path} holds none of 32 bytes`]);
    return secret;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function make(path: string): string {
  const secret = newSecret();
  const draft = `${path}.${randomBytes(8).toString("hex")}`;
  const file = openSync(draft, "wx", 0o600);
  try {
    writeSync(file, `${secret}\n`);
    fsyncSync(file);
    // Unlike a rename, a link never takes the place of what another process has put there meanwhile.
    linkSync(draft, path);
    return secret;
  } catch (error) {
    const other = codeOf(error) === "EEXIST" ? read(path) : undefined;
    if (other === undefined) throw error;
    return other;
  } finally {
    closeSync(file);
    rmSync(draft);
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
