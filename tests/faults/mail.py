"""A mail server that can be killed between any two commands, and started again at its address."""

import email
from asyncio import AbstractServer, BaseTransport, get_running_loop
from typing import Any

from aiosmtpd.smtp import SMTP
from tests.servers import free_port


class MailServer:
    """Takes what it is sent. A mail is taken once it has said so: one that it dies with in its hands is not.

    Attributes:
        taken: the Message-ID of each mail, as often as it was taken.
        dies_at: the command, counted from 1, at which it dies before it answers (0: never).
        commands: how many there were.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self.taken: list[str] = []
        self.dies_at = self.commands = 0
        self._server: AbstractServer | None = None
        self._connections: set[BaseTransport] = set()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def is_up(self) -> bool:
        return self._server is not None

    async def start(self) -> None:
        self._server = await get_running_loop().create_server(self._protocol, "127.0.0.1", self.port)

    def kill(self) -> None:
        """Everybody who is connected loses the line, and nobody gets another one."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in self._connections:
            connection.abort()  # type: ignore[attr-defined]  # of sockets

    async def handle_EHLO(
        self, server: SMTP, session: Any, envelope: Any, host: str, responses: list[str]
    ) -> list[str]:
        self._answer()
        session.host_name = host
        return responses

    async def handle_MAIL(self, server: SMTP, session: Any, envelope: Any, address: str, options: Any) -> str:
        envelope.mail_from = address
        return self._answer()

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, address: str, options: Any) -> str:
        envelope.rcpt_tos.append(address)
        return self._answer()

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        answer = self._answer()
        if self.is_up:
            self.taken.append(str(email.message_from_bytes(envelope.content)["Message-ID"]))
        return answer

    async def handle_QUIT(self, server: SMTP, session: Any, envelope: Any) -> str:
        return self._answer()

    def _answer(self) -> str:
        self.commands += 1
        if self.commands == self.dies_at:
            self.kill()
        return "250 OK"

    def _protocol(self) -> SMTP:
        mail_server = self

        class Line(SMTP):
            def connection_made(self, transport: BaseTransport) -> None:
                mail_server._connections.add(transport)
                super().connection_made(transport)

            def connection_lost(self, error: Exception | None) -> None:
                mail_server._connections.discard(self.transport)
                super().connection_lost(error)

        return Line(self, hostname="mail.example")
