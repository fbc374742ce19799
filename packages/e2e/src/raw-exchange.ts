/** Bytes on a socket, as nobody's HTTP library would send them. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** What became of a connection. */
export interface RawAnswer {
  /** The status of each answer that came, in order. */
  readonly statuses: readonly number[];
  /** All that came, one character for each byte. */
  readonly text: string;
}

/** What to send: text, bytes, or something that makes them one after the other. */
export type Bytes = string | Uint8Array | Iterable<Uint8Array>;

/**
 * Sends bytes and reads until the server closes the connection. Ask it to, with `connection: close`, where it has no other reason.
 *
 * A server that closes while it is still being sent something is no error: that is what it is to do.
 */
export async function exchange(url: URL, bytes: Bytes): Promise<RawAnswer> {
  const socket = await open(url);
  const received: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => received.push(chunk));
  const closed = closing(socket);
  await send(socket, bytes);
  await closed;
  const text = Buffer.concat(received).toString("latin1");
  return { statuses: [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status)), text };
}

/** Sends bytes and hangs up without waiting for anything. */
export async function sendAndHangUp(url: URL, bytes: Bytes): Promise<void> {
  const socket = await open(url);
  await send(socket, bytes);
  const closed = closing(socket);
  socket.resetAndDestroy();
  await closed;
}

async function open({ hostname, port }: URL): Promise<Socket> {
  const socket = connect({ host: hostname, port: Number(port) });
  await once(socket, "connect");
  // A reset is one of the ways in which a connection may be closed.
  socket.on("error", () => socket.destroy());
  return socket;
}

/** Fulfilled however the connection is closed. */
async function closing(socket: Socket): Promise<void> {
  if (!socket.closed) await new Promise((resolve) => socket.once("close", resolve));
}

async function send(socket: Socket, bytes: Bytes): Promise<void> {
  const chunks = typeof bytes === "string" || bytes instanceof Uint8Array ? [bytes] : bytes;
  for (const chunk of chunks) {
    if (socket.destroyed) return;
    if (socket.write(chunk)) continue;
    await Promise.race([new Promise((resolve) => socket.once("drain", resolve)), closing(socket)]);
  }
}
