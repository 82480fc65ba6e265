"""Style sheets, scripts, fonts and pictures."""

import re

import httpx
from tests.web import samples

from farebox.web.static_files import ASSETS


def test_files_are_kept_for_ever_under_an_address_of_their_content(gallery):
    answer = gallery.get(ASSETS.url("css/base.css"))
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    old = gallery.get(ASSETS.url("css/base.css").replace(ASSETS.digest, "0" * 12))
    assert old.headers["cache-control"] == "no-cache"
    for path in ("css/none.css", "../pages.py", "%2e%2e/pages.py"):
        assert gallery.get(f"/static/{ASSETS.digest}/{path}").status_code == 404


def test_what_style_sheets_and_scripts_name_is_there():
    for path, asset in ASSETS.by_path.items():
        folder = path.rpartition("/")[0]
        text = asset.content.decode(errors="replace")
        named = re.findall(r'url\("([^"#]+)"\)', text) if path.endswith(".css") else []
        if path.endswith(".js") and "vendor" not in path:
            named = re.findall(r'from "(\./[^"]+)"', text)
        for name in named:
            target = httpx.URL(f"http://x/{folder}/").join(name).path.lstrip("/")
            assert target in ASSETS.by_path, f"{path} names {name}"


def test_what_others_made_comes_with_its_licence():
    assert "Zero-Clause BSD" in ASSETS.by_path["js/vendor/htmx.LICENSE.txt"].content.decode()
    assert "SIL Open Font License" in ASSETS.by_path["fonts/inter.LICENSE.txt"].content.decode()


def test_every_icon_that_a_page_names_is_drawn(gallery):
    drawn = set(re.findall(r'<symbol id="([^"]+)"', ASSETS.by_path["img/icons.svg"].content.decode()))
    for name in samples.PAGES:
        named = set(re.findall(r"icons\.svg#([a-z-]+)", gallery.get(f"/gallery/{name}").text))
        assert named <= drawn, f"{name}: {named - drawn}"
