/** One command to a Redis server, without a client: the inline form of its protocol. */

import { connect } from "node:net";
import { text } from "node:stream/consumers";

/** Sends a command of plain words, and answers with everything that the server said. */
export async function redisCommand(port: number, command: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  // The server answers what it has read before it notices that no more will come.
  socket.end(`${command}\r\n`);
  const reply = await text(socket);
  if (reply.startsWith("-")) throw new Error(`${command}: ${reply.trim()}`);
  return reply;
}
