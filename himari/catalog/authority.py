"""The stack's own certificate authority, as whoever connects to one of its stores must know it."""

from himari.catalog.component import Component, Directory, File, PublicFile, View
from himari.catalog.hostpaths import CA_CERTIFICATE, CONFIG, TLS
from himari.catalog.stores import stores


def component(view: View) -> Component:
    """Its certificate, where the stack has a store; its key never leaves the operator's machine."""
    if not any(stores(view)):
        return Component(name="authority")
    return Component(
        name="authority",
        directories=(Directory(path=CONFIG), Directory(path=TLS)),
        files=(File(path=CA_CERTIFICATE, values={"ca": PublicFile("ca.pem")}),),
    )
