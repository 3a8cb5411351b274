from himari.apply.declared.bolt import Change


def test_what_a_change_is_given_shows_nowhere() -> None:
    change = Change(
        says="user writer: create", statement="CREATE USER writer", parameters={"password": "told to nobody"}
    )
    assert "told" not in repr(change)
    assert "told" not in f"{change}"
