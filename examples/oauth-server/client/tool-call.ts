/** A tool call as it goes over the wire. MCP, Streamable HTTP. */

/** What came of a call: what the tool answered, or why it was not asked. */
export type ToolOutcome =
  | { readonly answer: unknown }
  | { readonly status: number; readonly error: string | undefined; readonly scope: string | undefined };

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

interface WireAnswer {
  readonly result?: { readonly content: readonly { readonly text?: string }[] };
}

/** Reads what a tool has answered, be it JSON or an event stream with one event. @throws where none did */
export async function readAnswer(response: Response): Promise<unknown> {
  const text = await response.text();
  const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
  const { result } = JSON.parse(isStream ? (/^data: (.+)$/m.exec(text)?.[1] ?? "{}") : text) as WireAnswer;
  const answer = result?.content[0]?.text;
  if (answer === undefined) throw new Error(`No tool answered; the status was ${response.status}.`);
  return JSON.parse(answer) as unknown;
}
