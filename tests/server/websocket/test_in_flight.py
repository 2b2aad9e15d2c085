"""The requests of one connection that have no answer yet."""

from __future__ import annotations

import msgspec

from hubbub.server.websocket.in_flight import IN_FLIGHT_BYTES_MAX, InFlight
from hubbub.wire.peer import Request


def request(number: int, size: int = 2) -> Request:
    return Request(number, "a.b", msgspec.Raw(b"x" * size), None)


class Server:
    """Takes requests, and answers the oldest when a test calls answer."""

    def __init__(self, requests_max: int = 3) -> None:
        self.taken: list[Request] = []
        self.open: list[Request] = []
        self.refuses = False
        self.reads_on = 0
        self.in_flight = InFlight(requests_max, self.take, self.read_on)

    def take(self, asked: Request) -> None:
        self.taken.append(asked)
        if self.refuses:
            self.in_flight.answered(asked)
        else:
            self.open.append(asked)

    def read_on(self) -> None:
        self.reads_on += 1

    def answer(self) -> None:
        self.in_flight.answered(self.open.pop(0))

    def numbers(self) -> list[object]:
        return [asked.id for asked in self.taken]


def test_more_requests_wait_in_their_order() -> None:
    server = Server()
    for number in range(6):
        server.in_flight.add(request(number))

    assert server.numbers() == [0, 1, 2]
    assert server.in_flight.full
    server.answer()
    assert server.numbers() == [0, 1, 2, 3]
    server.answer()
    assert server.reads_on == 0
    server.answer()
    assert server.numbers() == [0, 1, 2, 3, 4, 5]
    assert (server.in_flight.full, server.reads_on) == (False, 1)


def test_a_request_passes_none_that_waits() -> None:
    server = Server(requests_max=100)
    server.in_flight.add(request(0, IN_FLIGHT_BYTES_MAX))
    server.in_flight.add(request(1))
    server.in_flight.add(request(2, 0))

    assert server.numbers() == [0]
    server.answer()
    assert server.numbers() == [0, 1, 2]


def test_a_single_request_is_carried_out_however_large_it_is() -> None:
    server = Server()
    server.in_flight.add(request(0, IN_FLIGHT_BYTES_MAX + 1))

    assert server.numbers() == [0]


def test_thousands_that_are_refused_at_once_need_no_stack() -> None:
    server = Server(requests_max=1)
    for number in range(5_000):
        server.in_flight.add(request(number))
    server.refuses = True
    server.answer()

    assert len(server.taken) == 5_000
    assert server.reads_on == 1


def test_of_a_client_that_is_gone_nothing_more_is_carried_out() -> None:
    server = Server(requests_max=1)
    server.in_flight.add(request(0))
    server.in_flight.add(request(1))
    server.in_flight.release()
    server.answer()

    assert server.numbers() == [0]
    assert not server.in_flight.full
