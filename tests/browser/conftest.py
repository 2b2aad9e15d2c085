"""The fixtures of windows; without what they need, a line that says how to get it."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

import pytest

if find_spec("playwright") and find_spec("axe_playwright_python"):
    from tests.browser.windows import browser, open_page, server, shot

    __all__ = ["browser", "open_page", "server", "shot"]
else:

    class Unavailable(pytest.Module):
        """A file of tests that cannot even be imported."""

        def collect(self) -> Iterable[pytest.Item]:
            """Skip all of them."""
            pytest.skip("no playwright: pip install --group browser", allow_module_level=True)

    def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module:
        """Collect a file."""
        made: pytest.Module = Unavailable.from_parent(parent, path=module_path)
        return made
