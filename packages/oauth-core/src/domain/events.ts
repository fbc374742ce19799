/** Everything worth observing, as one typed union. No event carries a token, a code, a secret, a verifier or a stranger's text. */
import type { Reason } from "../protocol/errors.ts";

/** Why a grant ended. */
export type RevocationCause =
  | "account"
  | "client"
  | "code_replay"
  | "not_allowed"
  | "operator"
  | "refresh_token_reuse"
  | "upstream";

/** What this server asked of the upstream, or, with `begin`, had to know of it before a person could be sent there. */
export type UpstreamOperation = "begin" | "exchange" | "refresh" | "revoke";

/** Who did something to an account of ours: its person, or the operator. */
export type AccountActor = "person" | "operator";

interface Client {
  readonly clientId: string;
}

interface Owned {
  /** The account's id. */
  readonly subject: string;
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
  | ({ readonly type: "consent.granted"; readonly remembered: boolean; readonly provider: string } & Client)
  /** Nobody has to be asked, and they may choose where to sign in. */
  | ({ readonly type: "sign_in.offered"; readonly providers: readonly string[] } & Client)
  | ({ readonly type: "consent.denied" } & Client)
  | ({ readonly type: "sign_in.completed"; readonly subject: string; readonly provider: string } & Client)
  /** The option `allow` does not let them in; or, with `grant`, no more. */
  | ({
      readonly type: "sign_in.refused";
      readonly subject: string;
      readonly provider: string;
      readonly grant?: string | undefined;
    } & Client)
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
      /** The id of the provider; `upstream` for the one of the `upstream…` options. */
      readonly provider: string;
      readonly reason: Reason;
      readonly cause?: unknown;
    }
  /** A key that others can verify our tokens by from now on, and that signs from `signsFrom` on (seconds since 1970); for the very first that is now. */
  | {
      readonly type: "signing_key.published";
      readonly kid: string;
      readonly alg: string;
      readonly signsFrom: number;
    }
  /** A key whose signatures count no more: its last token has expired, or the operator took it back. */
  | { readonly type: "signing_key.retired"; readonly kid: string }
  /** They can't be had or read; told once until they can. What is in memory serves for as long as that is safe. */
  | { readonly type: "signing_keys.unavailable"; readonly cause: unknown }
  /** These keys are others than before, which are in no list: what those signed is refused from now on. Told once for each change, by one replica. */
  | { readonly type: "keys.replaced"; readonly purposes: readonly string[] }
  | ({ readonly type: "account.created"; readonly by: AccountActor } & Owned)
  | ({
      readonly type: "account.changed";
      readonly by: AccountActor;
      readonly what: readonly ("profile" | "password" | "roles" | "disabled" | "enabled")[];
    } & Owned)
  /** Somebody has proven who they are, by these methods (RFC 8176), and a session of the browser begins. */
  | ({ readonly type: "account.signed_in"; readonly methods: readonly string[] } & Owned)
  /** `subject` is absent where nobody has the name that was typed, or it was not looked for. */
  | {
      readonly type: "account.sign_in_failed";
      readonly subject: string | undefined;
      readonly because: "credentials" | "disabled" | "slowed_down";
    }
  | ({ readonly type: "account.signed_out"; readonly by: AccountActor; readonly everywhere: boolean } & Owned)
  /** `subject` is absent where the address is nobody's yet. */
  | { readonly type: "account.mailed"; readonly mail: string; readonly subject: string | undefined }
  | {
      readonly type: "account.mail_failed";
      readonly mail: string;
      readonly subject: string | undefined;
      readonly cause: unknown;
    }
  | ({ readonly type: "account.linked" | "account.unlinked"; readonly provider: string } & Owned)
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
