-- what was bought never changes, but that its end goes along where its owner gets another seat on the ride there
CREATE OR REPLACE FUNCTION open_return_must_hold() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  free text[] := '{passenger_id,status,item_id,reminded_at,ended_at}';
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
  IF NEW.passenger_id <> OLD.passenger_id THEN
    free := free || '{valid_until}';
  END IF;
  IF to_jsonb(OLD) - free IS DISTINCT FROM to_jsonb(NEW) - free THEN
    RAISE EXCEPTION 'what an open return is for, and its price, do not change'
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$
