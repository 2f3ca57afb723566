import pytest

from dsm_ros.scene_map.byte_cache import ByteCache


@pytest.fixture
def reads():
    """The ids read so far, one list for each call."""
    return []


@pytest.fixture
def cache(reads):
    """Room for three values of 10 bytes."""

    def read(ids):
        reads.append(list(ids))
        return [f"value {i}" for i in ids]

    return ByteCache(read, lambda value: 10, 30)


def test_values_are_read_once_and_returned_in_the_order_asked(cache, reads):
    assert cache.get([2, 1, 2]) == ["value 2", "value 1", "value 2"]
    assert cache.get([1, 2]) == ["value 1", "value 2"]
    assert reads == [[2, 1]]


def test_the_least_recently_used_value_is_dropped(cache, reads):
    cache.get([1, 2, 3])
    cache.get([1])
    cache.get([4])  # drops 2
    cache.get([1, 3, 4])
    assert reads == [[1, 2, 3], [4]]
    cache.get([2])
    assert reads[-1] == [2]


def test_all_values_of_one_call_are_kept_however_large(cache, reads):
    cache.get([1, 2, 3, 4, 5])
    cache.get([1, 2, 3, 4, 5])
    assert len(reads) == 1


def test_a_failed_read_leaves_the_values_as_they_were(reads):
    def read(ids):
        if 9 in ids:
            raise OSError("gone")
        reads.append(list(ids))
        return list(ids)

    cache = ByteCache(read, lambda value: 10, 30)
    cache.get([1, 2])
    with pytest.raises(OSError, match="gone"):
        cache.get([1, 9])
    assert cache.get([1, 2]) == [1, 2]
    assert reads == [[1, 2]]


def test_cleared_values_are_read_again(cache, reads):
    cache.get([1, 2])
    cache.clear()
    cache.get([1])
    assert reads == [[1, 2], [1]]
