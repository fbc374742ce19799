/** The public surface of `@sallyport/storage-disk`. */
export { DiskStore, type DiskStoreOptions } from "./disk-store.ts";
export { DiskStoreError, type DiskStoreFailure } from "./disk-store-error.ts";
