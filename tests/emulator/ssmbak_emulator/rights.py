"""What AWS judges and ministack does not, or judges otherwise, where IAM is enforced (AUTH=true).

Each piece says what AWS does. What is still not judged is listed in docs/testing.md. Beside it what the tests of
rights need of CloudFormation, and the credentials of a function.
"""

import functools
import json
import logging
from contextvars import ContextVar

import ministack.app as ministack
import ministack.core.iam_actions as actions
import ministack.core.iam_evaluator as evaluator
import ministack.services.eventbridge as eventbridge
import ministack.services.iam as iam
import ministack.services.kms as kms
import ministack.services.lambda_svc as functions
import ministack.services.s3 as s3
import ministack.services.sqs as sqs
import ministack.services.ssm as ssm
from ministack.core.lambda_runtime import execution_credentials
from ministack.core.responses import get_account_id, get_region
from ministack.core.router import extract_access_key_id
from ministack.services.cloudformation import changesets, engine, handlers, provisioners, stacks

from . import store

logger = logging.getLogger("ministack")
caller_key = ContextVar("ssmbak_access_key", default="")
# What was refused: access key, action, resource. The callers' answers need not tell it all.
refusals = []


def install():
    provisioners._RESOURCE_HANDLERS["AWS::IAM::AccessKey"] = {"create": create_access_key, "delete": delete_access_key}
    judged = with_joins(engine._evaluate_conditions)
    for module in (changesets, engine, handlers, provisioners, stacks):
        module._evaluate_conditions = judged
    if not ministack.AUTH:
        return
    evaluator.enforce = remembered(evaluator.enforce)
    actions.extract_iam_action = action_of(actions.extract_iam_action)
    actions.extract_resource_arn = resource_of(actions.extract_resource_arn)
    actions.s3_additional_checks = further_checks(actions.s3_additional_checks)
    eventbridge._invoke_target = only_where_the_queue_allows(eventbridge._invoke_target)
    store.check_key = check_key


def remembered(original):
    @functools.wraps(original)
    def enforce(access_key, action, service, region, resource_arn="*", service_context=None):
        denied = original(access_key, action, service, region, resource_arn=resource_arn,
                          service_context=service_context)
        if isinstance(denied, evaluator.EvalResult):
            refusals.append((access_key, action, resource_arn))
        return denied

    return enforce


def refused(data):
    """Every action that this access key was refused, whatever its answer said."""
    return {"refused": [{"action": action, "resource": arn} for key, action, arn in refusals if key == data["key"]]}


def action_of(original):
    @functools.wraps(original)
    def action(service, method, path, *rest):
        """SQS's calls for several messages need the right of the call for one: IAM knows no other. And CloudWatch's
        newer wire format tells the operation in its path, where ministack does not look."""
        if service == "monitoring" and "/operation/" in path:
            return "cloudwatch:" + path.rpartition("/operation/")[2]
        found = original(service, method, path, *rest)
        return found.removesuffix("Batch") if service == "sqs" and found else found

    return action


def resource_of(original):
    @functools.wraps(original)
    def resource_arn(service, method, path, headers, body, query_params, region, account_id):
        if service == "ssm" and (names := names_of(body)):
            return parameter_arn(names[0], region, account_id)
        if service == "monitoring" and path.endswith("/operation/DescribeAlarms"):
            return f"arn:aws:cloudwatch:{region}:{account_id}:alarm:*"
        if service == "s3" and (parts := bucket_and_key(path)):
            # ministack collapses slashes, and would take the value of `/a` for the object `a`.
            return "arn:aws:s3:::{}/{}".format(*parts)
        asked = functools.partial(actions._query_param, query_params)
        if service == "cloudformation" and asked("Action") == "DescribeStacks" and not asked("StackName"):
            # All stacks. ministack asks for `*`, which no pattern of stacks matches.
            return f"arn:aws:cloudformation:{region}:{account_id}:stack/*/*"
        return original(service, method, path, headers, body, query_params, region, account_id)

    return resource_arn


def names_of(body):
    """The names that a call to Parameter Store is for; AWS judges each. ministack takes several for `*`."""
    try:
        data = json.loads(body or b"{}")
    except ValueError:
        return []
    names = data.get("Names") or [data.get("Name")]
    return [name for name in names if isinstance(name, str) and name]


def parameter_arn(name, region, account_id):
    """The version or label after a name is no part of the resource."""
    if name.startswith("arn:"):
        return name
    return f"arn:aws:ssm:{region}:{account_id}:parameter{store.canonical(ssm._split_selector(name)[0].strip())}"


def refusal_of_names(headers, body, query_params):
    """The refusal of GetParameters or DeleteParameters where one of the names is refused. ministack judged the first."""
    action = headers.get("x-amz-target", "").rpartition(".")[2]
    if not ministack.AUTH or action not in ("GetParameters", "DeleteParameters"):
        return None
    key = extract_access_key_id(headers, query_params)
    for name in names_of(body)[1:]:
        arn = parameter_arn(name, get_region(), get_account_id())
        denied = evaluator.enforce(key, f"ssm:{action}", "ssm", get_region(), resource_arn=arn)
        if denied:
            return actions.access_denied_response("ssm", f"ssm:{action}", denied.principal_arn, "", headers=headers,
                                                  resource_arn=arn, explicit_deny=denied.decision == "Deny")
    return None


