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
-- search: a name as it is looked for: no accents, no capitals, single blanks. Names in it are qualified, since indexes
-- are built and analysed without a search path; immutable, since the dictionary that unaccent reads does not change.
CREATE OR REPLACE FUNCTION search_fold(given text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  RETURN btrim(regexp_replace(
    lower(public.unaccent('public.unaccent', normalize(given))), '[[:punct:][:space:]]+', ' ', 'g'));
END $$
--;;
-- search: a name, its translations and its other spellings ("hanoi", "muenchen"), each folded and on its own line
CREATE OR REPLACE FUNCTION search_names(name text, names jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  known text;
  folded text;
  found text := E'\n';
BEGIN
  FOR known IN SELECT normalize(search_names.name) UNION SELECT normalize(value) FROM jsonb_each_text(names) LOOP
    folded := public.search_fold(known);
    found := found || folded || E'\n';
    IF position(' ' IN folded) > 0 THEN
      found := found || replace(folded, ' ', '') || E'\n';
    END IF;
    IF known ~* '[äöü]' THEN
      found := found
        || public.search_fold(replace(replace(replace(lower(known), 'ä', 'ae'), 'ö', 'oe'), 'ü', 'ue')) || E'\n';
    END IF;
  END LOOP;
  RETURN found;
END $$
