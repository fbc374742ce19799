/** The lines with which the description of every vendor begins. */
import type { UpstreamDescriptor } from "@sallyport/oauth-core/upstream";
import { type Application, including } from "./application.ts";

/** What every vendor may be told. */
export interface VendorOptions extends Application {
  /** What may be asked of the vendor. What it needs to say who somebody is is always added. Default: see the vendor. */
  readonly scopes?: readonly string[] | undefined;
  /** What people know it as, where they have a choice. Default: the vendor's name. */
  readonly name?: string | undefined;
}

/** What is so where the operator says nothing else. */
export interface VendorDefaults {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  /** Scopes without which the vendor does not say who signed in. */
  readonly needs: readonly string[];
  /** Parameters of the authorization request. */
  readonly params?: Readonly<Record<string, string>>;
}

type Beginning = "id" | "name" | "clientId" | "clientSecret" | "scopes" | "requiredScopes" | "authorizationParams";

/** What the operator says, and where they say nothing, what the vendor has. */
export function vendor(
  options: VendorOptions,
  { id, name, scopes, needs, params }: VendorDefaults,
): Pick<UpstreamDescriptor, Beginning> {
  return {
    id: options.id ?? id,
    name: options.name ?? name,
    clientId: options.clientId,
    clientSecret: options.clientSecret,
    scopes: including(needs, options.scopes ?? scopes),
    requiredScopes: needs,
    authorizationParams: { ...params, ...options.extraAuthorizationParams },
  };
}
