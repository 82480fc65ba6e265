"""Reading a page as a browser would."""

from html.parser import HTMLParser

VOID = frozenset({"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
POINTERS = ("for", "aria-describedby", "aria-labelledby", "aria-controls")


class Told(HTMLParser):
    """What a page tells.

    Attributes:
        refused: what the content policy would refuse.
    """

    def __init__(self) -> None:
        super().__init__()
        self.refused: list[str] = []
        self._ids: list[str] = []
        self._pointers: list[str] = []
        self._open: list[tuple[str, frozenset[str]]] = []
        self._texts: list[tuple[frozenset[str], str]] = []
        self._links: list[tuple[frozenset[str], str]] = []

    @property
    def loose_ends(self) -> list[str]:
        """Ids that are pointed to, and are not there."""
        return sorted(set(self._pointers) - set(self._ids))

    @property
    def double_ids(self) -> list[str]:
        return sorted({each for each in self._ids if self._ids.count(each) > 1})

    def text_of(self, name: str) -> str:
        """The text inside all elements of a class."""
        return " ".join(" ".join(text for classes, text in self._texts if name in classes).split())

    def links_in(self, name: str) -> list[str]:
        """Where the links inside all elements of a class lead."""
        return [url for classes, url in self._links if name in classes]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name: value or "" for name, value in attrs}
        self.refused += [f"{tag} {name}" for name in names if name == "style" or name.startswith(("on", "hx-on"))]
        if tag == "style" or (tag == "script" and not (names.get("src") and names.get("nonce"))):
            self.refused.append(tag)
        if names.get("id"):
            self._ids.append(names["id"])
        for name in POINTERS:
            self._pointers += names.get(name, "").split()
        classes = self._inside() | frozenset(names.get("class", "").split())
        if tag == "a" and names.get("href"):
            self._links.append((classes, names["href"]))
        if tag not in VOID:
            self._open.append((tag, classes))

    def handle_endtag(self, tag: str) -> None:
        for index in range(len(self._open) - 1, -1, -1):
            if self._open[index][0] == tag:
                del self._open[index:]
                return

    def handle_data(self, data: str) -> None:
        self._texts.append((self._inside(), data))

    def _inside(self) -> frozenset[str]:
        return self._open[-1][1] if self._open else frozenset()


def read(text: str) -> Told:
    told = Told()
    told.feed(text)
    return told
