"""Every page with made-up content, to look at without a database: `python -m tests.web.gallery`, then /gallery."""

import sys

import uvicorn
from litestar import Litestar, Response, get
from litestar.config.csrf import CSRFConfig
from litestar.datastructures import State
from litestar.response import Template
from tests.web import samples

from farebox.edge.middleware import harden_responses, speak_the_readers_language
from farebox.web.pages import AnyRequest, page
from farebox.web.static_files import favicon, static_file
from farebox.web.templating import template_config


@get("/gallery", sync_to_thread=False)
def gallery() -> Response[str]:
    links = "".join(f'<li><a href="/gallery/{name}">{name}</a></li>' for name in samples.PAGES)
    return Response(f"<!doctype html><title>Gallery</title><ul>{links}</ul>", media_type="text/html; charset=utf-8")


@get("/gallery/{name:str}", sync_to_thread=False)
def sample(request: AnyRequest, name: str) -> Template:
    template, view, more = samples.PAGES[name]()
    return page(request, template, view, **more)


def create_gallery() -> Litestar:
    return Litestar(
        [gallery, sample, static_file, favicon],
        template_config=template_config(),
        csrf_config=CSRFConfig(secret="gallery"),
        middleware=[harden_responses, speak_the_readers_language],
        state=State({"shows_mailbox": True}),
        openapi_config=None,
        debug=True,
    )


if __name__ == "__main__":
    uvicorn.run(create_gallery(), port=int(sys.argv[1]) if len(sys.argv) > 1 else 8765, log_level="warning")
