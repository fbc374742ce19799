/** What is thrown where nothing should be: a bare 500 for the client, and word of it for the operator. */
import type { AdapterOptions } from "./adapter-options.ts";

/** Tells the operator, and gives the bare 500: an app's own `onError` might show the message to whoever asked. */
export async function failure(
  error: unknown,
  { signal }: Request,
  { onError = printWithoutMessage }: AdapterOptions,
): Promise<Response> {
  if (!isDisconnect(error, signal)) await tell(onError, error);
  return new Response(null, { status: 500, headers: { "content-length": "0" } });
}

/** A client that goes away is no error. */
function isDisconnect(error: unknown, { aborted, reason }: AbortSignal): boolean {
  if (!aborted) return false;
  return error === reason || (error instanceof Error && "code" in error && error.code === "ECONNRESET");
}

async function tell(onError: (error: unknown) => unknown, error: unknown): Promise<void> {
  try {
    await onError(error);
  } catch (another) {
    printWithoutMessage(error);
    printWithoutMessage(another);
  }
}

function printWithoutMessage(error: unknown): void {
  const frames = error instanceof Error ? (error.stack ?? "").match(/^ {4}at .*$/gm) : null;
  const name = error instanceof Error ? error.name : `a thrown ${typeof error}`;
  console.error([`@sallyport/hono: a request failed with ${name}`, ...(frames ?? [])].join("\n"));
}
