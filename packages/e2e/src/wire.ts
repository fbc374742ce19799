/** What went over the wire: a `fetch` that remembers which requests were made, and how they were answered. */

/** One request and its answer. */
export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

/** What the libraries hand over: some of them name a body that is not there. */
type Init = Omit<RequestInit, "body" | "signal"> & { [Name in "body" | "signal"]?: RequestInit[Name] | undefined };

/** A `fetch` with a memory. */
export class Wire {
  readonly exchanges: Exchange[] = [];

  /** Bound, so that it can be handed to a client. */
  readonly fetch = async (input: string | URL | Request, init: Init = {}): Promise<Response> => {
    const { body = null, signal = null, ...rest } = init;
    const request = new Request(input, { ...rest, body, signal });
    const response = await fetch(request);
    this.exchanges.push({
      method: request.method,
      path: new URL(request.url).pathname,
      status: response.status,
    });
    return response;
  };

  /** In order, each as `POST /mcp 401`. */
  get lines(): string[] {
    return this.exchanges.map(({ method, path, status }) => `${method} ${path} ${status}`);
  }
}
