"""The control API: JSON in, JSON out, under `/_ssmbak/` on the emulator's own port."""

import json
import os
import traceback

import ministack.app as ministack
from ministack.core.responses import get_account_id, get_region, request_scope

from . import queues, rights, store
from .clock import CLOCK
from .events import EVENTS

PREFIX = "/_ssmbak/"
ACCOUNT, REGION = "000000000000", "us-east-1"


def wrap(application):
    async def controlled(scope, receive, send):
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await application(scope, receive, send)
            return
        body = await read(receive)
        status, answer = respond(scope["method"], scope["path"][len(PREFIX):], body)
        payload = json.dumps(answer).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(payload)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": payload})

    return controlled


async def read(receive):
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


def respond(method, route, body):
    handler = ROUTES.get((method, route))
    if handler is None:
        return 404, {"error": f"no route {method} {PREFIX}{route}"}
    try:
        data = json.loads(body) if body else {}
        with request_scope(data.get("account") or ACCOUNT, data.get("region") or REGION):
            return 200, handler(data)
    except Exception:
        return 400, {"error": traceback.format_exc()}


def clock_state(now_ms):
    return {"now_ms": now_ms, "stands": CLOCK.stands()}


def quiet(_data):
    waiting, running, depths = EVENTS.pending(), queues.invocations(), queues.depths()
    busy_queues = [q for q in depths if not q["dead_letter"] and q["ready"] + q["in_flight"] + q["delayed"]]
    idle = not (busy_queues or waiting["pending"] or running["invocations"] or running["batches"])
    return {"quiet": idle, **waiting, **running, "queues": depths}


def deny_key(data):
    if data.get("deny", True):
        store.denied_keys[data["key_id"]] = data.get("error") or "AccessDeniedException"
    else:
        store.denied_keys.pop(data["key_id"], None)
    return {"denied": sorted(store.denied_keys)}


def stale(data):
    key = (get_account_id(), get_region(), store.spelled(data["name"]))
    store.stale_reads[key] = int(data["reads"])
    return {"name": data["name"], "reads": int(data["reads"])}


def publish(data):
    """An event that no change of ours stands behind; it is in the log with the operation `Published`."""
    truth = {"time_ms": data.get("time_ms") or CLOCK.now_ms(), "name": data["detail"].get("name") or "",
             "operation": "Published", "version": None, "type": None, "value_sha256": None, "user": None,
             "label": None, "from_version": None, "to_version": None}
    EVENTS.record(truth, data["detail"], data.get("resource"), data.get("detail_type") or "Parameter Store Change",
                  data.get("source") or "aws.ssm")
    return EVENTS.log()[-1]


def function_endpoint(data):
    """Where functions that start from now on send their calls; running ones are ended."""
    from ministack.core import lambda_runtime

    os.environ["AWS_ENDPOINT_URL"] = data["endpoint"]
    lambda_runtime.reset()
    return {"endpoint": data["endpoint"]}


def fire_schedules(_data):
    """Whatever is due by a rate is due now; returns how many rules that were."""
    from ministack.services import eventbridge

    due = 0
    for key, rule in list(eventbridge._rules._data.items()):
        if rule.get("State") == "ENABLED" and rule.get("ScheduleExpression", "").startswith("rate("):
            eventbridge._rule_last_fired[key] = 0
            due += 1
    eventbridge._tick_scheduled_rules()
    return {"rules": due}


def log_lines(data):
    import ministack.services.cloudwatch_logs as logs

    group = logs._log_groups.get(data["group"]) or {"streams": {}}
    return {"lines": [event["message"] for stream in group["streams"].values() for event in stream["events"]]}


def reset(_data):
    CLOCK.free()
    EVENTS.reset()
    for table in (store.denied_keys, store.before_change, store.stale_reads, rights.refusals):
        table.clear()
    ministack._reset_all_state()
    return {}


def clear(_data):
    EVENTS.clear()
    return {}


ROUTES = {
    ("GET", "clock"): lambda _: clock_state(CLOCK.now_ms()),
    ("POST", "clock/set"): lambda data: clock_state(CLOCK.set(data["ms"])),
    ("POST", "clock/advance"): lambda data: clock_state(CLOCK.advance(data["ms"])),
    ("POST", "clock/real"): lambda _: clock_state(CLOCK.free()),
    ("POST", "delivery"): EVENTS.configure,
    ("POST", "release"): lambda data: {"delivered": EVENTS.release(data.get("shuffle", False), data.get("limit"))},
    ("POST", "replay"): lambda data: {"delivered": EVENTS.replay(data.get("seqs"), data.get("shuffle", False))},
    ("POST", "publish"): publish,
    ("POST", "changes"): lambda data: {"changes": EVENTS.log(data.get("since"))},
    ("POST", "clear"): clear,
    ("POST", "reset"): reset,
    ("GET", "quiet"): quiet,
    ("POST", "redeliver"): lambda _: {"messages": queues.redeliver()},
    ("POST", "messages"): lambda data: {"messages": queues.messages(data["arn"])},
    ("POST", "deny_key"): deny_key,
    ("POST", "stale"): stale,
    ("POST", "function_endpoint"): function_endpoint,
    ("POST", "schedules"): fire_schedules,
    ("POST", "function_credentials"): rights.function_credentials,
    ("POST", "policies"): rights.policies,
    ("POST", "refused"): rights.refused,
    ("POST", "log_lines"): log_lines,
}
