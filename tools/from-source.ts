/** Loaded with `--import` by the programs that tests start: `@sallyport/x/y` is packages/x/src/y.ts there too, and no test needs a build. */
import { registerHooks } from "node:module";

registerHooks({
  resolve(specifier, context, nextResolve) {
    const [, name, subpath = "index"] = /^@sallyport\/([^/]+)(?:\/([^/]+))?$/.exec(specifier) ?? [];
    return name === undefined || subpath === "package.json"
      ? nextResolve(specifier, context)
      : nextResolve(new URL(`../packages/${name}/src/${subpath}.ts`, import.meta.url).href, context);
  },
});
