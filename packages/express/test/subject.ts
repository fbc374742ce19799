/** Express, in any of its versions, as the adapter contract wants it. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { AdapterSubject, AppAnswer, AppRoute } from "@sallyport/contracts/adapters";
import type express from "express";
import type { Request, RequestHandler, Response } from "express";
import { type Auth, oauth, protect } from "../src/index.ts";

/** What both versions export, and how their parser of forms is told to read them. */
export interface Flavour {
  readonly express: typeof express;
  /** Whether `express.urlencoded` reads brackets as structure, with `qs`. */
  readonly extended: boolean;
}

async function send(res: Response, { status = 200, headers = {}, body = "" }: AppAnswer): Promise<void> {
  res.status(status).set(headers);
  if (typeof body === "string") res.end(body);
  else {
    for await (const piece of body) res.write(piece);
    res.end();
  }
}

function run(route: AppRoute, parsed: boolean, auth: Auth | undefined) {
  return async (req: Request, res: Response): Promise<void> => {
    const gone = new Promise<void>((resolve) => res.once("close", () => res.writableFinished || resolve()));
    const body = async () => (parsed ? req.body : await text(req));
    await send(res, await route.answer({ method: req.method, access: accessOf(auth), body, gone }));
  };
}

/** The access in `req.auth`, where the MCP SDK looks for it. */
function accessOf(auth: Auth | undefined) {
  if (auth === undefined) return undefined;
  const { token, clientId, scopes, expiresAt, extra } = auth;
  return { token, clientId, scopes, expiresAt, subject: extra.subject };
}

export function expressSubject({ express: create, extended }: Flavour): AdapterSubject {
  return {
    async serve({ auth, routes, prefix, strippedPrefix, parsers, trustsProxy, onError }) {
      const options = { onError, strippedPrefix };
      const router = create.Router();
      const parse: readonly RequestHandler[] = [create.json(), create.urlencoded({ extended })];
      if (parsers === "before") router.use(...parse);
      router.use(oauth(auth, options));
      if (parsers === "behind") router.use(...parse);
      for (const route of routes) {
        const path = router.route(route.path);
        const handler: RequestHandler = (req, res) =>
          run(route, parsers !== undefined, "auth" in req ? (req.auth as Auth) : undefined)(req, res);
        const chain =
          route.requirement === undefined ? [handler] : [protect(auth, route.requirement, options), handler];
        path.get(...chain).post(...chain);
      }
      const app = create();
      if (trustsProxy) app.set("trust proxy", 1);
      if (prefix === undefined) app.use(router);
      else app.use(prefix, router);
      const server = app.listen(0, "127.0.0.1");
      await once(server, "listening");
      return {
        port: (server.address() as AddressInfo).port,
        close: () =>
          new Promise((resolve) => {
            server.close(() => resolve());
            server.closeAllConnections();
          }),
      };
    },
  };
}
