CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON booking_price_line
  FOR EACH ROW EXECUTE PROCEDURE refuse_change()
--;;
CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON booking_audit
  FOR EACH ROW EXECUTE PROCEDURE refuse_change()
--;;
CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger_entry
  FOR EACH ROW EXECUTE PROCEDURE refuse_change()
--;;
DROP TRIGGER IF EXISTS balanced ON ledger_entry;
CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON ledger_entry
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE PROCEDURE ledger_must_balance()
--;;
CREATE INDEX IF NOT EXISTS ix_place_search ON place
  USING gin (search_names(name, names) gin_trgm_ops) WITH (fastupdate = off)
--;;
CREATE INDEX IF NOT EXISTS ix_stop_search ON stop
  USING gin (search_names(name, names) gin_trgm_ops) WITH (fastupdate = off)
