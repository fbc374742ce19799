/** SQLite's write-ahead log, read from outside: what was committed, and in how many commits. https://www.sqlite.org/walformat.html */

import { readFileSync } from "node:fs";

const HEADER = 32;
const FRAME_HEADER = 24;

/** How many commits are in the log of a database whose log was never folded: frames that name the size of the database end one. */
export function commitsIn(path: string): number {
  const log = readFileSync(`${path}-wal`);
  const frame = FRAME_HEADER + log.readUInt32BE(8);
  let commits = 0;
  for (let at = HEADER; at + frame <= log.length; at += frame) if (log.readUInt32BE(at + 4) !== 0) commits += 1;
  return commits;
}
