/** The key set: the public keys that others verify our tokens by. RFC 7517 §5, RFC 8414 §2. */
import type { PublishingSigner } from "../domain/signer.ts";
import { document } from "../transport/reply.ts";
import type { Endpoint } from "./endpoint.ts";

/** Seconds. A key that was taken back is believed for as long by whoever has fetched it; the next one is published long before it signs. */
const MAX_AGE = 300;

/** The endpoint of one signer. */
export function jwks(signer: PublishingSigner): Endpoint {
  return async () =>
    document(JSON.stringify(await signer.jwks()), { type: "application/jwk-set+json", maxAge: MAX_AGE });
}
