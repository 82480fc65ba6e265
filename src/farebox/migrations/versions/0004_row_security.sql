-- Whether this transaction acts for an operator. `farebox.operator` lists operators, or is '*' for all of them; where it
-- was not set, nobody is reached. Of NULL: whether it acts for all.
CREATE FUNCTION reaches_operator(asked uuid) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT coalesce(
    current_setting('farebox.operator', true) = '*'
      OR asked::text = ANY (string_to_array(current_setting('farebox.operator', true), ',')),
    false
  )
$$
--;;
ALTER TABLE membership ENABLE ROW LEVEL SECURITY;
ALTER TABLE membership FORCE ROW LEVEL SECURITY;
CREATE POLICY of_operator ON membership USING (reaches_operator(operator_id));
ALTER TABLE operator_policy ENABLE ROW LEVEL SECURITY;
ALTER TABLE operator_policy FORCE ROW LEVEL SECURITY;
CREATE POLICY of_operator ON operator_policy USING (reaches_operator(operator_id));
ALTER TABLE invitation ENABLE ROW LEVEL SECURITY;
ALTER TABLE invitation FORCE ROW LEVEL SECURITY;
CREATE POLICY of_operator ON invitation USING (reaches_operator(operator_id));
ALTER TABLE api_key ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_key FORCE ROW LEVEL SECURITY;
CREATE POLICY of_operator ON api_key USING (reaches_operator(operator_id));
ALTER TABLE device ENABLE ROW LEVEL SECURITY;
ALTER TABLE device FORCE ROW LEVEL SECURITY;
CREATE POLICY of_operator ON device USING (reaches_operator(operator_id))
--;;
-- What was done must be noted whoever did it. Nobody changes it, and only who acts for all may forget it.
ALTER TABLE personal_audit ENABLE ROW LEVEL SECURITY;
ALTER TABLE personal_audit FORCE ROW LEVEL SECURITY;
CREATE POLICY of_operator ON personal_audit FOR SELECT USING (operator_id IS NULL OR reaches_operator(operator_id));
CREATE POLICY noted ON personal_audit FOR INSERT WITH CHECK (true);
CREATE POLICY forgotten ON personal_audit FOR DELETE USING (reaches_operator(NULL))
--;;
-- The doors through the wall, for those who have yet to prove who they are: each takes a secret, or the person of a
-- session that was found by its secret, and gives only what belongs to it. They are functions that set the reach for
-- themselves and set it back. (`CREATE FUNCTION … SET farebox.operator` would need a superuser.)
CREATE FUNCTION staff_grants(who uuid) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  before text := coalesce(current_setting('farebox.operator', true), '');
  granted jsonb;
BEGIN
  PERFORM set_config('farebox.operator', '*', true);
  SELECT jsonb_agg(jsonb_build_array(m.operator_id, m.role, coalesce(p.requires_second_factor, false)))
    INTO granted
    FROM membership m LEFT JOIN operator_policy p ON p.operator_id = m.operator_id
    WHERE m.person_id = who;
  PERFORM set_config('farebox.operator', before, true);
  RETURN granted;
END $$
--;;
CREATE FUNCTION use_programs(digests bytea[], at timestamptz)
  RETURNS TABLE (digest bytea, kind text, program uuid, operator uuid, granted text[]) LANGUAGE plpgsql AS $$
DECLARE
  before text := coalesce(current_setting('farebox.operator', true), '');
BEGIN
  PERFORM set_config('farebox.operator', '*', true);
  RETURN QUERY
    SELECT k.token_digest, 'partner', k.id, k.operator_id, k.scopes FROM api_key k
      WHERE k.token_digest = ANY (digests) AND k.revoked_at IS NULL AND k.expires_at > at
    UNION ALL
    SELECT d.token_digest, 'device', d.id, d.operator_id, NULL FROM device d
      WHERE d.token_digest = ANY (digests) AND d.revoked_at IS NULL;
  -- when it was last used, to the minute; whoever notes it at this moment does so for us too
  UPDATE api_key SET used_at = at WHERE id IN (
    SELECT k.id FROM api_key k WHERE k.token_digest = ANY (digests) AND k.revoked_at IS NULL AND k.expires_at > at
      AND coalesce(k.used_at, '-infinity') < at - interval '1 minute' FOR UPDATE SKIP LOCKED);
  UPDATE device SET used_at = at WHERE id IN (
    SELECT d.id FROM device d WHERE d.token_digest = ANY (digests) AND d.revoked_at IS NULL
      AND coalesce(d.used_at, '-infinity') < at - interval '1 minute' FOR UPDATE SKIP LOCKED);
  PERFORM set_config('farebox.operator', before, true);
END $$
--;;
CREATE FUNCTION operator_of_secret(asked bytea) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
  before text := coalesce(current_setting('farebox.operator', true), '');
  found uuid;
BEGIN
  PERFORM set_config('farebox.operator', '*', true);
  SELECT operator_id INTO found FROM (
    SELECT i.operator_id FROM invitation i WHERE i.token_digest = asked
    UNION ALL
    SELECT d.operator_id FROM device d WHERE d.pairing_digest = asked
  ) AS secret;
  PERFORM set_config('farebox.operator', before, true);
  RETURN found;
END $$
