/** What goes over the wire between the client and the server: recorded by a `fetch` that does nothing else. */

/** One request and its answer. */
export interface WireExchange {
  readonly method: string;
  readonly url: URL;
  readonly status: number;
  /** A form's or a JSON body's members, and undefined for neither. */
  readonly sent: Readonly<Record<string, unknown>> | undefined;
  readonly bearer: string | undefined;
  /** A JSON answer's members, and undefined for anything else. */
  readonly received: Readonly<Record<string, unknown>> | undefined;
  readonly challenge: string | undefined;
}

/** A `fetch` with a memory. */
export class Wire {
  readonly #exchanges: WireExchange[] = [];

  /** Bound, so that it can be handed to a client. */
  readonly fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    const sent = membersOf(await request.clone().text());
    const response = await fetch(request);
    const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
    this.#exchanges.push({
      method: request.method,
      url: new URL(request.url),
      status: response.status,
      sent,
      bearer: request.headers.get("authorization")?.replace(/^Bearer /, ""),
      // Anything but JSON may be a stream, which a copy would hold up.
      received: isJson ? membersOf(await response.clone().text()) : undefined,
      challenge: response.headers.get("www-authenticate") ?? undefined,
    });
    return response;
  };

  /** What went over it since this was last asked. */
  take(): readonly WireExchange[] {
    return this.#exchanges.splice(0);
  }
}

function membersOf(body: string): Readonly<Record<string, unknown>> | undefined {
  if (body === "") return undefined;
  if (!body.startsWith("{")) return Object.fromEntries(new URLSearchParams(body));
  const parsed: unknown = JSON.parse(body);
  return typeof parsed === "object" && parsed !== null ? { ...parsed } : undefined;
}
