"""Exit status and message of a program that fails or is interrupted."""

import pytest

from dsm_ros.demo.exit_status import exit_on_failure
from dsm_ros.errors import DsmError


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [(DsmError("no map; build one"), 2, "demo: no map; build one\n"), (KeyboardInterrupt(), 130, "")],
)
def test_a_failure_gives_a_status_and_a_line(error, status, message, capsys):
    with pytest.raises(SystemExit) as exited, exit_on_failure("demo"):
        raise error
    assert (exited.value.code, capsys.readouterr().err) == (status, message)
