"""Selling without the guard, for the tests that show what the guard is good for.

The guard is the primary key of `claim`. Nothing in Farebox can switch it off, so it is taken away in the test's own
database: in its place comes an index of the same columns, unique by name, for which no two rows are ever equal, and a
trigger that looks whether the seat is free before it lets a row in. That is how a seat is sold by software that looks
first and writes then: right as long as nobody comes at the same time.
"""

LOOK_THEN_WRITE = """
CREATE FUNCTION never(smallint, smallint) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT false';
CREATE FUNCTION one_way(smallint, smallint) RETURNS integer IMMUTABLE LANGUAGE sql AS 'SELECT 1';
CREATE OPERATOR ~<~ (LEFTARG = smallint, RIGHTARG = smallint, FUNCTION = never);
CREATE OPERATOR ~<=~ (LEFTARG = smallint, RIGHTARG = smallint, FUNCTION = never);
CREATE OPERATOR ~=~ (LEFTARG = smallint, RIGHTARG = smallint, FUNCTION = never);
CREATE OPERATOR ~>=~ (LEFTARG = smallint, RIGHTARG = smallint, FUNCTION = never);
CREATE OPERATOR ~>~ (LEFTARG = smallint, RIGHTARG = smallint, FUNCTION = never);
CREATE OPERATOR CLASS never_equal FOR TYPE smallint USING btree AS
    OPERATOR 1 ~<~, OPERATOR 2 ~<=~, OPERATOR 3 ~=~, OPERATOR 4 ~>=~, OPERATOR 5 ~>~, FUNCTION 1 one_way;

ALTER TABLE claim DROP CONSTRAINT pk_claim;
CREATE UNIQUE INDEX guard_that_does_not_guard ON claim (inventory_id, unit, slot never_equal);

CREATE FUNCTION look_first() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM claim WHERE inventory_id = NEW.inventory_id AND unit = NEW.unit AND slot = NEW.slot
               AND (expires_at IS NULL OR expires_at > clock_timestamp())) THEN
        RETURN NULL;
    END IF;
    PERFORM pg_sleep(0.005);  -- a busy server needs as long
    RETURN NEW;
END $$;
CREATE TRIGGER look_first BEFORE INSERT ON claim FOR EACH ROW EXECUTE FUNCTION look_first();
"""
