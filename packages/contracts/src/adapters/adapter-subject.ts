/** What an adapter's author hands to the contract: how a server is started with the adapter in it, in the framework's own manner. */

import type { Access, HandleOptions, Reply, Requirement } from "@sallyport/oauth-core";

/** An adapter on trial. */
export interface AdapterSubject {
  /** Starts a server on 127.0.0.1, on a port that is free, with `oauth(app.auth)` and the routes of the app. Servers run side by side. */
  serve(app: AdapterApp): Promise<AdapterServer>;
  /** Seconds after which what has not happened never will, so that a broken adapter does not hang its tests. Default: 10. */
  readonly patience?: number | undefined;
}

/** A running server. */
export interface AdapterServer {
  readonly port: number;
  /** Ends it, with the connections that are still open. */
  close(): Promise<void>;
}

/** What an adapter mounts: as much of an `OAuthProxy` as adapters know. The contract brings stand-ins that see everything. */
export interface MountedServer {
  handle(request: Request, options?: HandleOptions): Promise<Response | undefined>;
  /** Whether `handle` may answer this target and method. An adapter may ask it before anything else, or never. */
  owns?(target: string, method: string): boolean;
  /** What `handle` answers every such request with. An adapter may ask it before `handle`, or never. */
  documentAt?(target: string, method: string): Reply | undefined;
  protect(request: Request, requirement?: Requirement, options?: HandleOptions): Promise<Access | Response>;
  corsHeaders(request: Request): Record<string, string>;
}

/** The application that the adapter is mounted in. */
export interface AdapterApp {
  /** For `oauth(auth)` and `protect(auth, …)`. */
  readonly auth: MountedServer;
  /** The app's own routes, behind `oauth(auth)`. Whatever is none of them gets the framework's own 404. */
  readonly routes: readonly AppRoute[];
  /** Under which path the framework mounts all of it by its own means (a router, a plug-in), such as `/outer`. Default: at the root. */
  readonly prefix?: string | undefined;
  /** For the adapter's option of that name: what a reverse proxy in front cut off the path. Default: nothing. */
  readonly strippedPrefix?: string | undefined;
  /**
   * Where the framework's usual parsers for JSON and for forms stand: `before` `oauth(auth)`, so that they have consumed the body, or
   * `behind` it. A framework that has one place for them puts them there. Default: there are none.
   */
  readonly parsers?: "before" | "behind" | undefined;
  /**
   * Whether the framework is told, by its own means, that one proxy in front is trusted, which adds to the end of `X-Forwarded-For` the
   * address that it was asked from. A framework that has no such setting uses an option of the adapter. Default: nobody is trusted.
   */
  readonly trustsProxy?: boolean | undefined;
  /** For the option `onError` of `oauth` and of `protect`. */
  readonly onError: (error: unknown) => unknown;
}

/** A route of the app: this path exactly, for GET and POST. */
export interface AppRoute {
  /** Below {@link AdapterApp.prefix}. */
  readonly path: string;
  /** Stands behind `protect(auth, requirement)`, where it is given. */
  readonly requirement?: Requirement | undefined;
  /** What the app does. Where it rejects, the framework does what it does with errors of a handler. */
  answer(asked: AppRequest): Promise<AppAnswer>;
}

/** A request as the app sees it. */
export interface AppRequest {
  readonly method: string;
  /** Taken from where the framework's users look for it; `undefined` where there is nothing. */
  readonly access: Pick<Access, "token" | "clientId" | "scopes" | "expiresAt" | "subject"> | undefined;
  /** What the framework's parser made of the body; the text of the body where there are no parsers. */
  body(): Promise<unknown>;
  /** Fulfilled when the client has gone away before it had the whole answer. */
  readonly gone: Promise<void>;
}

/** What the app answers, sent by the framework's own means. */
export interface AppAnswer {
  /** Default: 200. */
  readonly status?: number | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** A text, or pieces of one that are sent as they come. Default: none. */
  readonly body?: string | AsyncIterable<string> | undefined;
}
