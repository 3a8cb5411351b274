from hypothesis import given
from hypothesis import strategies as st

from himari_runtime.messages import Record
from himari_runtime.transport.records import End, encode_all, scan

INT64 = st.integers(-(2**63), 2**63 - 1)
RECORDS = st.lists(
    st.builds(
        Record,
        epoch=st.just(7),
        n=st.integers(0, 2**64 - 1),
        kind=st.integers(0, 255),
        line=st.integers(0, 255),
        received_ns=INT64,
        monotonic_ns=INT64,
        payload=st.binary(max_size=200),
    ),
    min_size=1,
    max_size=8,
)


@given(RECORDS)
def test_round_trip(records: list[Record]) -> None:
    data = encode_all(records)
    found = scan(data, 7)
    assert (found.records, found.end, found.why) == (records, len(data), End.COMPLETE)


@given(RECORDS, st.data())
def test_a_torn_tail_leaves_what_is_whole(records: list[Record], data: st.DataObject) -> None:
    whole = encode_all(records)
    cut = data.draw(st.integers(0, len(whole) - 1))
    found = scan(whole[:cut], 7)
    assert found.records == records[: len(found.records)]
    assert found.end == len(encode_all(found.records)) <= cut
    assert found.why is (End.COMPLETE if found.end == cut else End.SHORT)


@given(RECORDS, st.data())
def test_a_flipped_bit_never_gives_a_wrong_record(records: list[Record], data: st.DataObject) -> None:
    damaged = bytearray(encode_all(records))
    bit = data.draw(st.integers(0, len(damaged) * 8 - 1))
    damaged[bit // 8] ^= 1 << bit % 8
    found = scan(bytes(damaged), 7)
    assert found.records == records[: len(found.records)]
    assert found.why is not End.COMPLETE
    assert found.end <= bit // 8


def test_zeros_of_a_power_cut_are_damage() -> None:
    assert scan(bytes(4096), 7).why is End.DAMAGED


@given(RECORDS, st.integers(0, 9))
def test_at_most_so_many(records: list[Record], most: int) -> None:
    assert scan(encode_all(records), 7, most=most).records == records[:most]
