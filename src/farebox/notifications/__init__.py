"""Messages to travellers: written in their language by what happens, sent by a job, followed until they are gone."""

from farebox.notifications.commands import Office
from farebox.notifications.errors import MessageNotFound, TooManyMessages
from farebox.notifications.jobs import reactions, register_jobs
from farebox.notifications.keeping import list_messages_about, wipe_messages, wipe_old_messages
from farebox.notifications.queries import get_attachment, get_message, html_to_show, list_messages
from farebox.notifications.smtp import MailServer, parse_smtp_url
from farebox.notifications.views import File, Message, MessageKind, MessageStatus, SentMessage

__all__ = [
    "File",
    "MailServer",
    "Message",
    "MessageKind",
    "MessageNotFound",
    "MessageStatus",
    "Office",
    "SentMessage",
    "TooManyMessages",
    "get_attachment",
    "get_message",
    "html_to_show",
    "list_messages",
    "list_messages_about",
    "parse_smtp_url",
    "reactions",
    "register_jobs",
    "wipe_messages",
    "wipe_old_messages",
]
