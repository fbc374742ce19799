/** The identity provider as a program, configured by the environment. */
import {
  type IdentityProviderClient,
  type IdentityProviderOptions,
  startIdentityProvider,
} from "./identity-provider.ts";

function wholeNumber(name: string, most: number): number | undefined {
  const value = process.env[name];
  if (value === undefined || value === "") return undefined;
  if (!/^\d{1,9}$/.test(value) || Number(value) > most)
    throw new Error(`${name}: has to be a whole number up to ${most}`);
  return Number(value);
}

function client(): IdentityProviderClient {
  const redirectUris = (process.env.REDIRECT_URIS ?? "http://127.0.0.1:3000/oauth/callback")
    .split(",")
    .map((uri) => uri.trim());
  if (!redirectUris.every((uri) => URL.canParse(uri)))
    throw new Error("REDIRECT_URIS: has to be a list of absolute URLs, with commas between");
  return {
    clientId: process.env.CLIENT_ID || "sallyport",
    clientSecret: process.env.CLIENT_SECRET || "a-secret-for-demonstrations-only",
    clientName: process.env.CLIENT_NAME || "Sallyport",
    redirectUris,
  };
}

function options(): IdentityProviderOptions {
  return {
    host: process.env.HOST || undefined,
    port: wholeNumber("PORT", 65_535) ?? 4000,
    accessTokenTtl: wholeNumber("ACCESS_TOKEN_TTL", 999_999_999),
    refreshTokenTtl: wholeNumber("REFRESH_TOKEN_TTL", 999_999_999),
    clients: [client()],
    intercept: (req, res) => {
      const [path] = (req.url ?? "/").split("?", 1);
      res.once("finish", () => console.log(`${req.method} ${path} ${res.statusCode}`));
      return false;
    },
  };
}

try {
  const provider = await startIdentityProvider(options());
  console.log(`ready ${provider.issuer}`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void provider.close());
} catch (error) {
  console.error(`demo identity provider: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
