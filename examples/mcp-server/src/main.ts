/** The server as a program. */
import { EnvironmentError, readConfiguration } from "./configuration.ts";
import { type RunningServer, startServer } from "./server.ts";

/** Ends with what is in flight finished; a second signal ends at once. */
function closeOnSignals(server: RunningServer): void {
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

try {
  const server = await startServer(readConfiguration(process.env));
  closeOnSignals(server);
  console.log(`ready ${server.baseUrl}`);
} catch (error) {
  // What is wrong with the environment is for people and needs no stack; anything else is a fault and does.
  if (error instanceof EnvironmentError) console.error(error.message);
  else console.error(error);
  process.exitCode = 1;
}
