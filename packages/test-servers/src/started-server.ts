/** A server of a database for a test: on a free port, hurt on request, and gone with its data afterwards. */

import { rmSync } from "node:fs";
import { freePort } from "./free-port.ts";
import { type ServerCommand, ServerProcess } from "./server-process.ts";

const ATTEMPTS = 5;

/** One server. */
export interface StartedServer {
  readonly port: number;
  /** Stops answering, with its connections open. */
  pause(): void;
  resume(): void;
  /** `kill -9`, to all of its processes. */
  kill(): Promise<void>;
  /** Starts it again, on the same port and with the same data. */
  start(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

/** Starts what `commandFor` answers for a port, and removes `directory`, where its data is, when it is stopped or can't be started. */
export async function startedServer(
  directory: string,
  commandFor: (port: number) => Omit<ServerCommand, "directory">,
): Promise<StartedServer> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const server = new ServerProcess({ ...commandFor(port), directory });
    try {
      await server.start();
    } catch (error) {
      // Somebody else may have taken the port.
      if (attempt < ATTEMPTS) continue;
      rmSync(directory, { recursive: true, force: true });
      throw error;
    }
    return {
      port,
      pause: () => server.pause(),
      resume: () => server.resume(),
      kill: () => server.kill(),
      start: () => server.start(),
      stop: async () => {
        server.resume();
        await server.kill();
        rmSync(directory, { recursive: true, force: true });
      },
    };
  }
}
