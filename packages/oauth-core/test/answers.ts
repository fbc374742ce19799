/** What tests ask of an answer. */

/** Where a redirect leads. */
export function locationOf(response: Response): URL {
  const location = response.headers.get("location");
  if (location === null) throw new Error(`no redirect: ${response.status}`);
  return new URL(location);
}

/** The parameters of the authorization response that a redirect carries. */
export function answerOf(response: Response): Record<string, string> {
  return Object.fromEntries(locationOf(response).searchParams);
}

/** Status and `error` of a refusal that a program gets. */
export async function refusalOf(response: Response): Promise<string> {
  const { error } = (await response.json()) as { error?: unknown };
  return `${response.status} ${String(error)}`;
}

/** Status and heading of a page. */
export async function pageOf(response: Response): Promise<string> {
  const heading = /<h1>(.*?)<\/h1>/.exec(await response.text())?.[1];
  return `${response.status} ${heading ?? "no page"}`;
}
