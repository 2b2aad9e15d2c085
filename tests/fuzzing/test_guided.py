"""The arguments of atheris, and the figures of its log."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzzing import guided
from tests.fuzzing.guided import INPUT_BYTES_MAX, NO_WHEEL, arguments, figures

LOG = """\
#2	INITED cov: 3 ft: 4 corp: 1/1b exec/s: 0 rss: 86Mb
#9	DONE   cov: 5 ft: 6 corp: 2/7b lim: 4096 exec/s: 9 rss: 86Mb
Done 9 runs in 1 second(s)
"""


def test_a_target_begins_with_its_seeds_and_keeps_what_it_finds(tmp_path: Path) -> None:
    given = arguments(tmp_path, 7, [b"a", b"b"], {"word"})

    assert "-max_total_time=7" in given
    assert f"-max_len={INPUT_BYTES_MAX}" in given
    # What failed is tried first again, and what is new comes into the first folder.
    assert [Path(one).name for one in given[-3:]] == ["corpus", "failed", "seeds"]
    assert sorted(file.read_bytes() for file in (tmp_path / "seeds").iterdir()) == [b"a", b"b"]
    assert (tmp_path / "words").read_text() == '"word"\n'


def test_a_second_run_changes_nothing_of_the_first(tmp_path: Path) -> None:
    arguments(tmp_path, 7, [b"a"], ())
    (tmp_path / "corpus" / "x").write_bytes(b"x")
    arguments(tmp_path, 7, [b"a"], ())

    assert [file.read_bytes() for file in (tmp_path / "corpus").iterdir()] == [b"x"]
    assert len(list((tmp_path / "seeds").iterdir())) == 1


def test_the_last_figures_are_told() -> None:
    assert figures(LOG) == "#9	DONE   cov: 5 ft: 6 corp: 2/7b lim: 4096 exec/s: 9 rss: 86Mb"


@pytest.mark.parametrize("fault", [" === Uncaught Python exception: ===\nX", "ERROR: libFuzzer: X"])
def test_a_fault_is_told_instead(fault: str) -> None:
    assert figures(LOG + fault) == fault.strip()


def test_a_log_without_figures_is_told_as_it_is() -> None:
    assert figures("it did not start") == "it did not start"


def test_an_input_that_failed_can_be_repeated(tmp_path: Path) -> None:
    (tmp_path / "input").write_bytes(b"\0\x81\x80" + bytes(4))

    assert guided.main("0", str(tmp_path / "input"), "frames") == 0


def test_without_a_wheel_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(guided, "find_spec", lambda name: None)

    assert guided.main("9", str(tmp_path)) == 0
    assert capsys.readouterr().out == f"{NO_WHEEL}\n"
