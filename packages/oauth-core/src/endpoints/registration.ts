/** Dynamic client registration. RFC 7591 §3. */

import type { Engine } from "../domain/engine.ts";
import {
  formatRegistrationResponse,
  parseClientMetadata,
  type RegistrationResponse,
} from "../protocol/client-metadata.ts";
import { scopeOf } from "../protocol/scope.ts";
import { readJson } from "../transport/body.ts";
import { json } from "../transport/reply.ts";
import type { Endpoint } from "./endpoint.ts";

export const registration: Endpoint = async (request, engine) =>
  json(201, await register(engine, await readJson(request)));

/** Registers what a body asks for, and says what has become of it. */
export async function register(engine: Engine, body: unknown): Promise<RegistrationResponse> {
  const metadata = parseClientMetadata(body);
  const { clientId, clientSecret, issuedAt } = await engine.clients.register(metadata);
  const scope = scopeOf(engine.scopes.registered(metadata.scope));
  return formatRegistrationResponse({ metadata, clientId, clientSecret, issuedAt, scope });
}
