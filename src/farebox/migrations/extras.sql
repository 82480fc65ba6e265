-- What the models cannot say: extensions, functions, expression indexes. Every statement may run twice.
-- Statements are separated by a line holding only "--;;"

-- search: suggestions forgive accents and typos
CREATE EXTENSION IF NOT EXISTS unaccent
--;;
CREATE EXTENSION IF NOT EXISTS pg_trgm

--;;
-- bookings, payments: what was written down about money and about who did what stays as it was written
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$
--;;
CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON booking_price_line
  FOR EACH ROW EXECUTE PROCEDURE refuse_change()
--;;
CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON booking_audit
  FOR EACH ROW EXECUTE PROCEDURE refuse_change()
--;;
CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger_entry
  FOR EACH ROW EXECUTE PROCEDURE refuse_change()
--;;
-- payments: at commit, each ledger transaction adds up to zero in each currency
CREATE OR REPLACE FUNCTION ledger_must_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT FROM ledger_entry WHERE transaction_id = NEW.transaction_id GROUP BY currency HAVING sum(amount_minor) <> 0
  ) THEN
    RAISE EXCEPTION 'ledger transaction % does not balance', NEW.transaction_id
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NULL;
END $$
--;;
DROP TRIGGER IF EXISTS balanced ON ledger_entry;
CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON ledger_entry
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE PROCEDURE ledger_must_balance()
