"""The emulator's queues: made safe against lost messages, and looked into by tests."""

import functools
import json
import threading
import time

import ministack.services.eventbridge as eventbridge
import ministack.services.lambda_svc as functions
import ministack.services.sqs as sqs
from ministack.core.concurrency import active_counts

# Each of these reads the list of messages and writes it back: without one lock, a message that
# arrives in between on another thread is lost, which AWS would not do.
GUARDED = ("_collect_msgs", "_dlq_sweep", "_expire_retained", "_refresh_counts", "_act_send_message",
           "_act_send_message_batch", "_act_delete_message", "_act_delete_message_batch", "_act_purge_queue",
           "_act_change_visibility", "_act_change_visibility_batch")


def guard():
    lock = threading.RLock()
    sqs._queues_lock = lock
    for name in GUARDED:
        original = getattr(sqs, name)
        replacement = under(lock, original)
        setattr(sqs, name, replacement)
        for action, handler in sqs._HANDLERS.items():
            if handler is original:
                sqs._HANDLERS[action] = replacement
    eventbridge._dispatch_to_sqs = under(lock, eventbridge._dispatch_to_sqs)


def under(lock, function):
    @functools.wraps(function)
    def locked(*args, **kwargs):
        with lock:
            return function(*args, **kwargs)

    return locked


def depths():
    """Every queue of every account with its messages; `dead_letter` says that another queue or a rule's target sends
    there what it gave up."""
    with sqs._queues_lock:
        dead = dead_letter_arns()
        return [depth(queue, queue["attributes"].get("QueueArn", "") in dead) for queue in sqs._queues._data.values()]


def depth(queue, dead_letter):
    now = time.time()
    messages = queue["messages"]
    in_flight = sum(1 for m in messages if m["visible_at"] > now and m["receive_count"] > 0)
    delayed = sum(1 for m in messages if m["visible_at"] > now and m["receive_count"] == 0)
    return {
        "arn": queue["attributes"].get("QueueArn", ""),
        "ready": len(messages) - in_flight - delayed,
        "in_flight": in_flight,
        "delayed": delayed,
        "dead_letter": dead_letter,
    }


def dead_letter_arns():
    policies = [queue["attributes"].get("RedrivePolicy") for queue in sqs._queues._data.values()]
    arns = {json.loads(text).get("deadLetterTargetArn") for text in policies if text}
    for targets in eventbridge._targets._data.values():
        arns |= {(target.get("DeadLetterConfig") or {}).get("Arn") for target in targets}
    return arns


def invocations():
    total, _ = functions.executions_in_flight()
    with functions._esm_inflight_lock:
        batches = sum(functions._esm_inflight.values())
    return {"invocations": total, "batches": batches, "background": active_counts()["background"]}


def redeliver():
    """Makes every message that a function failed or never finished visible at once; nothing while one is at work."""
    if any(invocations()[kind] for kind in ("invocations", "batches")):
        return 0
    count = 0
    with sqs._queues_lock:
        for queue in sqs._queues._data.values():
            for message in queue["messages"]:
                if message["receive_count"] > 0 and message["visible_at"] > time.time():
                    message["visible_at"] = time.time()
                    count += 1
    functions._esm_backoff_until._data.clear()
    functions._esm_wake.set()
    return count


def messages(arn):
    with sqs._queues_lock:
        return [{"id": m["id"], "body": m["body"], "receive_count": m["receive_count"]}
                for queue in sqs._queues._data.values() if queue["attributes"].get("QueueArn") == arn
                for m in queue["messages"]]
