"""The operators for whom one acts."""

from litestar import Controller, get
from litestar.response import Redirect, Template

from farebox.accounts import Actor, list_posts
from farebox.core.db import UnitOfWork
from farebox.web.console.office import only_operator, sections_of
from farebox.web.pages import AnyRequest, page, see_other
from farebox.web.views.console import PostsView, section_path


class ConsoleController(Controller):
    path = "/console"
    opt = {"access": "user"}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get()
    async def posts(self, request: AnyRequest, work: UnitOfWork, actor: Actor) -> Template | Redirect:
        """Who acts for one operator only is led into its console."""
        only = only_operator(actor)
        if only is not None and (sections := sections_of(actor, only)):
            return see_other(section_path(only, sections[0]))
        posts = await list_posts(work, actor=actor)
        view = PostsView(tuple(posts), {post.operator.id: sections_of(actor, post.operator.id) for post in posts})
        return page(request, "console/home.html", view, is_private=True)
