-- who looked at whose data: never changed, and not forgotten within a year, whoever asks
CREATE FUNCTION refuse_forgetting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.at > clock_timestamp() - interval '1 year' THEN
    RAISE EXCEPTION '% is not forgotten within a year', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN OLD;
END $$
--;;
CREATE TRIGGER append_only BEFORE UPDATE ON personal_audit FOR EACH ROW EXECUTE PROCEDURE refuse_change()
--;;
CREATE TRIGGER kept BEFORE DELETE ON personal_audit FOR EACH ROW EXECUTE PROCEDURE refuse_forgetting()
--;;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON consent FOR EACH ROW EXECUTE PROCEDURE refuse_change()
