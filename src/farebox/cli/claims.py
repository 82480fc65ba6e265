"""What a server claims for itself before it does anything else: its port, and its data directory."""

import errno
import os
import socket
from pathlib import Path

from farebox.core.embedded import prepare_home
from farebox.core.errors import DomainError
from farebox.core.i18n import N_
from farebox.core.locks import FileLock


class PortTaken(DomainError):
    code = "port-taken"
    message = N_("Port {port} on {host} is taken by another program. Stop it, or choose another: --port {other}.")


class PortRefused(DomainError):
    code = "port-refused"
    message = N_("Cannot listen on {host}, port {port}: {reason}.")


class HomeTaken(DomainError):
    code = "home-taken"
    message = N_(
        "Another Farebox (process {process}) already serves {home}. Stop it, or name another directory with --home."
    )


def claim_port(host: str, port: int) -> socket.socket:
    """A socket bound to the address, not listening yet: nobody is let in before there is something to see.

    Raises:
        PortTaken: somebody listens there.
        PortRefused: no such address here, or no permission.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(host=host, port=port, other=port + 1) from None
        raise PortRefused(host=host, port=port, reason=error.strerror or str(error)) from None
    listener.set_inheritable(True)
    return listener


def claim_home(home: Path) -> FileLock:
    """The right to serve a data directory, until the process ends.

    Raises:
        HomeTaken: another process serves it.
        OSError: the directory cannot be made or written.
    """
    prepare_home(home)
    path = home / "serve.lock"
    try:
        lock = FileLock(path, exclusive=True, wait=False)
    except BlockingIOError:
        raise HomeTaken(home=str(home), process=path.read_text().strip() or "?") from None
    path.write_text(f"{os.getpid()}\n")
    return lock
