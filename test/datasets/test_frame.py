from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsm_ros.datasets.frame import parse_frames
from dsm_ros.errors import SequenceError


@pytest.mark.parametrize(
    ("text", "expected"),
    [(None, range(10)), ("2:6", range(2, 6)), ("::5", range(0, 10, 5)), ("8:99", range(8, 10)), (":3", range(3))],
)
def test_ranges(text, expected):
    assert parse_frames(text, 10) == expected


@pytest.mark.parametrize("text", ["", "5", "a:b", "1:2:3:4", "::0", "-3:", "20:30", "5:5"])
def test_bad_ranges_say_what_to_write(text):
    with pytest.raises(SequenceError, match=r"--frames"):
        parse_frames(text or "x", 10)


@given(st.text(max_size=12))
def test_any_text_parses_or_is_refused(text):
    with suppress(SequenceError):
        assert len(parse_frames(text, 50)) > 0
