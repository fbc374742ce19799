/** Protected resource metadata: which authorization server a resource trusts. RFC 9728. */

/**
 * The metadata document of one protected resource. Clients refuse `null` in it, so what is absent is left out.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9728#section-2 RFC 9728 §2}
 */
export interface ResourceMetadata {
  readonly resource: string;
  readonly authorization_servers: readonly [string];
  readonly scopes_supported?: readonly string[];
  readonly bearer_methods_supported: readonly ["header"];
  readonly resource_name?: string;
}

/**
 * Writes the metadata document of a protected resource.
 *
 * @param description `resource` is the identifier that clients use, path included: a client refuses the document of another one;
 * `issuer` is the identifier of the authorization server, not the URL of its metadata; `scopes` are the basic ones, because
 * clients without a better hint ask for all of them.
 * @see {@link https://www.rfc-editor.org/rfc/rfc9728#section-2 RFC 9728 §2}
 */
export function formatResourceMetadata(description: {
  readonly resource: string;
  readonly issuer: string;
  readonly scopes: Iterable<string>;
  readonly resourceName?: string | undefined;
}): ResourceMetadata {
  // `offline_access` is a wish to the authorization server and no right at the resource; listed here, every client would ask for it.
  const scopes = [...new Set(description.scopes)].filter((scope) => scope !== "offline_access");
  return {
    resource: description.resource,
    authorization_servers: [description.issuer],
    ...(scopes.length === 0 ? {} : { scopes_supported: scopes }),
    // RFC 9728 §2: stated, because a token in a query or a form is not read here.
    bearer_methods_supported: ["header"],
    ...(description.resourceName ? { resource_name: description.resourceName } : {}),
  };
}
