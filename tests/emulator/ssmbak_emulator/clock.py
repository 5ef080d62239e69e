"""The instant that Parameter Store and its events go by."""

import threading
import time


class Clock:
    """Real time until it is set; then it stands still until it is advanced or freed."""

    def __init__(self):
        self._lock = threading.Lock()
        self._frozen_ms = None

    def now_ms(self):
        with self._lock:
            return self._now_ms()

    def set(self, instant_ms):
        with self._lock:
            self._frozen_ms = int(instant_ms)
            return self._frozen_ms

    def advance(self, step_ms):
        """Moves the instant; a clock that ran is stopped at the result."""
        with self._lock:
            self._frozen_ms = self._now_ms() + int(step_ms)
            return self._frozen_ms

    def free(self):
        with self._lock:
            self._frozen_ms = None
            return self._now_ms()

    def stands(self):
        return self._frozen_ms is not None

    def _now_ms(self):
        return int(time.time() * 1000) if self._frozen_ms is None else self._frozen_ms


CLOCK = Clock()
