/** Fetches a key set: no redirect is followed, nothing waits forever, and nothing large is read. RFC 7517 §8.5. */
import { KeySetError } from "./key-set-error.ts";

/** What makes an outgoing request: the global `fetch`, or what stands in for it. */
export type Fetch = (input: string, init: RequestInit) => Promise<Response>;

/** The largest key sets, with certificate chains, have some 30 KiB. */
const LARGEST_DOCUMENT = 256 * 1024;

/**
 * The text under an address.
 *
 * @throws {KeySetError} `timeout`, `unreachable`, `redirect`, `status`, `too_large`, `malformed` (not UTF-8)
 */
export async function fetchKeySet(fetch: Fetch, uri: string, timeoutMs: number): Promise<string> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    return await Promise.race([answer(fetch, uri, signal), aborted(signal)]);
  } catch (cause) {
    if (cause instanceof KeySetError) throw cause;
    throw new KeySetError(signal.aborted ? "timeout" : "unreachable", { cause });
  }
}

async function answer(fetch: Fetch, uri: string, signal: AbortSignal): Promise<string> {
  const response = await fetch(uri, {
    headers: { accept: "application/jwk-set+json, application/json" },
    // A redirect names the place whose keys are believed, or a host of the inner network: whoever can answer one would choose it.
    redirect: "manual",
    signal,
  });
  if (response.status === 200) return readBounded(response);
  await response.body?.cancel();
  const redirected = (response.status >= 300 && response.status < 400) || response.type === "opaqueredirect";
  throw new KeySetError(redirected ? "redirect" : "status");
}

async function readBounded(response: Response): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Counted as it arrives, after decompression: a length that was announced is only a claim.
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array> | []) {
    size += chunk.byteLength;
    if (size > LARGEST_DOCUMENT) throw new KeySetError("too_large");
    chunks.push(chunk);
  }
  try {
    return decoder.decode(Buffer.concat(chunks));
  } catch (cause) {
    throw new KeySetError("malformed", { cause });
  }
}

/** Also for a `fetch` or a body that does not listen to its signal: one that hung would hold up every token after it. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
