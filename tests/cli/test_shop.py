"""``hubbub shop`` in a process of its own, at a server that may be killed."""

from __future__ import annotations

import signal
from pathlib import Path

import httpx2
import pytest

from hubbub.cli.tokens import kept_token
from hubbub.local_servers.server_process import free_port
from tests.cli.program import program, run_program

FILL = "add laptop\nadd mouse 2\nadd keyboard\n"


def wait_for_an_order(address: str, token: str | None) -> None:
    """Wait until an order is being paid."""
    signed_in = httpx2.post(f"{address}/api/users/sign_in", json={"token": token}).json()
    headers = {"Authorization": f"Bearer {signed_in['token']}"}
    orders: list[dict[str, str]] = []
    while not orders:
        orders = httpx2.get(f"{address}/api/shop/orders", headers=headers).json()
    assert orders[0]["status"] == "pending"


def test_a_cart_is_filled_declined_and_paid(tmp_path: Path) -> None:
    options = ["--demo", "--port", 0]
    with program(tmp_path, "serve", *options) as server:
        address = server.line_with("Hubbub serves").split()[2]
        typed = FILL + "pay 4000 0000 0000 0002\npay 4242 4242 4242 4242\norders\n"
        done = run_program(tmp_path, "shop", address, "--nickname", "Ann", typed=typed)

    assert "     Total                 1253.96 USD" in done.out
    assert "Paid 1253.96 USD: thank you." in done.out
    assert done.err == "Your card was declined.\n"
    # Something was refused, and a script wants to know.
    assert done.code == 1
    assert [line.split()[5] for line in done.out.splitlines() if line.startswith("[")] == [
        "declined:",
        "paid",
    ]


def test_the_cart_stays_until_one_comes_back(tmp_path: Path) -> None:
    options = ["--demo", "--port", 0]
    with program(tmp_path, "serve", *options) as server:
        address = server.line_with("Hubbub serves").split()[2]
        run_program(tmp_path, "shop", address, "--nickname", "Ann", typed=FILL)
        done = run_program(tmp_path, "shop", address, "--nickname", "Ann", typed="cart\nquit\n")

    assert "1253.96 USD" in done.out
    assert done.code == 0


def test_an_order_is_found_after_the_server_was_killed_while_it_was_paid(
    tmp_path: Path, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["--demo", "--port", free_port(), "--backend", backend]
    with program(tmp_path, "serve", *options) as server:
        address = server.line_with("Hubbub serves").split()[2]
        with program(tmp_path, "shop", address, "--nickname", "Ann") as ann:
            ann.type("add mouse")
            ann.type("pay pm_card_late")
            ann.line_with("Paying")
            monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
            wait_for_an_order(address, kept_token(address, "Ann"))
            server.stop(signal.SIGKILL)
            with program(tmp_path, "serve", *options) as again:
                again.line_with("Hubbub serves")
                # The client has come back by itself, with its key.
                ann.line_with("Paid 32.99 USD")
                done = run_program(
                    tmp_path, "shop", address, "--nickname", "Ann", typed="orders\ncart\n"
                )

    assert [line.split()[3:6] for line in done.out.splitlines() if line.startswith("[")] == [
        ["32.99", "USD", "paid"]
    ]
    assert "The cart is empty." in done.out
