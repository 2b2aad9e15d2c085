"""A fork of a warm interpreter runs a program as an interpreter of its own would."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.blackbox.warm_python import PipedFork, run


def test_what_it_prints_and_how_it_ends_is_told(tmp_path: Path) -> None:
    (tmp_path / "ends.py").write_text("import sys\nprint('out')\nsys.exit('sorry')")

    assert run(tmp_path, "ends.py") == (1, "out\n", "sorry\n")


def test_an_exception_fails_it(tmp_path: Path) -> None:
    (tmp_path / "fails.py").write_text("missing")
    done = run(tmp_path, "fails.py")

    assert done.code == 1
    assert "NameError: name 'missing' is not defined" in done.err


def test_a_warning_fails_it(tmp_path: Path) -> None:
    (tmp_path / "warns.py").write_text("import warnings\nwarnings.warn('old')")

    assert "UserWarning: old" in run(tmp_path, "warns.py").err


def test_it_is_the_main_module_in_its_folder(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("print(open('name.txt').read(), __name__)")
    (tmp_path / "name.txt").write_text("here")
    (tmp_path / "main.py").write_text("import beside\nprint(__name__)")

    assert run(tmp_path, "main.py").out == "here beside\n__main__\n"


def test_nothing_is_left_of_another_program(tmp_path: Path) -> None:
    (tmp_path / "writes.py").write_text("import hubbub, os\nhubbub.left = os.environ['LEFT'] = '1'")
    (tmp_path / "reads.py").write_text(
        "import hubbub, os\nprint(hasattr(hubbub, 'left'), 'LEFT' in os.environ)"
    )

    assert run(tmp_path, "writes.py").code == 0
    assert run(tmp_path, "reads.py").out == "False False\n"


def test_a_module_is_run_as_by_the_interpreter(tmp_path: Path) -> None:
    (tmp_path / "test_that.py").write_text("def test_that():\n    assert False")

    assert run(tmp_path, "-m", "pytest", "-q", "test_that.py").code == 1


def test_a_program_with_pipes_has_the_environment_and_the_input_that_are_given(
    tmp_path: Path,
) -> None:
    (tmp_path / "asks.py").write_text(
        "import os, sys\nprint(input(), sorted(os.environ))\nsys.exit('sorry')"
    )
    fork = PipedFork(tmp_path, ["asks.py"], {"ONLY": "this"}, own_errors=True)

    assert fork.communicate("typed\n", 30) == (1, "typed ['ONLY']\n", "sorry\n")


def test_it_ends_by_a_signal_as_an_interpreter_does(tmp_path: Path) -> None:
    (tmp_path / "waits.py").write_text("print('here', flush=True)\ninput()")
    fork = PipedFork(tmp_path, ["waits.py"], os.environ)
    with fork.stdin, fork.stdout:
        here = fork.stdout.readline()
        fork.send_signal(signal.SIGTERM)
        code = fork.wait(30)

    assert (here, code) == ("here\n", -signal.SIGTERM)


def test_what_is_not_closed_is_told_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "leaves.py").write_text(
        "import asyncio\nloop = asyncio.new_event_loop()\nloop.itself = loop\ndel loop"
    )
    fork = PipedFork(tmp_path, ["leaves.py"], os.environ, own_errors=True)

    assert "unclosed event loop" in fork.communicate("", 30).err
