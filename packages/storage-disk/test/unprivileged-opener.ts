/** Opens a store as a user without privileges, and says how it went. */

import { DiskStore, DiskStoreError } from "../src/index.ts";

const [directory = "", user = ""] = process.argv.slice(2);
process.setgid?.(Number(user));
process.setuid?.(Number(user));
try {
  const store = new DiskStore({ directory });
  await store.save("key", "value");
  console.log("saved");
  await store.close();
} catch (error) {
  console.log(error instanceof DiskStoreError ? `${error.reason} ${error.path}` : String(error));
}
