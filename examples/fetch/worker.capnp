# The example as a Worker, for workerd, the runtime of Cloudflare Workers.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "example", worker = .example),
    # The demo identity provider has a private address.
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", http = (), service = "example")],
);

const example :Workerd.Worker = (
  modules = [(name = "main.js", esModule = embed "dist/main.js")],
  # Sallyport needs nodejs_compat, which is on by default since 2026-08-04.
  compatibilityDate = "2026-11-01",
  bindings = [
    (name = "BASE_URL", fromEnvironment = "BASE_URL"),
    (name = "UPSTREAM_AUTHORIZATION_ENDPOINT", fromEnvironment = "UPSTREAM_AUTHORIZATION_ENDPOINT"),
    (name = "UPSTREAM_TOKEN_ENDPOINT", fromEnvironment = "UPSTREAM_TOKEN_ENDPOINT"),
    (name = "UPSTREAM_CLIENT_ID", fromEnvironment = "UPSTREAM_CLIENT_ID"),
    (name = "UPSTREAM_CLIENT_SECRET", fromEnvironment = "UPSTREAM_CLIENT_SECRET"),
  ],
);
