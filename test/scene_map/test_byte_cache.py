import pytest

from dsm_ros.scene_map.byte_cache import ByteCache


@pytest.fixture
def reads():
    """The ids read so far, one list for each call."""
    return []


@pytest.fixture
def cache():
    """Room for three values of 10 bytes."""
    return ByteCache(lambda value: 10, 30)


@pytest.fixture
def read(reads):
    def read(ids):
        reads.append(list(ids))
        return [f"value {i}" for i in ids]

    return read


def test_values_are_read_once_and_returned_in_the_order_asked(cache, read, reads):
    assert cache.get([2, 1, 2], read) == ["value 2", "value 1", "value 2"]
    assert cache.get([1, 2], read) == ["value 1", "value 2"]
    assert reads == [[2, 1]]


def test_the_least_recently_used_value_is_dropped(cache, read, reads):
    cache.get([1, 2, 3], read)
    cache.get([1], read)
    cache.get([4], read)  # drops 2
    cache.get([1, 3, 4], read)
    assert reads == [[1, 2, 3], [4]]
    cache.get([2], read)
    assert reads[-1] == [2]


def test_all_values_of_one_call_are_kept_however_large(cache, read, reads):
    cache.get([1, 2, 3, 4, 5], read)
    cache.get([1, 2, 3, 4, 5], read)
    assert len(reads) == 1


def test_a_failed_read_leaves_the_values_as_they_were(cache, reads):
    def read(ids):
        if 9 in ids:
            raise OSError("gone")
        reads.append(list(ids))
        return list(ids)

    cache.get([1, 2], read)
    with pytest.raises(OSError, match="gone"):
        cache.get([1, 9], read)
    assert cache.get([1, 2], read) == [1, 2]
    assert reads == [[1, 2]]


def test_cleared_values_are_read_again(cache, read, reads):
    cache.get([1, 2], read)
    cache.clear()
    cache.get([1], read)
    assert reads == [[1, 2], [1]]
