import pytest

from dsm_ros.scene_map.memory import Memory


@pytest.fixture
def reads():
    """The ids read so far, one list for each call."""
    return []


@pytest.fixture
def memory(reads):
    """Room for three values of 10 bytes."""

    def read(ids):
        reads.append(list(ids))
        return [f"value {i}" for i in ids]

    return Memory(read, lambda value: 10, 30)


def test_values_are_read_once_and_returned_in_the_order_asked(memory, reads):
    assert memory.get([2, 1, 2]) == ["value 2", "value 1", "value 2"]
    assert memory.get([1, 2]) == ["value 1", "value 2"]
    assert reads == [[2, 1]]


def test_the_least_recently_used_value_is_dropped(memory, reads):
    memory.get([1, 2, 3])
    memory.get([1])
    memory.get([4])  # drops 2
    memory.get([1, 3, 4])
    assert reads == [[1, 2, 3], [4]]
    memory.get([2])
    assert reads[-1] == [2]


def test_all_values_of_one_call_are_kept_however_large(memory, reads):
    memory.get([1, 2, 3, 4, 5])
    memory.get([1, 2, 3, 4, 5])
    assert len(reads) == 1


def test_a_failed_read_leaves_the_values_as_they_were(reads):
    def read(ids):
        if 9 in ids:
            raise OSError("gone")
        reads.append(list(ids))
        return list(ids)

    memory = Memory(read, lambda value: 10, 30)
    memory.get([1, 2])
    with pytest.raises(OSError, match="gone"):
        memory.get([1, 9])
    assert memory.get([1, 2]) == [1, 2]
    assert reads == [[1, 2]]
