/** All parts of one server, put together once; endpoints and grant types take from it what they need. */
import type { Runtime } from "../runtime.ts";
import type { Bearers } from "./bearers.ts";
import type { BrowserBinding } from "./browser-binding.ts";
import type { Clients } from "./clients.ts";
import type { Codes } from "./codes.ts";
import type { ConnectedGrants } from "./connected-grants.ts";
import type { Observe } from "./events.ts";
import type { Grants } from "./grants.ts";
import type { IdentityProvider } from "./identity-provider.ts";
import type { ScopePolicy } from "./scope-policy.ts";
import type { SignIns } from "./sign-ins.ts";
import type { TokenIssuance } from "./token-issuance.ts";
import type { Transactions } from "./transactions.ts";
import type { UpstreamSessions } from "./upstream-sessions.ts";

export interface Engine {
  readonly issuer: string;
  readonly resources: readonly string[];
  readonly forwardPkce: boolean;
  readonly consentRequired: boolean;
  readonly runtime: Runtime;
  readonly observe: Observe;
  readonly scopes: ScopePolicy;
  readonly clients: Clients;
  readonly transactions: Transactions;
  readonly browserBinding: BrowserBinding;
  readonly identityProvider: IdentityProvider;
  readonly signIns: SignIns;
  readonly codes: Codes;
  readonly grants: Grants;
  readonly issuance: TokenIssuance;
  readonly bearers: Bearers;
  readonly upstreamSessions: UpstreamSessions;
  readonly connectedGrants: ConnectedGrants;
}
