"""The page that a device's camera opens: pairing this browser."""

from litestar import Controller, get, post
from litestar.datastructures import Cookie
from litestar.response import Template

from farebox import accounts
from farebox.accounts import PairingFailed
from farebox.core.db import UnitOfWork
from farebox.core.settings import Settings
from farebox.edge.access import SESSION_COOKIE
from farebox.web.console.office import LONGEST_NAME, Form
from farebox.web.me import ME_COOKIE
from farebox.web.pages import AnyRequest, page
from farebox.web.views.console import PairedPage, PairPage

LONGEST_CODE = 40
YEAR_SECONDS = 31_536_000


class PairController(Controller):
    """For a phone that nobody has signed in on. The code arrives behind the `#` of the address, or is typed."""

    path = "/pair"
    opt = {"access": "public"}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get(sync_to_thread=False)
    def ask(self, request: AnyRequest) -> Template:
        return page(request, "console/pair.html", PairPage(), is_private=True)

    @post(opt={"rate": "sign-in"})
    async def pair(self, request: AnyRequest, work: UnitOfWork, settings: Settings, data: Form) -> Template:
        """From now on this browser is the device, until that is revoked; whoever had signed in on it no longer is."""
        code, name = data.get("code", "")[:LONGEST_CODE], data.get("name", "").strip()[:LONGEST_NAME]
        try:
            paired = await accounts.pair_device(work, code, name)
        except PairingFailed as refused:
            view = PairPage(code, name, refused.text())
            return page(request, "console/pair.html", view, status=422, is_private=True)
        cookies = [
            Cookie(
                key=SESSION_COOKIE,
                value=paired.token,
                max_age=YEAR_SECONDS,
                httponly=True,
                secure=settings.base_url.startswith("https:"),
                samesite="lax",
            ),
            Cookie(key=ME_COOKIE, value="", max_age=0, httponly=True, samesite="lax"),
        ]
        done = PairedPage(paired.device.name, paired.operator.name)
        return page(request, "console/paired.html", done, is_private=True, cookies=cookies)
