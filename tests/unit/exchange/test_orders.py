from himari_exchange.frames import Frame
from himari_exchange.orders import Drop, Duplicate, Faults, Reorder, garbage


def sent(faults: Faults, *names: str) -> list[str]:
    frames = [Frame("btcusdt@trade" if name[0] == "t" else "btcusdt@bookTicker", name.encode(), name) for name in names]
    return [out.key for frame in frames for out in faults.apply(frame)]


def test_without_orders_everything_passes() -> None:
    assert sent(Faults(), "t1", "b1", "t2") == ["t1", "b1", "t2"]


def test_drop_takes_as_many_as_ordered_of_the_streams_that_match() -> None:
    faults = Faults()
    faults.add(Drop(count=2, stream="*@trade"))
    assert sent(faults, "b1", "t1", "b2", "t2", "t3") == ["b1", "b2", "t3"]


def test_duplicate_sends_twice() -> None:
    faults = Faults()
    faults.add(Duplicate(count=1))
    assert sent(faults, "t1", "t2") == ["t1", "t1", "t2"]


def test_reorder_swaps_neighbours_and_loses_nothing() -> None:
    faults = Faults()
    faults.add(Reorder(count=2))
    assert sent(faults, "t1", "t2", "t3", "t4", "t5") == ["t2", "t1", "t4", "t3", "t5"]


def test_reorder_swaps_within_a_stream_while_others_pass() -> None:
    faults = Faults()
    faults.add(Reorder(count=2))
    assert sent(faults, "t1", "b1", "b2", "b3", "t2", "t3") == ["b2", "b1", "b3", "t2", "t1", "t3"]


def test_orders_wait_for_one_another() -> None:
    faults = Faults()
    faults.add(Drop(count=1))
    faults.add(Duplicate(count=1))
    assert sent(faults, "t1", "t2", "t3") == ["t2", "t2", "t3"]


def test_what_is_no_event_is_left_alone() -> None:
    faults = Faults()
    faults.add(Drop(count=1))
    noise = garbage(0)
    assert faults.apply(noise) == [noise]
    assert sent(faults, "t1", "t2") == ["t2"]
