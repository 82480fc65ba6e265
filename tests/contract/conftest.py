"""The same running shop as for the browser tests."""

from tests.browser.conftest import shop

__all__ = ["shop"]
