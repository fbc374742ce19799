/** Starts a server, pauses it, says so, and waits for its own end. */

import { startPostgres, startRedis } from "../src/index.ts";

const [kind] = process.argv.slice(2);
const server = await (kind === "Redis" ? startRedis() : startPostgres());
server.pause();
console.log("paused");
process.stdin.resume();
