"""The named queries of the stores: `queries/STORE/NAME`, statements with parameters and a head that explains them."""

from himari.stack.paths import QUERIES


def names(store: str) -> tuple[str, ...]:
    """The queries of `store`, by name."""
    return tuple(sorted(path.stem for path in (QUERIES / store).iterdir()))


def query(store: str, name: str) -> str:
    """The statement of that name. Raises KeyError when there is none."""
    for path in (QUERIES / store).glob(f"{name}.*"):
        return path.read_text(encoding="utf-8")
    raise KeyError(f"{store}/{name}")
