from __future__ import annotations

from collections.abc import Callable
from typing import Any

import apsw
import msgspec
import pytest

from hubbub.errors import Closed, HubbubError, StorageError
from hubbub.journal.stores.failures import REASONS, failing, failure_of, storage_errors

PATH = "/var/lib/hubbub/hubbub.db"


class Fragile:
    """A store whose only method raises what the test wants."""

    log_name = f"the database {PATH}"

    def __init__(self, error: BaseException) -> None:
        self.error = error

    @storage_errors
    def use(self) -> None:
        """Fail."""
        raise self.error

    def use_in_a_block(self) -> None:
        """Fail within a block."""
        with failing(self.log_name):
            raise self.error


USES: list[Callable[[Fragile], Any]] = [Fragile.use, Fragile.use_in_a_block]
faults = pytest.mark.parametrize(
    "error",
    [
        *[kind(f"{PATH} is broken") for kind in REASONS],
        apsw.MisuseError(PATH),
        OSError(5, "broken", PATH),
        OverflowError("int too large"),
        KeyError(PATH),
        msgspec.DecodeError(PATH),
        UnicodeDecodeError("utf-8", b"", 0, 1, PATH),
        AssertionError(PATH),
        MemoryError(),
        TimeoutError(),
    ],
    ids=lambda error: type(error).__name__,
)


@pytest.mark.parametrize("use", USES)
@faults
def test_whatever_is_raised_is_a_storage_error_that_names_no_path(
    error: Exception, use: Callable[[Fragile], Any]
) -> None:
    with pytest.raises(StorageError) as caught:
        use(Fragile(error))

    assert "hubbub.db" not in caught.value.message
    assert caught.value.__cause__ is error
    # The log shows the notes of an error.
    assert PATH in "".join(caught.value.__notes__)


@pytest.mark.parametrize("use", USES)
def test_an_error_of_ours_comes_out_as_it_is(use: Callable[[Fragile], Any]) -> None:
    error: HubbubError = Closed("mine")
    with pytest.raises(Closed) as caught:
        use(Fragile(error))

    assert caught.value is error


@pytest.mark.parametrize("use", USES)
def test_what_is_no_error_is_let_through(use: Callable[[Fragile], Any]) -> None:
    with pytest.raises(KeyboardInterrupt):
        use(Fragile(KeyboardInterrupt()))


def test_a_full_disk_is_called_so() -> None:
    assert "disk is full" in failure_of(apsw.FullError(), PATH).message
