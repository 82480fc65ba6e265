-- of disputes that are open already: what was put in and has not gone out again
UPDATE payment_dispute dispute SET held_minor = least(dispute.amount_minor, charge.amount_minor - charge.refunded_minor)
FROM payment_charge charge JOIN payment ON payment.id = charge.payment_id
WHERE charge.id = dispute.charge_id AND dispute.step = 'open' AND payment.purpose = 'top-up'
  AND charge.disposition = 'applied'
--;;
UPDATE wallet SET held_minor = held.minor FROM (
  SELECT payment.wallet_id, sum(dispute.held_minor) AS minor
  FROM payment_dispute dispute JOIN payment_charge charge ON charge.id = dispute.charge_id
  JOIN payment ON payment.id = charge.payment_id
  WHERE dispute.step = 'open' AND payment.purpose = 'top-up' GROUP BY 1
) held WHERE held.wallet_id = wallet.id
--;;
-- noted by whoever does it; seen by who acts for the operator; never changed
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON fare_audit FOR EACH ROW EXECUTE PROCEDURE refuse_change()
--;;
ALTER TABLE fare_audit ENABLE ROW LEVEL SECURITY;
ALTER TABLE fare_audit FORCE ROW LEVEL SECURITY;
CREATE POLICY of_operator ON fare_audit FOR SELECT USING (reaches_operator(operator_id));
CREATE POLICY noted ON fare_audit FOR INSERT WITH CHECK (true)
