-- the life of a booking and of a payment, whoever writes: the same tables of transitions as in the code
CREATE FUNCTION booking_must_move_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (OLD.status || ' ' || NEW.status) NOT IN (
    'pending payment_processing', 'pending confirmed', 'pending cancelled',
    'payment_processing pending', 'payment_processing confirmed', 'payment_processing cancelled',
    'confirmed completed', 'confirmed cancelled',
    'cancelled refunded', 'cancelled confirmed'
  ) OR (OLD.status = 'cancelled' AND NEW.status = 'confirmed' AND OLD.reason <> 'expired') THEN
    RAISE EXCEPTION 'a booking does not go from % to %', OLD.status, NEW.status
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$
--;;
CREATE TRIGGER moves_on BEFORE UPDATE OF status ON booking FOR EACH ROW
  WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE PROCEDURE booking_must_move_on()
--;;
CREATE FUNCTION payment_must_move_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (OLD.status || ' ' || NEW.status) NOT IN (
    'pending processing', 'pending completed', 'pending failed',
    'processing completed', 'processing failed', 'failed completed',
    'completed partially_refunded', 'completed refunded', 'partially_refunded refunded'
  ) THEN
    RAISE EXCEPTION 'a payment does not go from % to %', OLD.status, NEW.status
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$
--;;
CREATE TRIGGER moves_on BEFORE UPDATE OF status ON payment FOR EACH ROW
  WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE PROCEDURE payment_must_move_on()
--;;
-- payments: an invoice never changes; who it was for can be wiped, and sealed anew
CREATE TRIGGER append_only BEFORE DELETE ON invoice FOR EACH ROW EXECUTE PROCEDURE refuse_change()
--;;
CREATE TRIGGER frozen BEFORE UPDATE ON invoice FOR EACH ROW
  WHEN (to_jsonb(OLD) - 'buyer' IS DISTINCT FROM to_jsonb(NEW) - 'buyer') EXECUTE PROCEDURE refuse_change()
