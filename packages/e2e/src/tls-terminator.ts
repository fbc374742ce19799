/** A proxy that ends TLS and passes on the rest as it came, with a certificate that it has made for itself. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "node:tls";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A proxy that listens. */
export interface TlsTerminator {
  readonly origin: string;
  /** To which port everything goes; before that it goes nowhere. */
  forward(port: number): void;
  close(): Promise<void>;
}

/** Starts one; `undefined` where there is no `openssl` to make a certificate with. */
export async function startTlsTerminator(): Promise<TlsTerminator | undefined> {
  const pair = await selfSigned();
  if (pair === undefined) return undefined;
  let target = 0;
  const sockets = new Set<{ destroy(): unknown }>();
  const server = createServer(pair, (socket) => {
    const inner = connect(target, "127.0.0.1");
    // Whichever end goes away takes the other one along.
    for (const [one, other] of [
      [socket, inner],
      [inner, socket],
    ] as const)
      one.on("error", () => other.destroy()).pipe(other);
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    origin: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    forward: (port) => {
      target = port;
    },
    close: async () => {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

async function selfSigned(): Promise<{ readonly key: Buffer; readonly cert: Buffer } | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "sallyport-tls-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"];
  try {
    await run("openssl", ["req", "-x509", ...curve, ...subject, "-keyout", key, "-out", cert]);
    return { key: await readFile(key), cert: await readFile(cert) };
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  } finally {
    await rm(folder, { recursive: true });
  }
}
