"""The words of usage errors."""

from harness.errors import unknown_name


def test_an_unknown_name_is_told_what_it_may_have_meant_and_what_there_is():
    assert unknown_name("table", "tabel2", ["table2", "figure6"]) == (
        "unknown table 'tabel2' (near: table2); choose from table2, figure6"
    )
    assert unknown_name("seed", 7, [1, 2]) == "unknown seed '7'; choose from 1, 2"
    assert unknown_name("remote", "origin", []).endswith("choose from nothing: there is none")


def test_what_is_like_a_name_is_found_whatever_its_capitals_and_from_a_part_of_it():
    jobs = ["tsn_r50_mgr-dark-rgb-s0", "i3d_r50_mgr-dark-rgb", "i3d_r50_mgr-dark-depth", "mtcd_i3d-r50_nvgesture-rgb"]
    said = unknown_name("job", "TSN_r50_MGR-dark-rbg-s0", jobs, listed_by="plan")
    assert "(near: tsn_r50_mgr-dark-rgb-s0" in said and said.endswith("; `plan` lists them")
    assert "(near: i3d_r50_mgr-dark-rgb, i3d_r50_mgr-dark-depth, mtcd_i3d" in unknown_name("job", "i3d", jobs)
    assert "(near: i3d_r50_long_name, ni3d_longer)" in unknown_name(
        "model", "i3d", ["ni3d_longer", "i3d_r50_long_name"]
    )
    assert "near" not in unknown_name("job", "r5", jobs, listed_by="plan")
