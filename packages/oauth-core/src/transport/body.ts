/** Request bodies: bounded, of the right type, strictly read. RFC 6749 appendix B. */
import { OAuthProxyError } from "../protocol/errors.ts";
import { type Parameters, parseParameters } from "../protocol/parameters.ts";

/** 64 KiB. */
export const LARGEST_BODY = 64 * 1024;
/** JSON nested deeper than this is no client metadata. */
const DEEPEST = 8;

/** A form. @throws {OAuthProxyError} `content_type`, `body_too_large`, `malformed_parameters`, `repeated_parameter` */
export async function readForm(request: Request): Promise<Parameters> {
  // RFC 6749 §4.1.3: form-encoded only. A JSON or multipart body would be read by one party and not by another.
  expectType(request, "application/x-www-form-urlencoded");
  return parseParameters(await readText(request));
}

/** A JSON value. @throws {OAuthProxyError} `content_type`, `body_too_large`, `malformed_body` */
export async function readJson(request: Request): Promise<unknown> {
  expectType(request, "application/json");
  const text = await readText(request);
  refuseDepth(text);
  try {
    return JSON.parse(text);
  } catch {
    // Without the cause: the parser's message quotes what a stranger sent.
    throw new OAuthProxyError("malformed_body");
  }
}

function expectType(request: Request, type: string): void {
  const given = (request.headers.get("content-type") ?? "").split(";", 1)[0] ?? "";
  if (given.trim().toLowerCase() !== type) throw new OAuthProxyError("content_type");
}

async function readText(request: Request): Promise<string> {
  const announced = Number(request.headers.get("content-length") ?? 0);
  if (announced > LARGEST_BODY) throw new OAuthProxyError("body_too_large");
  if (request.body === null) return "";
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = request.body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      // The announced length may be absent or a lie: what counts is what arrives.
      size += value.byteLength;
      if (size > LARGEST_BODY) throw new OAuthProxyError("body_too_large");
      chunks.push(value);
    }
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks));
  } catch (cause) {
    // The rest is not wanted; a body that can't be cancelled any more has ended by itself.
    await reader.cancel().catch(() => undefined);
    throw cause instanceof OAuthProxyError ? cause : new OAuthProxyError("malformed_body", { cause });
  }
}

/** Before `JSON.parse`: brackets nested by the thousand cost a stack, and nothing here nests. */
function refuseDepth(text: string): void {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (inString) {
      if (character === "\\") at++;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === "{" || character === "[") depth++;
    else if (character === "}" || character === "]") depth--;
    if (depth > DEEPEST) throw new OAuthProxyError("malformed_body");
  }
}
