/** The body of an incoming request as a web stream, which can be given up without cutting the connection. */
import type { IncomingMessage } from "node:http";
import { type Consumed, recoverBody } from "./consumed-body.ts";

type Controller = ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;

/** A body, and whether anybody has begun to read it. */
export interface RequestBody {
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  used(): boolean;
}

/**
 * Reads only on demand: until somebody does, the request is untouched.
 *
 * `Readable.toWeb` is not used, because cancelling its stream destroys the socket: a body that was too large would be answered with a
 * reset and not with a 4xx. Here the rest is thrown away, and the answer arrives.
 *
 * @param consumed what a parser has left of it, for a body that was read before
 */
export function requestBody(req: IncomingMessage, consumed: Consumed): RequestBody {
  let used = false;
  let release = (): void => undefined;

  const listen = (controller: Controller): void => {
    const onData = (chunk: Uint8Array<ArrayBuffer>): void => {
      req.pause();
      controller.enqueue(chunk);
    };
    const onEnd = (): void => {
      release();
      controller.close();
    };
    const onGone = (): void => {
      release();
      controller.error(new DOMException("The client went away before the request was complete.", "AbortError"));
    };
    release = () => req.off("data", onData).off("end", onEnd).off("error", onGone).off("close", onGone);
    // Paused first, or the listener for data would set the request flowing.
    req.pause().on("data", onData).on("end", onEnd).on("error", onGone).on("close", onGone);
  };

  const wasRead = req.readableEnded || (req.destroyed && req.complete);
  const source = {
    start(controller: Controller) {
      if (wasRead) return;
      if (req.destroyed) {
        controller.error(new DOMException("The client went away before the request was complete.", "AbortError"));
      } else listen(controller);
    },
    pull(controller: Controller) {
      used = true;
      if (!wasRead) {
        req.resume();
        return;
      }
      const bytes = recoverBody(req.headers, consumed);
      if (bytes.byteLength > 0) controller.enqueue(bytes);
      controller.close();
    },
    cancel() {
      used = true;
      release();
      req.resume();
    },
  };
  // Nothing is read ahead, so that the first pull is the first read.
  return { stream: new ReadableStream(source, { highWaterMark: 0 }), used: () => used };
}