def bucket_and_key(path):
    bucket, _, key = path.removeprefix("/").partition("/")
    return (bucket, key) if bucket and key else None


def further_checks(original):
    @functools.wraps(original)
    def checks(method, path, headers, body, query_params):
        found = original(method, path, headers, body, query_params)
        parts = bucket_and_key(path)
        if parts is None:
            return found
        bucket, key = parts
        # A put that brings tags also tags.
        if method == "PUT" and headers.get("x-amz-tagging"):
            found = [*found, ("s3:PutObjectTagging", f"arn:aws:s3:::{bucket}/{key}")]
        # That an object is missing is told to those alone who may list.
        if method in ("GET", "HEAD") and is_missing(bucket, key, query_params):
            found = [*found, ("s3:ListBucket", f"arn:aws:s3:::{bucket}")]
        return found

    return checks


def is_missing(bucket, key, query_params):
    """Of a version or a part of an object nothing is said; the SDKs add `x-id` to a plain read."""
    here = s3._buckets.get(bucket)
    return here is not None and not set(query_params) - {"x-id"} and key not in here["objects"]


def only_where_the_queue_allows(original):
    """EventBridge may send to a queue only where the queue's policy lets the rule."""

    @functools.wraps(original)
    def invoke_target(target, event, rule, *rest):
        arn = target.get("Arn", "")
        if ":sqs:" in arn and not sqs.queue_policy_allows(arn, "events.amazonaws.com", rule["Arn"], get_account_id()):
            logger.warning("the policy of %s does not let %s send to it", arn, rule["Arn"])
            return None
        return original(target, event, rule, *rest)

    return invoke_target


def check_key(action, key_id):
    """Refuses a SecureString to a caller who may not use its key through Parameter Store.

    The key aws/ssm needs no permission: its own policy lets everybody in the account use it that way.
    """
    if key_id in ("", "alias/aws/ssm"):
        return
    region, account = get_region(), get_account_id()
    known = kms._resolve_key(key_id)
    arn = known["Arn"] if known else f"arn:aws:kms:{region}:{account}:key/{key_id}"
    denied = evaluator.enforce(caller_key.get(), f"kms:{action}", "kms", region, resource_arn=arn,
                               service_context={"kms:ViaService": f"ssm.{region}.amazonaws.com"})
    if denied:
        told = actions.identity_denial_message(f"kms:{action}", denied.principal_arn, arn, denied.decision == "Deny")
        raise store.Refused("AccessDeniedException", told)


def with_joins(original):
    """Conditions in which a list parameter is joined: ministack takes the very words of `Fn::Join` for the text, and
    would so grant the use of the key `""` alone."""

    def resolved(value, params):
        if isinstance(value, list):
            return [resolved(one, params) for one in value]
        if not isinstance(value, dict):
            return value
        match value.get("Fn::Join"):
            case [delimiter, {"Ref": name}] if name in params:
                return delimiter.join(part.strip() for part in params[name]["Value"].split(","))
        return {key: resolved(one, params) for key, one in value.items()}

    @functools.wraps(original)
    def evaluate(template, params):
        conditions = resolved(template.get("Conditions", {}), params)
        return original({**template, "Conditions": conditions}, params)

    return evaluate


def create_access_key(_logical_id, props, _stack_name):
    """CloudFormation's AWS::IAM::AccessKey, which ministack does not have: `Ref` is the id, an attribute the secret."""
    before = set(iam._access_keys)
    status, _headers, body = iam._create_access_key({"UserName": props["UserName"]})
    if status >= 400:
        raise ValueError(f"AWS::IAM::AccessKey: {body!r}")
    (key_id,) = set(iam._access_keys) - before
    return key_id, {"SecretAccessKey": iam._access_keys[key_id]["SecretAccessKey"]}


def delete_access_key(physical_id, _props):
    iam._access_keys.pop(physical_id, None)


def function_credentials(data):
    """What a function calls AWS with: its role's session."""
    function, config, _name = functions._get_func_record_for_ref(data["function"])
    if function is None:
        raise KeyError(data["function"])
    return execution_credentials(config)


def policies(data):
    """The documents that IAM judges by, as CloudFormation made them: a managed policy's, or all of a function's role."""
    if "arn" in data:
        return {"policies": [document_of(data["arn"])]}
    function, config, _name = functions._get_func_record_for_ref(data["function"])
    if function is None:
        raise KeyError(data["function"])
    role = iam._roles[config["Role"].rpartition("/")[2]]
    inline = [as_json(document) for document in (role.get("InlinePolicies") or {}).values()]
    return {"policies": inline + [document_of(arn) for arn in role.get("AttachedPolicies", [])]}


def document_of(arn):
    return as_json(evaluator._resolve_managed_policy_document(arn, get_account_id()))


def as_json(document):
    return json.loads(document) if isinstance(document, str) else document
