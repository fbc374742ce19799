/** The server as a program. */
import { readConfiguration } from "./configuration.ts";
import { runProgram } from "./program.ts";
import { startServer } from "./server.ts";

await runProgram(() => startServer(readConfiguration(process.env)));
