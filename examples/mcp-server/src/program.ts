/** A server as a program: what it says when it is ready, and how it ends. */
import { EnvironmentError } from "./configuration.ts";

/** What a program keeps up. */
export interface Running {
  /** Where its URLs begin. */
  readonly baseUrl: string;
  /** Takes no more requests, finishes those that it has, and lets everything go. */
  close(): Promise<void>;
}

/** Ends with what is in flight finished; a second signal ends at once. */
function closeOnSignals(server: Running): void {
  let closing = false;
  const close = (signal: NodeJS.Signals): void => {
    if (closing) process.exit(128 + (signal === "SIGINT" ? 2 : 15));
    closing = true;
    server.close().catch((error: unknown) => {
      console.error(error);
      process.exitCode = 1;
    });
  };
  process.on("SIGINT", close);
  process.on("SIGTERM", close);
}

/** Starts a server, says `ready URL`, and keeps it up until a signal comes; where it can't be started, the exit code is 1. */
export async function runProgram(start: () => Promise<Running>): Promise<void> {
  try {
    const server = await start();
    closeOnSignals(server);
    console.log(`ready ${server.baseUrl}`);
  } catch (error) {
    // What is wrong with the environment is for people and needs no stack; anything else is a fault and does.
    if (error instanceof EnvironmentError) console.error(error.message);
    else console.error(error);
    process.exitCode = 1;
  }
}
