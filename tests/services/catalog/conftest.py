"""The same hosts as in the unit tests, here for real services."""

from tests.unit.catalog.conftest import rendered, view

__all__ = ["rendered", "view"]
