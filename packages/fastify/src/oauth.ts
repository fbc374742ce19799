/** Mounts the endpoints and well-known documents of an authorization server in a Fastify app. */
import { type AdapterOptions, answer, type Endpoints, endpointsOf } from "@sallyport/node-http";
import type { FastifyPluginCallback } from "fastify";

/**
 * A plug-in for every endpoint and well-known document of `auth`. Everything else goes on untouched.
 *
 * It is no route and no content type parser but a hook that runs before either, on the path as it was sent: parsers, `ignoreTrailingSlash`,
 * `caseSensitive` and `rewriteUrl` change nothing. Register it in the app itself, because the well-known documents live at the root. In a
 * plug-in of yours it takes the wildcard route of that plug-in's prefix, for otherwise Fastify would not run the hook there.
 *
 * @example
 * ```ts
 * app.register(oauth(auth));
 * ```
 * @see {@link https://www.rfc-editor.org/rfc/rfc8414#section-3 RFC 8414 §3}
 */
export function oauth(auth: Endpoints, options: AdapterOptions = {}): FastifyPluginCallback {
  const handle = endpointsOf(auth);
  const plugin: FastifyPluginCallback = (app, _, done) => {
    if (!app.hasRequestDecorator("auth")) app.decorateRequest("auth");
    app.addHook("onRequest", (request, reply, goOn) => {
      const settle = (isAnswered: boolean) => (isAnswered ? reply.hijack() : goOn());
      const answered = answer(handle, { req: request.raw, res: reply.raw, peer: request }, options);
      // Known at once, it goes on at once: an asynchronous hook costs more than all the rest.
      if (typeof answered === "boolean") settle(answered);
      else void answered.then(settle);
    });
    // What is no route runs the hooks of the app itself, and never those of a plug-in in it.
    if (!Object.hasOwn(app, "listen")) app.all("/*", { onRequest: (_, reply) => reply.callNotFound() }, unreached);
    done();
  };
  // Without it, the hook would be for routes of a plug-in that has none.
  return Object.assign(plugin, { [Symbol.for("skip-override")]: true });
}

function unreached(): never {
  throw new Error("The wildcard route answers before it gets here.");
}
