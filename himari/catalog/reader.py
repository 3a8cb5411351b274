"""What a strategy on the brain needs to read the stores: where they are, and a reader's credentials."""

from himari.catalog.component import Component, Credential, Directory, File, Flow, View
from himari.catalog.hostpaths import CA_CERTIFICATE, CONFIG, STORES_SETTINGS
from himari.catalog.stores import stores


def component(view: View) -> Component:
    """The settings, and a credential for each store that the stack has; nothing where it has none."""
    found = tuple(stores(view))
    if not found:
        return Component(name="reader")
    return Component(
        name="reader",
        directories=(Directory(path=CONFIG),),
        files=(File(path=STORES_SETTINGS, values={"stores": found, "ca": CA_CERTIFICATE}),),
        credentials=tuple(Credential(name=store.credential, secret=store.credential) for store in found),
        talks_to=tuple(
            Flow(role=store.role, listener=name) for store in found for name in (store.listener, *store.metrics)
        ),
    )
