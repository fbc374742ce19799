/** What an adapter mounts: which requests are answered here, and who is let through to a tool. */
import type { Access } from "./domain/bearers.ts";
import type { Guard, Requirement } from "./guard.ts";
import { type Reply, type ResponseConstructor, toResponse } from "./transport/reply.ts";
import { dispatch, type Router } from "./transport/router.ts";

/** How a runtime wants its answers, and what it knows of a request that the request itself does not say. */
export interface HandleOptions {
  /** What makes a `Response`. Default: the global one. Node adapters pass one that costs less. */
  readonly Response?: ResponseConstructor | undefined;
  /**
   * The address that the connection came from, as the adapter knows it: never read from a header here. Used to slow down guessing; absent
   * where nobody knows.
   */
  readonly clientAddress?: string | undefined;
}

/** The endpoints and the guard of one server. What it says beforehand of a request stands beside what it does, so that the two stay the same. */
export class FrontDoor {
  readonly #router: Router;
  readonly #guard: Guard;

  constructor(router: Router, guard: Guard) {
    this.#router = router;
    this.#guard = guard;
  }

  /** Answers a request for a route, and a preflight of a resource; `undefined` for any other. */
  async handle(request: Request, options: HandleOptions): Promise<Response | undefined> {
    const route = this.#router.find(request);
    // Of an empty header somebody may make an empty address, which would be one for all.
    const clientAddress = options.clientAddress || undefined;
    const reply = route === undefined ? this.#guard.preflight(request) : await dispatch(route, request, clientAddress);
    return reply && toResponse(reply, options.Response ?? Response, request.method);
  }

  /** Whether {@link handle} may answer; `false` is final. */
  owns(target: string, method: string): boolean {
    return this.#router.find({ url: target }) !== undefined || this.#guard.mayPreflight(target, method);
  }

  /** What {@link handle} answers every such request with, where that stands from the start. */
  documentAt(target: string, method: string): Reply | undefined {
    return method === "GET" ? this.#router.documentAt(target) : undefined;
  }

  /** The verified access, or the answer to give instead. */
  async protect(request: Request, requirement: Requirement, options: HandleOptions): Promise<Access | Response> {
    const result = await this.#guard.check(request, requirement);
    return "status" in result ? toResponse(result, options.Response ?? Response, request.method) : result;
  }

  /** The headers that the answers of a protected route need. */
  corsHeaders(request: Request): Record<string, string> {
    return this.#guard.corsHeaders(request);
  }
}
