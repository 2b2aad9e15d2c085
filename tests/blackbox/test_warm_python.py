"""A fork of a warm interpreter runs a program as an interpreter of its own would."""

from __future__ import annotations

from pathlib import Path

from tests.blackbox.warm_python import run


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
