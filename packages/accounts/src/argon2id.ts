/** Argon2id itself, computed by `@node-rs/argon2` on threads that do nothing else. */

import { once } from "node:events";
import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";

/** What a hash costs whoever computes it. */
export interface Argon2Cost {
  /** In KiB. */
  readonly memoryCost: number;
  /** How often the memory is gone over. */
  readonly timeCost: number;
  /** How many lanes the memory is in. */
  readonly parallelism: number;
}

/** The one-way function: Argon2id of version 19, without a key. */
export type Argon2id = (
  password: Uint8Array,
  parameters: Argon2Cost & { readonly salt: Uint8Array; readonly outputLen: number },
) => Promise<Uint8Array>;

/** Runs in each thread. It is text and not a file, so that a server which is bundled into one file has it too. */
const PROGRAM = `
  const { parentPort, workerData } = require("node:worker_threads");
  const { hashRawSync } = require(workerData.library);
  parentPort.on("message", ([password, parameters]) => parentPort.postMessage(hashRawSync(password, parameters)));
`;

/** Threads that wait for a password. The one that was busy last is asked first. */
const idle: Worker[] = [];

/**
 * Computes a hash, in a thread that is started where none waits: as many are as hashes were ever computed at once. Idle ones keep no process from ending.
 *
 * They aren't libuv's threads, which files and names wait for too, and which take turns: then each hash begins on another thread, as often as not on the
 * processor that the event loop is about to need. A guard check that comes meanwhile waited three times as long for it.
 *
 * @throws {Error} what the library says: there is none for this platform, or the parameters are refused
 */
export const argon2idOnThreads: Argon2id = async (password, { salt, ...numbers }) => {
  const thread = idle.pop() ?? startThread();
  // Copies: what a view lies in is sent as a whole, and Node keeps other people's bytes beside it.
  const bytes = [password, salt].map((view) => new Uint8Array(view));
  // Argon2id of version 19, in the numbers of the library: its enums have no value that a module on its own could name.
  const parameters = { ...numbers, salt: bytes[1], algorithm: 2, version: 1 };
  thread.ref();
  thread.postMessage([bytes[0], parameters]);
  // Whatever is thrown in the thread ends it, and is thrown here.
  const [hash] = await once(thread, "message");
  thread.unref();
  idle.push(thread);
  return hash;
};

/** Not before the first hash, so that a server which only checks tokens runs where there is no such library. */
function startThread(): Worker {
  const library = createRequire(import.meta.url).resolve("@node-rs/argon2");
  // What the server was started with (loaders, a debugger, the type of its input) is not for the thread.
  return new Worker(PROGRAM, { eval: true, name: "argon2id", workerData: { library }, execArgv: [] });
}
