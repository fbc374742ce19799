/** Server metadata in the shape that programs written against the documented method expect: the RFC's members in camelCase. */
import type { ServerMetadata } from "./protocol/server-metadata.ts";

/** RFC 8414 §2, in camelCase. */
export interface AuthorizationServerMetadata {
  issuer: string;
  authorizationEndpoint: string;
  tokenEndpoint: string;
  registrationEndpoint?: string;
  revocationEndpoint?: string;
  jwksUri?: string;
  scopesSupported?: string[];
  responseTypesSupported: string[];
  responseModesSupported?: string[];
  grantTypesSupported?: string[];
  tokenEndpointAuthMethodsSupported?: string[];
  revocationEndpointAuthMethodsSupported?: string[];
  codeChallengeMethodsSupported?: string[];
  authorizationResponseIssParameterSupported?: boolean;
}

/** Renames the members of the wire document; it adds and leaves out nothing. */
export function toCamelCase(metadata: ServerMetadata): AuthorizationServerMetadata {
  const renamed = Object.entries(metadata).map(([name, value]) => [
    name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    value,
  ]);
  return Object.fromEntries(renamed) as AuthorizationServerMetadata;
}
