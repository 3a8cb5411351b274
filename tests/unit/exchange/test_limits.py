from himari_exchange.limits import BAN_SECONDS, PATIENCE, Connections, Inbound, Weights

NOON = 12 * 3600.0


def test_weight_is_summed_up_by_address_and_minute() -> None:
    weights = Weights(6000)
    assert weights.charge("a", 250, NOON).used == 250
    assert weights.charge("a", 50, NOON + 59).used == 300
    assert weights.charge("b", 5, NOON + 59).used == 5
    assert weights.charge("a", 5, NOON + 60).used == 5


def test_beyond_the_limit_a_request_waits_for_the_next_minute() -> None:
    weights = Weights(100)
    assert weights.charge("a", 100, NOON).status == 200
    refused = weights.charge("a", 1, NOON + 15)
    assert (refused.status, refused.retry_after) == (429, 46)
    assert weights.charge("a", 1, NOON + 61).status == 200


def test_who_goes_on_after_429_is_banned_for_longer_than_the_minute() -> None:
    weights = Weights(10)
    statuses = [weights.charge("a", 11, NOON).status for _ in range(PATIENCE + 1)]
    assert statuses == [429] * PATIENCE + [418]
    assert weights.charge("a", 1, NOON + 61).status == 418
    assert weights.charge("b", 1, NOON + 61).status == 200
    assert weights.charge("a", 1, NOON + BAN_SECONDS + 60).status == 200


def test_connections_are_counted_over_five_minutes() -> None:
    connections = Connections(2)
    assert [connections.admit("a", now) for now in (0, 1, 2)] == [True, True, False]
    assert connections.admit("b", 2)
    assert connections.admit("a", 300)


def test_the_sixth_message_within_a_second_is_one_too_many() -> None:
    inbound = Inbound(5)
    assert [inbound.admit(0.1 * number) for number in range(6)] == [True] * 5 + [False]


def test_five_messages_a_second_are_fine_for_ever() -> None:
    inbound = Inbound(5)
    assert all(inbound.admit(0.201 * number) for number in range(100))
