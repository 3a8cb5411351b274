"""`himari schema`."""

from typing import Annotated

import typer


def schema(
    as_json: Annotated[bool, typer.Option("--json", help="Print the JSON Schema, for editors.")] = False,
) -> int:
    """Print what a stack file may say: an example with a comment on each key.

    Example: himari schema > inventories/tokyo.toml
    """
    from himari.cli.output import print_json
    from himari.stack.schema import json_schema, schema_text

    if as_json:
        print_json(json_schema())
    else:
        typer.echo(schema_text())
    return 0
