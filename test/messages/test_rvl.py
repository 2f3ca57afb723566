"""RVL data is decoded to its original values, or refused by one ValueError."""

import struct

import numpy as np
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from dsm_ros.messages.rvl import decode_rvl

values = st.lists(st.one_of(st.just(0), st.integers(0, 65535)), max_size=200)


def test_worked_example():
    """Two zeros, two values: 5 (+5 -> 10 = 2 + 8*1 -> nibbles a 1) and 4 (-1 -> 1), then no more."""
    data = struct.pack("<I", 0x22A11000)
    assert decode_rvl(data, 4).tolist() == [0, 0, 5, 4]


@given(values)
def test_values_round_trip(encode_rvl, values):
    decoded = decode_rvl(encode_rvl(values), len(values))
    assert decoded.dtype == np.uint16
    assert decoded.tolist() == values


@given(values.filter(len), st.integers(4, 40))
def test_cut_data_is_refused(encode_rvl, values, lost):
    data = encode_rvl([*values, 1])
    with pytest.raises(ValueError, match="truncated"):
        decode_rvl(data[:-lost], len(values) + 1)


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ([3], "truncated"),
        ([0, 3], "truncated"),
        ([5, 0], "more pixels than the 4"),
        ([0, 5, 2, 0, 0, 0, 0], "more pixels than the 4"),
        ([2**29, 2**29], "truncated"),
        ([0, 4, 1, 0, 0, 0], "more than 16 bits"),
        ([0, 4, 2 * 65535, 2, 0, 0], "more than 16 bits"),
        ([2**40, 0], "a number without an end"),
    ],
)
def test_what_is_wrong_is_said(pack_rvl_numbers, numbers, said):
    with pytest.raises(ValueError, match=said):
        decode_rvl(pack_rvl_numbers(numbers), 4)


@given(st.binary(max_size=300), st.integers(0, 400))
def test_any_bytes_give_as_many_values_as_asked_or_are_refused(data, count):
    try:
        assert decode_rvl(data, count).shape == (count,)
    except ValueError:
        event("refused")
