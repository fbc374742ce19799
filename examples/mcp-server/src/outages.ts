/** What the log says of a storage server that is away. */
import type { EventEmitter } from "node:events";

/**
 * Tells of the first error of each outage, which ends with the event `recovered`. Requests are answered with 503 meanwhile.
 *
 * Without somebody who listens, an `error` of a client ends the process.
 */
export function tellOutages(client: EventEmitter, recovered: string): void {
  let told = false;
  client.on("error", (error: Error) => {
    if (!told) console.error("storage:", error.message);
    told = true;
  });
  client.on(recovered, () => {
    told = false;
  });
}
