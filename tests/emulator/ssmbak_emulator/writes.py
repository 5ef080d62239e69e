"""PutParameter, DeleteParameter(s), labels and tags as AWS has them, each change announced."""

import json
import re

import ministack.services.ssm as ssm
from ministack.core.responses import json_response

from . import store
from .clock import CLOCK
from .events import EVENTS
from .store import (LOCK, MAX_VERSIONS, Refused, caller_arn, canonical, check_new_name, ciphertext, current, existing,
                    history, invalid, key_of, remember_before, value_hash)

TYPES = ("String", "StringList", "SecureString")
TIERS = ("Standard", "Advanced", "Intelligent-Tiering")
POLICY_TYPES = ("Expiration", "ExpirationNotification", "NoChangeNotification")
MAX_BYTES = {"Standard": 4096, "Advanced": 8192}
MAX_LABELS = 10
MAX_NAMES = 10
EXISTS = ("The parameter already exists. To overwrite this value, set the overwrite option in the request to true.")
DOWNGRADE = ("This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the "
             "advanced-parameter tier to the standard-parameter tier. If necessary, you can delete the advanced "
             "parameter and recreate it as a standard parameter.")


def put_parameter(data):
    with LOCK:
        key = check_new_name(data.get("Name"))
        old = current(key)
        check_put(data, old)
        record = new_version(key, data, old)
        check_version(record)
        if record["Type"] == "SecureString":
            store.check_key("Encrypt" if record["Tier"] == "Standard" else "GenerateDataKey", record["KeyId"])
        versions = history(key)
        if len(versions) >= MAX_VERSIONS and versions[0]["Labels"]:
            raise Refused("ParameterMaxVersionLimitExceeded", too_many_versions(key, versions[0]["Version"]))
        remember_before(key)
        ssm._parameters[key] = record
        ssm._parameter_history[key] = (versions + [record])[-MAX_VERSIONS:]
        if data.get("Tags"):
            ssm._tags[record["ARN"]] = {tag["Key"]: tag["Value"] for tag in data["Tags"]}
        announce(record, "Update" if old else "Create", value=record["OriginalValue"])
        return json_response({"Version": record["Version"], "Tier": record["Tier"]})


def check_put(data, old):
    overwrite = data.get("Overwrite", False)
    if overwrite and data.get("Tags"):
        raise invalid(ssm._TAGS_WITH_OVERWRITE_MSG)
    if not data.get("Value"):
        raise invalid("1 validation error detected: Value '' at 'value' failed to satisfy constraint: "
                      "Member must have length greater than or equal to 1.")
    if old and not overwrite:
        raise Refused("ParameterAlreadyExists", EXISTS)
    kind = data.get("Type")
    if not kind and not old:
        raise invalid("A parameter type is required when you create a parameter.")
    if kind and kind not in TYPES:
        raise Refused("UnsupportedParameterType", f"Parameter type {kind} is not supported.")
    if data.get("KeyId") and (kind or old["Type"]) != "SecureString":
        raise invalid("KeyId is only valid for parameters of type SecureString.")
    if data.get("Tier") and data["Tier"] not in TIERS:
        raise invalid(f"Tier {data['Tier']} is not valid.")
    if old and old["Tier"] == "Advanced" and data.get("Tier") == "Standard":
        raise invalid(DOWNGRADE)
    if len(data.get("Description") or "") > 1024 or len(data.get("AllowedPattern") or "") > 1024:
        raise invalid("Member must have length less than or equal to 1024")


