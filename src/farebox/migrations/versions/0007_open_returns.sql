-- open returns: what was bought never changes, and each ends once, whoever writes; before the sale it may be undone
CREATE FUNCTION open_return_must_hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF EXISTS (SELECT FROM booking WHERE id = OLD.booking_id AND confirmed_at IS NOT NULL) THEN
      RAISE EXCEPTION 'an open return that was sold is not deleted' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN OLD;
  END IF;
  IF OLD.status <> 'open' THEN
    RAISE EXCEPTION 'an open return does not go from % to %', OLD.status, NEW.status
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF to_jsonb(OLD) - '{passenger_id,status,item_id,reminded_at,ended_at}'::text[]
    IS DISTINCT FROM to_jsonb(NEW) - '{passenger_id,status,item_id,reminded_at,ended_at}'::text[] THEN
    RAISE EXCEPTION 'what an open return is for, and its price, do not change'
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$
--;;
CREATE TRIGGER holds BEFORE UPDATE OR DELETE ON open_return FOR EACH ROW EXECUTE PROCEDURE open_return_must_hold()
