#!/usr/bin/env python3
"""Starts ministack in this process, with Parameter Store as AWS has it and a control API under `/_ssmbak/`.

    python launcher.py [--port N] [--detached]

Prints `ready <port>` once requests are answered. Exits, and takes every function process along,
when its standard input closes (not with --detached), on SIGTERM and on SIGINT.

Environment: AUTH=true (ministack enforces IAM), SSMBAK_FUNCTION_ENDPOINT (where the functions send
their AWS calls; default: this emulator), SSMBAK_EMULATOR_LOG (log level; default WARNING).
All else is removed: ministack hands its whole environment to the functions.
"""

import sys

sys.dont_write_bytecode = True

import argparse
import asyncio
import os
import resource
import shutil
import signal
import socket
import threading

KEPT = ("PATH", "HOME", "TMPDIR", "LANG", "AUTH")


def main():
    options = parse_arguments()
    lead_a_process_group()
    if not options.detached:
        threading.Thread(target=exit_with_parent, name="parent-watch", daemon=True).start()
    listener = listen(options.port)
    prepare_environment(listener.getsockname()[1])
    raise_file_limit()

    from ssmbak_emulator import install

    serve(install.install(), listener)


def parse_arguments():
    parser = argparse.ArgumentParser(description="ministack with Parameter Store events")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free loopback port")
    parser.add_argument("--detached", action="store_true", help="stay when standard input closes")
    return parser.parse_args()


def lead_a_process_group():
    """Makes one group of this process and the functions it will start, so that they can end together."""
    if os.getpgrp() != os.getpid():
        os.setpgid(0, 0)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: end_group())


def exit_with_parent():
    while os.read(0, 4096):
        pass
    end_group()


def end_group():
    """Ends this process and its functions, and removes the home that the owner may not live to remove."""
    home = os.environ.get("HOME", "")
    if os.path.basename(home).startswith("ssmbak-emulator-"):
        shutil.rmtree(home, ignore_errors=True)
    os.killpg(os.getpgrp(), signal.SIGKILL)


def listen(port):
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(1024)
    return listener


def prepare_environment(port):
    """Must run before ministack is imported: it reads its settings at import."""
    own = f"http://127.0.0.1:{port}"
    function_endpoint = os.environ.get("SSMBAK_FUNCTION_ENDPOINT") or own
    log_level = os.environ.get("SSMBAK_EMULATOR_LOG") or "WARNING"
    for name in [name for name in os.environ if name not in KEPT]:
        del os.environ[name]
    os.environ.update(
        GATEWAY_PORT=str(port),
        BIND_HOST="127.0.0.1",
        MINISTACK_HOST="127.0.0.1",
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        LOG_LEVEL=log_level,
        AWS_ENDPOINT_URL=function_endpoint,
    )


def raise_file_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def serve(application, listener):
    from hypercorn.asyncio import serve as hypercorn_serve
    from hypercorn.config import Config

    port = listener.getsockname()[1]
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    # The functions must not log at the emulator's level: their own setting decides.
    os.environ.pop("LOG_LEVEL")

    async def announced(scope, receive, send):
        async def watching(message):
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                print(f"ready {port}", flush=True)

        await application(scope, receive, watching if scope["type"] == "lifespan" else send)

    async def run():
        await hypercorn_serve(announced, config, shutdown_trigger=asyncio.Event().wait)

    asyncio.run(run())


if __name__ == "__main__":
    main()
