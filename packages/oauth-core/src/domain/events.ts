/** Everything worth observing, as one typed union. No event carries a token, a code, a secret, a verifier or a stranger's text. */
import type { Reason } from "../protocol/errors.ts";

/** Why a grant ended. */
export type RevocationCause = "client" | "code_replay" | "operator" | "refresh_token_reuse" | "upstream";

/** What this server asked of the upstream. */
export type UpstreamOperation = "exchange" | "refresh" | "revoke";

interface Client {
  readonly clientId: string;
}

interface Granted extends Client {
  /** Names one grant, and is no credential. */
  readonly grant: string;
  readonly subject: string;
}

/** What happened, without when and where. */
export type Happening =
  | ({ readonly type: "client.registered"; readonly clientName: string | undefined; readonly stored: boolean } & Client)
  /** `scopes` is what is asked for; `code.redeemed` says under the same `traceId` what was granted. */
  | ({ readonly type: "consent.shown"; readonly scopes: readonly string[] } & Client)
  | ({ readonly type: "consent.granted"; readonly remembered: boolean } & Client)
  | ({ readonly type: "consent.denied" } & Client)
  | ({ readonly type: "sign_in.completed"; readonly subject: string } & Client)
  | {
      readonly type: "sign_in.failed";
      readonly reason: Reason;
      readonly clientId: string | undefined;
      readonly cause?: unknown;
    }
  | ({ readonly type: "code.issued"; readonly subject: string } & Client)
  | ({ readonly type: "code.redeemed"; readonly scopes: readonly string[] } & Granted)
  | ({ readonly type: "code.duplicated"; readonly grant: string } & Client)
  | ({ readonly type: "code.replayed" } & Granted)
  | ({ readonly type: "grant.refreshed"; readonly retried: boolean } & Granted)
  | ({ readonly type: "refresh_token.reused" } & Granted)
  | ({ readonly type: "grant.revoked"; readonly because: RevocationCause } & Granted)
  | { readonly type: "request.refused"; readonly endpoint: string; readonly reason: Reason; readonly cause?: unknown }
  | { readonly type: "access.refused"; readonly reason: Reason }
  | { readonly type: "upstream.refreshed"; readonly grant: string }
  | {
      readonly type: "upstream.failed";
      readonly operation: UpstreamOperation;
      readonly reason: Reason;
      readonly cause?: unknown;
    }
  | { readonly type: "storage.unreadable"; readonly why: "key" | "damaged"; readonly prefix: string }
  | { readonly type: "warning"; readonly message: string }
  | { readonly type: "error"; readonly endpoint: string; readonly cause: unknown };

/**
 * One thing that happened, as `onEvent` is told it.
 *
 * `at` is in whole seconds since 1970. `traceId` also stands on the error page that a person saw, so that a report can be found in the log;
 * all events of one authorization share it. `cause` is an error for the operator's log: it may carry what an upstream said, so keep it out of answers.
 */
export type OAuthEvent = Happening & { readonly at: number; readonly traceId: string | undefined };

/** Tells an event to whoever listens; never throws. */
export type Observe = (happening: Happening, traceId?: string) => void;
