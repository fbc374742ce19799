/** A tool call as it goes over the wire, for clients that have no MCP library. MCP, Streamable HTTP. */

/** What a tool answered. */
export interface ToolAnswer {
  readonly isError: boolean;
  readonly text: string;
}

interface WireAnswer {
  readonly result?: { readonly isError?: boolean; readonly content: readonly { readonly type: string }[] };
}

/** The body of a request that uses a tool, and the headers that belong to it. */
export function toolRequest(tool: string): { readonly headers: Headers; readonly body: string } {
  return {
    headers: new Headers({
      accept: "application/json, text/event-stream",
      "content-type": "application/json",
      "mcp-protocol-version": "2025-11-25",
    }),
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: tool, arguments: {} } }),
  };
}

/** Reads the answer to such a request, be it JSON or an event stream with one event. @throws where it is none */
export async function readToolAnswer(response: Response): Promise<ToolAnswer> {
  const text = await response.text();
  const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
  const { result } = JSON.parse(isStream ? (/^data: (.+)$/m.exec(text)?.[1] ?? "{}") : text) as WireAnswer;
  if (result === undefined) throw new Error(`No tool answered; the status was ${response.status}.`);
  return answerOf(result);
}

/** The text of a tool's result, and whether it is a refusal. */
export function answerOf(result: {
  readonly isError?: boolean | undefined;
  readonly content: readonly { readonly type: string }[];
}): ToolAnswer {
  const text = result.content.map((part) => ("text" in part ? String(part.text) : `(${part.type})`));
  return { isError: result.isError === true, text: text.join("\n") };
}

/** Uses a tool with a token, or without one where it is empty, and with nothing in between. */
export async function useTool(
  mcpUrl: URL,
  accessToken: string,
  tool: string,
  fetchIt: typeof fetch = fetch,
): Promise<Response> {
  const { headers, body } = toolRequest(tool);
  if (accessToken !== "") headers.set("authorization", `Bearer ${accessToken}`);
  return fetchIt(mcpUrl, { method: "POST", headers, body });
}

/** Who `whoami` says that a token speaks for; the status where it is refused. */
export async function whoIs(mcpUrl: URL, accessToken: string): Promise<unknown> {
  const response = await useTool(mcpUrl, accessToken, "whoami");
  if (!response.ok) {
    await response.body?.cancel();
    return response.status;
  }
  return subjectOf(await readToolAnswer(response));
}

/** The subject that `whoami` answered. */
export function subjectOf({ text }: ToolAnswer): unknown {
  return (JSON.parse(text) as { readonly subject?: unknown }).subject;
}
