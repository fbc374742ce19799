/** What all endpoints have in common: who asks, what they are told when it can't be done, and that the operator hears of it. */
import type { Engine } from "../domain/engine.ts";
import { errorPage } from "../pages/error.ts";
import { STYLE_HASH } from "../pages/layout.ts";
import type { OAuthProxyError } from "../protocol/errors.ts";
import { errorReply, retryHeaders, toRefusal } from "../transport/error-reply.ts";
import { page, type Reply } from "../transport/reply.ts";
import type { Handler } from "../transport/router.ts";

/** An endpoint for programs. */
export type Endpoint = (request: Request, engine: Engine) => Promise<Reply>;

/** An endpoint that a person's browser visits. `trace` tells the id that an error page would show. */
export type PageEndpoint = (request: Request, context: PageContext) => Promise<Reply>;

export interface PageContext {
  readonly engine: Engine;
  readonly pages: PageSettings;
  readonly trace: Trace;
  /** Where the connection came from, as the adapter knows it. */
  readonly clientAddress: string | undefined;
}

/** How pages look and where their forms lead. */
export interface PageSettings {
  readonly serverName: string;
  readonly scopeDescriptions: Readonly<Record<string, string>>;
  /** The path or URL of the consent endpoint. */
  readonly consentAction: string;
  /** Our own origin. */
  readonly origin: string;
  /** Whether cookies are `Secure`. */
  readonly secure: boolean;
}

/** One id for all that belongs to one authorization. It begins as a fresh one and becomes the transaction's. */
export class Trace {
  id: string;

  constructor(id: string) {
    this.id = id;
  }
}

/** Answers a program, and tells the operator of refusals. */
export function forPrograms(name: string, endpoint: Endpoint, engine: Engine): Handler {
  return async (request) => {
    try {
      return await endpoint(request, engine);
    } catch (error) {
      const refusal = toRefusal(error);
      observeRefusal(engine, name, refusal, undefined);
      return errorReply(refusal, request.headers.has("authorization"));
    }
  };
}

/** Answers a person, with a page where it can't go on. */
export function forPeople(name: string, endpoint: PageEndpoint, engine: Engine, pages: PageSettings): Handler {
  return async (request, clientAddress) => {
    const trace = new Trace(newTraceId(engine));
    try {
      return await endpoint(request, { engine, pages, trace, clientAddress });
    } catch (error) {
      const refusal = toRefusal(error);
      observeRefusal(engine, name, refusal, trace.id);
      return refusalPage(refusal, trace.id);
    }
  };
}

/** 64 random bits in hex: readable over the telephone. */
function newTraceId(engine: Engine): string {
  return Buffer.from(engine.runtime.randomBytes(8)).toString("hex");
}

function observeRefusal(
  { observe }: Engine,
  endpoint: string,
  refusal: OAuthProxyError,
  traceId: string | undefined,
): void {
  if (refusal.reason === "internal") observe({ type: "error", endpoint, cause: refusal.cause }, traceId);
  else observe({ type: "request.refused", endpoint, reason: refusal.reason, cause: refusal.cause }, traceId);
}

/** A page that says what happened. Nothing is redirected from here: who gets this far has not proven where to. */
function refusalPage(error: OAuthProxyError, traceId: string): Reply {
  const { title, advice, status } = WORDS[kindOf(error)];
  const text = errorPage({ title, description: error.description, advice, traceId });
  return page(status, text, STYLE_HASH, [], retryHeaders(error));
}

type Kind = "expired" | "finished" | "client" | "browser" | "provider" | "forbidden" | "later" | "broken" | "request";

const WORDS: Readonly<Record<Kind, { title: string; advice: string; status: number }>> = {
  expired: {
    title: "This sign-in has expired",
    advice: "Go back to your application and start to sign in again.",
    status: 400,
  },
  finished: {
    title: "This sign-in is finished",
    advice: "You can close this page. If your application still waits, start to sign in again from there.",
    status: 400,
  },
  client: {
    title: "This application is not known here",
    advice: "Remove the server from your application and add it again, so that it registers anew.",
    status: 400,
  },
  browser: {
    title: "This sign-in is not open in this browser",
    advice:
      "It was begun in another browser, or is finished already. Start to sign in again, and finish in the same browser. If you did not start it yourself, close this page.",
    status: 400,
  },
  provider: {
    title: "This answer is not from where you signed in",
    advice: "Start to sign in again. If you did not start it yourself, close this page.",
    status: 400,
  },
  forbidden: {
    title: "This form can not be accepted",
    advice: "Go back to your application and start to sign in again. Cookies have to be allowed for this site.",
    status: 403,
  },
  later: { title: "This can not be done right now", advice: "Try again in a moment.", status: 503 },
  broken: {
    title: "Something went wrong",
    advice: "Try again. If it keeps happening, tell the people who run this server.",
    status: 500,
  },
  request: {
    title: "This sign-in can not begin",
    advice: "The application sent a request that this server can not accept. Tell the people who make it.",
    status: 400,
  },
};

function kindOf(error: OAuthProxyError): Kind {
  switch (error.reason) {
    case "transaction_unknown":
      return "expired";
    case "transaction_used":
      return "finished";
    case "client_unknown":
      return "client";
    case "browser_mismatch":
      return "browser";
    case "provider_mismatch":
      return "provider";
    case "consent_forged":
      return "forbidden";
    default:
      return error.code === "temporarily_unavailable" ? "later" : error.code === "server_error" ? "broken" : "request";
  }
}
