"""Announces changes through the emulator's own EventBridge, as late, often and disordered as a test asks.

Every change is kept in `changes`, the ground truth: complete, in order, with a hash in place of the value.
"""

import copy
import heapq
import itertools
import json
import random
import threading
import time
import uuid

import ministack.services.eventbridge as eventbridge
from ministack.core.responses import get_account_id, get_region, request_scope

DEFAULTS = {"delay_ms": 0, "jitter_ms": 0, "duplicate": 0.0, "drop": 0.0, "hold": False}
CHANGE = "Parameter Store Change"


class Events:
    """The ground truth and the delivery of its events."""

    def __init__(self):
        self._wake = threading.Condition(threading.RLock())
        self._due = []
        self._order = itertools.count()
        self._delivering = 0
        self.reset()
        threading.Thread(target=self._deliver_when_due, name="event-delivery", daemon=True).start()

    def reset(self):
        with self._wake:
            self.settings = dict(DEFAULTS)
            self._random = random.Random(0)
            self.clear()

    def clear(self):
        """Forgets every change, held and pending events included. Numbering goes on."""
        with self._wake:
            self.changes = []
            self._held = []
            self._due.clear()

    def configure(self, wanted):
        with self._wake:
            for name in DEFAULTS:
                if wanted.get(name) is not None:
                    self.settings[name] = wanted[name]
            if wanted.get("seed") is not None:
                self._random = random.Random(wanted["seed"])
            return dict(self.settings)

    def record(self, truth, detail, resource, detail_type=CHANGE, source="aws.ssm"):
        """Takes one change into the log and sends its event on its way."""
        event = event_record(truth["time_ms"], detail, resource, detail_type, source)
        with self._wake:
            change = {"seq": next(self._order), **truth, "event": envelope(event), "dropped": False, "deliveries": 0}
            self.changes.append(change)
            self._send(change, event)

    def release(self, shuffle=False, limit=None):
        """Delivers what `hold` collected, in the order of the changes or shuffled; returns how many."""
        with self._wake:
            count = len(self._held) if limit is None else min(limit, len(self._held))
            batch, self._held = self._held[:count], self._held[count:]
        return self._deliver_all(batch, shuffle)

    def replay(self, seqs=None, shuffle=False):
        """Delivers events of the log once more, with the ids they had."""
        with self._wake:
            chosen = [c for c in self.changes if seqs is None or c["seq"] in set(seqs)]
            batch = [(change, from_envelope(change["event"])) for change in chosen]
        return self._deliver_all(batch, shuffle)

    def log(self, since=None):
        with self._wake:
            return copy.deepcopy([c for c in self.changes if since is None or c["seq"] > since])

    def pending(self):
        with self._wake:
            return {"pending": len(self._due) + self._delivering, "held": len(self._held)}

    def _send(self, change, event):
        settings = self.settings
        if self._random.random() < settings["drop"]:
            change["dropped"] = True
            return
        for _ in range(2 if self._random.random() < settings["duplicate"] else 1):
            wait_ms = settings["delay_ms"] + self._random.random() * settings["jitter_ms"]
            if settings["hold"]:
                self._held.append((change, event))
            elif wait_ms > 0:
                due = time.monotonic() + wait_ms / 1000
                heapq.heappush(self._due, (due, next(self._order), change, event))
                self._wake.notify()
            else:
                self._deliver(change, event)

    def _deliver_all(self, batch, shuffle):
        if shuffle:
            self._random.shuffle(batch)
        for change, event in batch:
            self._deliver(change, event)
        return len(batch)

    def _deliver_when_due(self):
        while True:
            with self._wake:
                while not self._due or self._due[0][0] > time.monotonic():
                    self._wake.wait(self._due[0][0] - time.monotonic() if self._due else None)
                _, _, change, event = heapq.heappop(self._due)
                self._delivering += 1
            try:
                self._deliver(change, event)
            finally:
                with self._wake:
                    self._delivering -= 1

    def _deliver(self, change, event):
        with request_scope(event["Account"], event["Region"]):
            eventbridge._events_log_list().append(event)
            view = eventbridge._pattern_event_view(event)
            eventbridge._dispatch_event(event, view)
            eventbridge._archive_event(event, view)
        with self._wake:
            change["deliveries"] += 1


def event_record(time_ms, detail, resource, detail_type, source):
    return {
        "EventId": str(uuid.uuid4()),
        "Source": source,
        "DetailType": detail_type,
        "Detail": json.dumps(detail),
        "EventBusName": "default",
        "Time": time_ms // 1000,
        "Resources": [resource] if resource else [],
        "Account": get_account_id(),
        "Region": get_region(),
    }


def envelope(event):
    with request_scope(event["Account"], event["Region"]):
        return eventbridge._pattern_event_view(event).event_with_detail()


def from_envelope(event):
    return {
        "EventId": event["id"],
        "Source": event["source"],
        "DetailType": event["detail-type"],
        "Detail": json.dumps(event["detail"]),
        "EventBusName": "default",
        "Time": event["time"],
        "Resources": event["resources"],
        "Account": event["account"],
        "Region": event["region"],
    }


EVENTS = Events()
