#!/usr/bin/env python3
"""Starts moto's server on a free loopback port, prints `ready <port>`, and ends when standard input closes."""

import sys

sys.dont_write_bytecode = True

import logging
import os
import shutil
import signal
import threading

if os.getpgrp() != os.getpid():
    os.setpgid(0, 0)


def exit_with_parent():
    while os.read(0, 4096):
        pass
    home = os.environ.get("HOME", "")
    if os.path.basename(home).startswith("ssmbak-emulator-"):
        shutil.rmtree(home, ignore_errors=True)
    os.killpg(os.getpgrp(), signal.SIGKILL)


class OneAtATime:
    """Hands moto the calls to DynamoDB one after the other.

    moto copies a whole table at the start of a transaction and puts the copy back if it fails: calls that come
    meanwhile break the copying ("dictionary changed size during iteration") or are undone with it. On AWS they do not.
    """

    def __init__(self, application):
        self.application = application
        self.lock = threading.Lock()

    def __call__(self, environ, start_response):
        if not environ.get("HTTP_X_AMZ_TARGET", "").startswith("DynamoDB"):
            return self.application(environ, start_response)
        with self.lock:
            return self.application(environ, start_response)


def main():
    threading.Thread(target=exit_with_parent, name="parent-watch", daemon=True).start()
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    # Without it every answer closes its connection, which AWS does not do.
    WSGIRequestHandler.protocol_version = "HTTP/1.1"
    application = OneAtATime(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, application, threaded=True)
    print(f"ready {server.port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
