"""A server on uWebSockets that sends every message to every socket: ``python uws.py PORT``."""

from __future__ import annotations

import sys

from socketify import App, AppListenOptions, OpCode, WebSocket

TOPIC = "all"
# As much may wait for a slow socket as the benchmarks ever have under way; beyond this it drops.
WAITING_BYTES_MAX = 64 * 1024 * 1024


def main(port: int) -> None:
    """Serve until the process is killed."""
    app = App()

    def follow(socket: WebSocket) -> None:
        socket.subscribe(TOPIC)

    def publish(_: WebSocket, message: str, kind: OpCode) -> None:
        app.publish(TOPIC, message, kind)

    behaviour = {"open": follow, "message": publish, "max_backpressure": WAITING_BYTES_MAX}
    app.ws("/ws", behaviour)
    app.listen(AppListenOptions(port=port, host="127.0.0.1"))
    app.run()


if __name__ == "__main__":
    main(int(sys.argv[1]))
