/** Reading what a tool answered. */
import type { CallToolResult } from "@modelcontextprotocol/client";

/** The text of an answer. */
export function textOf({ content }: CallToolResult): string {
  return content.map((part) => (part.type === "text" ? part.text : `(${part.type})`)).join("\n");
}

/** The members of an answer that is a JSON object. */
export function membersOf(result: CallToolResult): Readonly<Record<string, unknown>> {
  const members: unknown = JSON.parse(textOf(result));
  return typeof members === "object" && members !== null ? { ...members } : {};
}

/** The text of an answer for a terminal: short lists in one line each. */
export function legible(result: CallToolResult): string {
  return textOf(result).replace(
    /\[\s+([^[\]{}]{1,80}?)\s+\]/g,
    (_list, entries: string) => `[${entries.replace(/\s+/g, " ")}]`,
  );
}
