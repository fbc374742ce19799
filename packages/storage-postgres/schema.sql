-- The table of @sallyport/storage-postgres, for those who don't let a server make it with migrate().
--
-- Apply it once:  psql -f schema.sql
-- For another table, replace its name everywhere; its index may have any name.
-- What the server's role needs after that:
--   GRANT SELECT, INSERT, UPDATE, DELETE ON "sallyport_records" TO the_role;

BEGIN;
CREATE TABLE "sallyport_records" (
  key text COLLATE "C" PRIMARY KEY,
  value text COLLATE "C" NOT NULL,
  expires_at timestamptz
);
CREATE INDEX "sallyport_records_expiry" ON "sallyport_records" (expires_at) WHERE expires_at IS NOT NULL;
COMMENT ON TABLE "sallyport_records" IS 'Sallyport storage, schema 1';
COMMIT;