def new_version(key, data, old):
    """The record that a put writes: what it omits is kept, and "" clears description and pattern."""
    value = data["Value"]
    kind = data.get("Type") or old["Type"]
    version = old["Version"] + 1 if old else 1
    policies = parsed_policies(data, old)
    secure = kind == "SecureString"

    def kept(field, default):
        return data[field] if data.get(field) is not None else (old[field] if old else default)

    return {
        "Name": key,
        "Value": ciphertext(key, version, value) if secure else value,
        "OriginalValue": value,
        "Type": kind,
        "KeyId": (data.get("KeyId") or "alias/aws/ssm") if secure else "",
        "Version": version,
        "ARN": ssm._param_arn(key),
        "LastModifiedDate": CLOCK.now_ms() / 1000,
        "LastModifiedUser": caller_arn(),
        "DataType": kept("DataType", "text"),
        "Description": kept("Description", ""),
        "Tier": tier_of(data, value, policies, old),
        "AllowedPattern": kept("AllowedPattern", ""),
        "Policies": policies,
        "Labels": [],
    }


def tier_of(data, value, policies, old):
    if old and old["Tier"] == "Advanced":
        return "Advanced"
    setting = ssm._service_settings.get(ssm._DEFAULT_TIER_SETTING)
    wanted = data.get("Tier") or (setting["value"] if setting else "Standard")
    if wanted == "Intelligent-Tiering":
        return "Advanced" if policies or len(value.encode()) > MAX_BYTES["Standard"] else "Standard"
    return wanted


def parsed_policies(data, old):
    """The list that reads answer; the request carries a JSON text, in which `[{}]` removes every policy."""
    text = data.get("Policies")
    if not text:
        return old["Policies"] if old else []
    try:
        wanted = [policy for policy in json.loads(text) if policy]
        types = [policy["Type"] for policy in wanted]
    except (ValueError, TypeError, KeyError) as error:
        raise Refused("InvalidPolicyAttributeException", "The policies text is not valid.") from error
    if unknown := [kind for kind in types if kind not in POLICY_TYPES]:
        raise Refused("InvalidPolicyTypeException", f"The policy type {unknown[0]} is not supported.")
    return [{"PolicyText": json.dumps(policy, separators=(",", ":")), "PolicyType": policy["Type"],
             "PolicyStatus": "Pending"} for policy in wanted]


def check_version(record):
    size, limit = len(record["OriginalValue"].encode()), MAX_BYTES[record["Tier"]]
    if size > limit and record["Tier"] == "Standard":
        raise invalid(f"Standard tier parameters support a maximum parameter value of {limit} characters. To create a "
                      "larger parameter value, upgrade the parameter to use the advanced-parameter tier.")
    if size > limit:
        raise invalid(f"Advanced tier parameters support a maximum parameter value of {limit} characters.")
    if record["Policies"] and record["Tier"] == "Standard":
        raise invalid("Parameter policies are only supported for the advanced-parameter tier.")
    pattern = record["AllowedPattern"]
    try:
        matches = not pattern or re.fullmatch(pattern, record["OriginalValue"], re.DOTALL)
    except re.error as error:
        raise Refused("InvalidAllowedPatternException", f"The pattern {pattern} is not valid.") from error
    if not matches:
        raise Refused("ParameterPatternMismatchException",
                      f"Parameter value, cannot be validated against allowedPattern: {pattern}")


def too_many_versions(key, oldest):
    return (f"You attempted to create a new version of {key} by calling the PutParameter API with the overwrite flag. "
            f"Version {oldest}, the oldest version, can't be deleted because it has a label associated with it. "
            "Move the label to another version of the parameter, and try again.")


def delete_parameter(data):
    if (data.get("Name") or "").startswith("arn:"):
        raise invalid("Parameter name must not be an ARN")
    with LOCK:
        key = key_of(data.get("Name"))
        existing(key, data.get("Name"))
        remove(key)
    return json_response({})


def delete_parameters(data):
    names = data.get("Names", [])
    if not 1 <= len(names) <= MAX_NAMES:
        raise invalid(f"1 validation error detected: Value at 'names' failed to satisfy constraint: "
                      f"Member must have length less than or equal to {MAX_NAMES}")
    deleted, unknown = [], []
    with LOCK:
        for name in names:
            key = key_of(name)
            if current(key) is None:
                unknown.append(name)
            else:
                remove(key)
                deleted.append(name)
    return json_response({"DeletedParameters": deleted, "InvalidParameters": unknown})


