-- What the models cannot say: extensions, functions, expression indexes. Every statement may run twice.
-- Statements are separated by a line holding only "--;;"

-- search: suggestions forgive accents and typos
CREATE EXTENSION IF NOT EXISTS unaccent
--;;
CREATE EXTENSION IF NOT EXISTS pg_trgm
