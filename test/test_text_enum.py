"""Members of a TextEnum are their values in every kind of text."""

import json

from dsm_ros.text_enum import TextEnum


class Colour(TextEnum):
    RED = "red"


def test_members_are_written_as_their_values():
    written = [str(Colour.RED), f"{Colour.RED}", f"{Colour.RED:>3}", "%s" % Colour.RED, "".join([Colour.RED])]  # noqa: UP031
    assert written == ["red"] * 5
    assert json.loads(json.dumps({"colour": Colour.RED})) == {"colour": "red"}
    assert Colour("red") is Colour.RED
