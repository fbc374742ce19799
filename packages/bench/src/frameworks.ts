/** The frameworks whose adapters are measured: each with an app that is as bare as it gets, and the adapter in front of it where it is mounted. */

import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import { oauth as expressOauth } from "@sallyport/express";
import { oauth as fastifyOauth } from "@sallyport/fastify";
import { oauth as honoOauth } from "@sallyport/hono";
import { oauth as koaOauth } from "@sallyport/koa";
import { oauth as nodeHttpOauth } from "@sallyport/node-http";
import type { OAuthProxy } from "@sallyport/oauth-core";
import express from "express";
import { fastify } from "fastify";
import { Hono } from "hono";
import Koa from "koa";

/** What the bare app answers by itself, so that both send the same bytes. */
export interface Pages {
  readonly login: string;
  readonly metadata: string;
}

/** The path of each page. */
export const PATHS = { login: "/login", metadata: "/.well-known/oauth-authorization-server" } as const;

/** A server of the bare app, or of the app behind `oauth(auth)`; it does not listen yet. */
export type Framework = (pages: Pages, auth: OAuthProxy | undefined) => Promise<Server> | Server;

/** Headers of the metadata document. */
const DOCUMENT = {
  "content-type": "application/json",
  "cache-control": "public, max-age=3600",
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "www-authenticate, mcp-session-id, mcp-protocol-version",
};

export const frameworks: Readonly<Record<string, Framework>> = {
  "node:http": (pages, auth) => {
    const app = (req: IncomingMessage, res: ServerResponse) => {
      const send = (text: string, headers: OutgoingHttpHeaders) =>
        res.writeHead(200, { ...headers, "content-length": Buffer.byteLength(text) }).end(text);
      if (req.url === PATHS.login) send(pages.login, { "content-type": "text/plain" });
      else if (req.url === PATHS.metadata) send(pages.metadata, DOCUMENT);
      else res.writeHead(404).end();
    };
    if (auth === undefined) return createServer(app);
    const endpoints = nodeHttpOauth(auth);
    return createServer((req, res) => void endpoints(req, res, () => app(req, res)));
  },
  express: (pages, auth) => {
    const app = express();
    if (auth !== undefined) app.use(expressOauth(auth));
    app.get(PATHS.login, (_req, res) => void res.type("text/plain").send(pages.login));
    app.get(PATHS.metadata, (_req, res) => void res.set(DOCUMENT).send(pages.metadata));
    return createServer(app);
  },
  koa: (pages, auth) => {
    const app = new Koa();
    if (auth !== undefined) app.use(koaOauth(auth));
    app.use((ctx) => {
      if (ctx.path === PATHS.login) ctx.body = pages.login;
      else if (ctx.path === PATHS.metadata) {
        ctx.set(DOCUMENT);
        ctx.body = pages.metadata;
      }
    });
    return createServer(app.callback());
  },
  fastify: async (pages, auth) => {
    const app = fastify();
    if (auth !== undefined) app.register(fastifyOauth(auth));
    app.get(PATHS.login, (_request, reply) => reply.type("text/plain").send(pages.login));
    app.get(PATHS.metadata, (_request, reply) => reply.headers(DOCUMENT).send(pages.metadata));
    await app.ready();
    return app.server;
  },
  hono: (pages, auth) => {
    const app = new Hono();
    if (auth !== undefined) app.use(honoOauth(auth));
    // Hono has a shortcut for apps without any middleware, which any middleware at all ends; an app that is worth guarding has one.
    else app.use((_c, next) => next());
    app.get(PATHS.login, (c) => c.text(pages.login));
    app.get(PATHS.metadata, (c) => c.body(pages.metadata, 200, DOCUMENT));
    return createAdaptorServer({ fetch: app.fetch }) as Server;
  },
};
