"""Templates to files: everything is rendered here, before a host is asked anything."""

import hashlib
from functools import cache
from pathlib import Path

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, select_autoescape

from himari.apply.values import Values
from himari.catalog.component import Component, File, View
from himari.catalog.hostpaths import CREDENTIALS
from himari.stack.errors import DeployError
from himari.stack.paths import TEMPLATES


class Rendered(msgspec.Struct, frozen=True):
    """A file as it shall be on the host."""

    file: File
    content: bytes

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def render(component: Component, view: View, values: Values, templates: Path = TEMPLATES) -> tuple[Rendered, ...]:
    """The files of `component` on the view's host. Raises DeployError naming the template that cannot be rendered."""
    return tuple(_rendered(component.name, file, view, values, templates) for file in component.files)


def _rendered(name: str, file: File, view: View, values: Values, templates: Path) -> Rendered:
    template = file.template or f"{file.path.lstrip('/')}.j2"
    about = {
        "stack": view.stack,
        "host": view.host,
        "host_name": view.host_name,
        "view": view,
        "credstore": CREDENTIALS,
    }
    try:
        text = _environment(templates / name).get_template(template).render({**about, **values.resolve(file.values)})
    except TemplateError as error:
        where = f"{view.host_name}: templates/{name}/{template}"
        expected = "every name of the template among the file's values"
        raise DeployError(f"cannot render: {error}", where, expected) from None
    return Rendered(file, text.encode())


@cache
def _environment(folder: Path) -> Environment:
    return Environment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=select_autoescape(enabled_extensions=(), default=False),  # configuration files, no HTML
    )
