"""The QR code as a picture."""

import io

import segno

QUIET_ZONE = 4
"""Modules of white around the code (ISO/IEC 18004)."""


def qr_svg(token: str) -> str:
    """An SVG of the code, black on white with its quiet zone, without a size of its own: the page gives it one.

    The picture says nothing to a screen reader; whoever shows it says beside it what it is.
    """
    picture = io.BytesIO()
    _code(token).save(
        picture,
        kind="svg",
        border=QUIET_ZONE,
        xmldecl=False,
        omitsize=True,
        light="#fff",
        svgclass="qr",
        lineclass=None,
        nl=False,
    )
    return picture.getvalue().decode()


def qr_png(token: str, *, module: int = 4) -> bytes:
    """A PNG for mail readers, which do not show SVG; `module` is the edge of one module in pixels."""
    picture = io.BytesIO()
    _code(token).save(picture, kind="png", border=QUIET_ZONE, scale=module)
    return picture.getvalue()


def _code(token: str) -> segno.QRCode:
    # M restores 15%, enough for creased paper; on the same area its modules are a seventh larger than Q's.
    return segno.make_qr(token, error="m", boost_error=False)
