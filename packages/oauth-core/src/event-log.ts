/** Hands events to the operator: their own function, or one line on the console for what they have to know. */
import type { OAuthEvent, Observe } from "./domain/events.ts";
import type { Runtime } from "./runtime.ts";

/** Makes the one function through which everything is observed. It never throws: a broken listener must not break a sign-in. */
export function createObserve(onEvent: ((event: OAuthEvent) => void) | undefined, runtime: Runtime): Observe {
  const listener = onEvent ?? logEvent;
  return (happening, traceId) => {
    try {
      listener({ ...happening, at: runtime.now(), traceId });
    } catch (error) {
      console.error("[sallyport] onEvent threw:", error);
    }
  };
}

/** Without a listener: what an operator can't do without, in one line, without causes, which may carry what an upstream said. */
function logEvent(event: OAuthEvent): void {
  const line = lineOf(event);
  if (line === undefined) return;
  const trace = event.traceId === undefined ? "" : ` (trace ${event.traceId})`;
  console.warn(`[sallyport] ${line}${trace}`);
}

function lineOf(event: OAuthEvent): string | undefined {
  switch (event.type) {
    case "warning":
      return event.message;
    case "error":
      return `${event.endpoint} failed: ${event.cause instanceof Error ? event.cause.name : "unknown"}`;
    case "upstream.failed":
      return `upstream ${event.operation} failed: ${event.reason}`;
    case "storage.unreadable":
      return `a ${event.prefix} record can not be read: ${event.why === "key" ? "sealed with another key" : "damaged"}`;
    case "keys.replaced":
      return `keys were replaced and not rotated, what they signed is refused: ${event.purposes.join(", ")}`;
    case "signing_keys.unavailable":
      return `the signing keys can not be had: ${event.cause instanceof Error ? event.cause.name : "unknown"}`;
    case "account.mail_failed":
      return `the mail ${event.mail} could not be sent: ${event.cause instanceof Error ? event.cause.name : "unknown"}`;
    case "refresh_token.reused":
    case "code.replayed":
      return `${event.type}: grant ${event.grant} has been ended`;
    default:
      return undefined;
  }
}
