"""Puts the pieces into ministack; returns the application to serve."""

import functools
import json

import ministack.app as ministack
import ministack.services.ssm as ssm
from ministack.core.iam_evaluator import request_caller_arn
from ministack.core.responses import get_account_id
from ministack.core.router import extract_access_key_id

from . import control, objects, queues, reads, rights, store, writes
from .clock import CLOCK

OPERATIONS = {
    "_put_parameter": writes.put_parameter,
    "_delete_parameter": writes.delete_parameter,
    "_delete_parameters": writes.delete_parameters,
    "_label_parameter_version": writes.label_parameter_version,
    "_add_tags_to_resource": writes.add_tags,
    "_remove_tags_from_resource": writes.remove_tags,
    "_list_tags_for_resource": writes.list_tags,
    "_get_parameter": reads.get_parameter,
    "_get_parameters": reads.get_parameters,
    "_get_parameters_by_path": reads.get_parameters_by_path,
    "_get_parameter_history": reads.get_parameter_history,
    "_describe_parameters": reads.describe_parameters,
}
TAGGING = ("_add_tags_to_resource", "_remove_tags_from_resource", "_list_tags_for_resource")


def install():
    for name, operation in OPERATIONS.items():
        original = getattr(ssm, name)
        setattr(ssm, name, refusing(only_parameters(operation, original) if name in TAGGING else operation))
    ssm._lookup_parameter = lookup_parameter
    ssm._now_epoch = lambda: CLOCK.now_ms() / 1000
    ssm.handle_request = with_caller(ssm.handle_request)
    queues.guard()
    rights.install()
    objects.install()
    return control.wrap(ministack.app)


def refusing(operation):
    @functools.wraps(operation)
    def answered(data):
        try:
            return operation(data)
        except store.Refused as refusal:
            return refusal.response()

    return answered


def only_parameters(operation, original):
    """Tags of other kinds of resources stay ministack's business."""
    return lambda data: (operation if data.get("ResourceType", "Parameter") == "Parameter" else original)(data)


def lookup_parameter(name_or_arn, **_options):
    try:
        key = store.key_of(name_or_arn)
    except store.Refused:
        return None, None
    record = store.current(key)
    return (key, record) if record else (None, None)


def with_caller(original):
    unlabel = refusing(writes.unlabel_parameter_version)

    async def handle_request(method, path, headers, body, query_params):
        token = store.caller.set(caller_of(headers, query_params))
        key = rights.caller_key.set(extract_access_key_id(headers, query_params))
        try:
            if refused := rights.refusal_of_names(headers, body, query_params):
                return refused
            if headers.get("x-amz-target", "").endswith(".UnlabelParameterVersion"):
                return unlabel(json.loads(body))
            return await original(method, path, headers, body, query_params)
        finally:
            rights.caller_key.reset(key)
            store.caller.reset(token)

    return handle_request


def caller_of(headers, query_params):
    if ministack.AUTH:
        return request_caller_arn(headers, query_params)
    access_key = extract_access_key_id(headers, query_params)
    return f"arn:aws:iam::{get_account_id()}:user/{access_key}" if access_key else ""
