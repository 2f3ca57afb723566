import pytest

from dsm_ros.node.maps.map_roots import map_problem


@pytest.mark.parametrize(
    ("uri", "roots", "first"),
    [
        ("/maps/floor2", "", "/maps/floor1"),
        ("/maps/old/floor2", "", "/maps/floor1/"),
        ("floor2", "", "floor1"),
        ("/data/a", "/maps, /data", ""),
        ("s3://robots/maps/b", "", "s3://robots/maps/a"),
        ("s3://robots/b", "s3://robots", "/maps/a"),
    ],
)
def test_maps_that_may_be_loaded(uri, roots, first):
    assert map_problem(uri, roots, first) == ""


@pytest.mark.parametrize(
    ("uri", "roots", "first", "words"),
    [
        ("/etc/map", "", "/maps/floor1", "/etc/map: only maps in /maps may be loaded; add its folder to"),
        ("/maps/../etc", "", "/maps/floor1", "only maps in /maps"),
        ("/maps2/a", "/maps", "", "only maps in /maps"),
        ("s3://other/a", "s3://robots", "", "only maps in s3://robots"),
        ("s3://robots2/a", "s3://robots", "", "only maps"),
        ("s3://robots/../other/a", "s3://robots", "", "only maps"),
        ("s3://robots/a", "", "/maps/a", "only maps"),
        ("/maps/a", "", "", "no map may be loaded; add"),
        ("", "/maps", "", "names no map"),
    ],
)
def test_maps_that_may_not_be_loaded(uri, roots, first, words):
    assert words in map_problem(uri, roots, first)


def test_a_link_out_of_the_folder_is_followed(tmp_path):
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "link").symlink_to(tmp_path)
    assert "only maps" in map_problem(str(tmp_path / "maps" / "link" / "x"), str(tmp_path / "maps"), "")
