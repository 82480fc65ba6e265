"""The operators for whom one acts."""

from litestar import Controller, get
from litestar.response import Template

from farebox.accounts import Actor, list_posts
from farebox.core.db import UnitOfWork
from farebox.web.console.office import sections_of
from farebox.web.pages import AnyRequest, page
from farebox.web.views.console import PostsView


class ConsoleController(Controller):
    path = "/console"
    opt = {"access": "user"}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get()
    async def posts(self, request: AnyRequest, work: UnitOfWork, actor: Actor) -> Template:
        posts = await list_posts(work, actor=actor)
        view = PostsView(tuple(posts), {post.operator.id: sections_of(actor, post.operator.id) for post in posts})
        return page(request, "console/home.html", view, is_private=True)
