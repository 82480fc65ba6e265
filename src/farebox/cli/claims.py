"""What a server claims for itself before it does anything else: its port, and its data directory."""

import errno
import os
import socket
from pathlib import Path

from farebox.core.errors import SetupError
from farebox.core.home import explain, prepare_home
from farebox.core.i18n import N_
from farebox.core.locks import FileLock


class PortTaken(SetupError):
    code = "port-taken"
    message = N_("Port {port} on {host} is taken by another program. Stop it, or choose another: --port {other}.")


class PortRefused(SetupError):
    code = "port-refused"
    message = N_("Cannot listen on {host}, port {port}: {reason}.")


class HomeNotUsable(SetupError):
    code = "home-not-usable"
    message = N_("The data directory cannot be used: {reason}")


class HomeTaken(SetupError):
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
        HomeNotUsable: it cannot be made or written.
    """
    path = home / "serve.lock"
    try:
        prepare_home(home)
        lock = FileLock(path, exclusive=True, wait=False)
        path.write_text(f"{os.getpid()}\n")
    except BlockingIOError:
        raise HomeTaken(home=str(home), process=path.read_text().strip() or "?") from None
    except OSError as error:
        raise HomeNotUsable(reason=explain(error)) from error
    return lock
