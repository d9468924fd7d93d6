"""Serve the built book on this machine, until Ctrl-C: `python book/serve.py [PORT]`."""

import argparse
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

from common.pages import ROOT


def main():
    parser = argparse.ArgumentParser(description="Serve the built book on this machine, until Ctrl-C.")
    parser.add_argument("port", nargs="?", type=int, default=8000, help="default: 8000")
    port = parser.parse_args().port
    handler = partial(SimpleHTTPRequestHandler, directory=ROOT / "_build" / "html")
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    except (OSError, OverflowError) as error:  # a number beyond 65535 is the latter
        sys.exit(f"The book cannot be served on port {port}: {error}. Name another one, such as: make serve PORT=8123")
    with server:
        try:
            print(f"The book is at http://127.0.0.1:{server.server_port} until you press Ctrl-C", flush=True)
            server.serve_forever()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    main()
