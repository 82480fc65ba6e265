DROP TRIGGER append_only ON booking_audit
--;;
CREATE TRIGGER append_only BEFORE DELETE ON booking_audit FOR EACH ROW EXECUTE PROCEDURE refuse_change()
--;;
CREATE TRIGGER frozen BEFORE UPDATE ON booking_audit FOR EACH ROW
  WHEN (to_jsonb(OLD) - 'facts' IS DISTINCT FROM to_jsonb(NEW) - 'facts' OR NEW.facts IS DISTINCT FROM OLD.facts - 'note')
  EXECUTE PROCEDURE refuse_change()
--;;
UPDATE booking_audit audit SET facts = facts - 'note' FROM booking
WHERE booking.id = audit.booking_id AND booking.contact_email_index = '' AND audit.facts ? 'note'
--;;
DELETE FROM promotion_person WHERE used = 0
