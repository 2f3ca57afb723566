"""The program's setup of its process, before it runs the node."""

import subprocess
import sys

DECODE_A_DAMAGED_IMAGE = """
import sys
from types import SimpleNamespace

def decode():
    from dsm_ros.messages.image import image_from_msg
    try:
        image_from_msg(SimpleNamespace(format="gif", data=b"GIF89a" + bytes(100)))
    except ValueError as error:
        print(error)

sys.modules["dsm_ros.node.program"] = SimpleNamespace(main=decode)
from dsm_ros.node.__main__ import main
main()
"""


def test_a_damaged_image_is_an_error_of_the_node_and_none_of_opencv():
    command = [sys.executable, "-c", DECODE_A_DAMAGED_IMAGE]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    assert "image with format 'gif' cannot be decoded" in done.stdout
    assert done.stderr == ""