def remove(key):
    record = current(key)
    remember_before(key)
    del ssm._parameters[key]
    ssm._parameter_history.pop(key, None)
    ssm._tags.pop(record["ARN"], None)
    announce(record, "Delete")


def label_parameter_version(data):
    with LOCK:
        key = key_of(data.get("Name"))
        record = existing(key, data.get("Name"))
        target = version_of(key, data.get("ParameterVersion") or record["Version"])
        refused, moved = [], []
        for label in data.get("Labels", []):
            if not valid_label(label):
                refused.append(label)
            elif label not in target["Labels"]:
                moved.append(label)
        if len(target["Labels"]) + len(moved) > MAX_LABELS:
            raise Refused("ParameterVersionLabelLimitExceeded",
                          f"A parameter version can have a maximum of {MAX_LABELS} labels.")
        remember_before(key)
        for label in moved:
            source = take_label(key, label)
            target["Labels"] = [*target["Labels"], label]
            announce(target, "LabelParameterVersion", label=label, from_version=source,
                     to_version=str(target["Version"]))
    return json_response({"InvalidLabels": refused, "ParameterVersion": target["Version"]})


def unlabel_parameter_version(data):
    with LOCK:
        key = key_of(data.get("Name"))
        existing(key, data.get("Name"))
        target = version_of(key, data.get("ParameterVersion"))
        labels = data.get("Labels", [])
        removed = [label for label in labels if label in target["Labels"]]
        target["Labels"] = [label for label in target["Labels"] if label not in removed]
    return json_response({"RemovedLabels": removed, "InvalidLabels": [x for x in labels if x not in removed]})


def valid_label(label):
    return bool(re.fullmatch(r"[a-zA-Z_.\-][a-zA-Z0-9_.\-]{0,99}", label)) and not re.match(r"(?i)aws|ssm", label)


def version_of(key, version):
    for entry in history(key):
        if entry["Version"] == version:
            return entry
    raise Refused("ParameterVersionNotFound",
                  f"Systems Manager could not find version {version} of {key}.")


def take_label(key, label):
    """Takes the label off the version that has it; returns that version as the event spells it."""
    for entry in history(key):
        if label in entry["Labels"]:
            entry["Labels"] = [other for other in entry["Labels"] if other != label]
            return str(entry["Version"])
    return ""


def add_tags(data):
    tags = ssm._tags.setdefault(tagged_arn(data), {})
    tags.update({tag["Key"]: tag["Value"] for tag in data.get("Tags", [])})
    return json_response({})


def remove_tags(data):
    tags = ssm._tags.get(tagged_arn(data), {})
    for name in data.get("TagKeys", []):
        tags.pop(name, None)
    return json_response({})


def list_tags(data):
    tags = ssm._tags.get(tagged_arn(data), {})
    return json_response({"TagList": [{"Key": name, "Value": value} for name, value in tags.items()]})


def tagged_arn(data):
    record = current(key_of(data.get("ResourceId")))
    if record is None:
        raise Refused("InvalidResourceId", "The resource ID isn't valid. Verify that you entered the correct ID "
                                           "and try again.")
    return record["ARN"]


def announce(record, operation, value=None, label=None, from_version=None, to_version=None):
    time_ms = round(record["LastModifiedDate"] * 1000) if value is not None else CLOCK.now_ms()
    detail = {"name": record["Name"], "type": record["Type"], "operation": operation}
    if record["Description"]:
        detail["description"] = record["Description"]
    if label is not None:
        detail.update(label=label, fromVersion=from_version, toVersion=to_version)
    truth = {
        "time_ms": time_ms,
        "name": canonical(record["Name"]),
        "operation": operation,
        "version": record["Version"],
        "type": record["Type"],
        "value_sha256": None if value is None else value_hash(value),
        "user": caller_arn(),
        "label": label,
        "from_version": from_version,
        "to_version": to_version,
    }
    EVENTS.record(truth, detail, record["ARN"])
