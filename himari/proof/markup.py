"""The templates of the pages: every value is escaped, and one that is missing is an error."""

from collections.abc import Callable

from jinja2 import Environment, PackageLoader, StrictUndefined, Template


def template(name: str, **filters: Callable[..., str]) -> Template:
    """The template of that name, which may use `filters` beside Jinja's own."""
    environment = Environment(
        loader=PackageLoader("himari.proof", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= filters
    return environment.get_template(name)
