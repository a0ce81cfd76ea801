"""The words of usage errors."""

from harness.errors import unknown_name


def test_an_unknown_name_is_told_what_it_may_have_meant_and_what_there_is():
    assert unknown_name("table", "tabel2", ["table2", "figure6"]) == (
        "unknown table 'tabel2' (near: table2); choose from table2, figure6"
    )
    assert unknown_name("seed", 7, [1, 2]) == "unknown seed '7'; choose from 1, 2"
    assert unknown_name("remote", "origin", []).endswith("choose from nothing: there is none")
