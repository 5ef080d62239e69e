"""Parameters as both halves of the API, writes and reads, see them: names, records, versions, denied keys.

The records live in ministack's own dictionaries, since its CloudFormation looks at them.
"""

import base64
import contextvars
import hashlib
import re
import threading

import ministack.services.ssm as ssm
from ministack.core.responses import error_response_json, get_account_id, get_region

LOCK = threading.RLock()
MAX_VERSIONS = 100
MAX_LEVELS = 15

caller = contextvars.ContextVar("ssmbak_caller", default="")
denied_keys = {}
# For each name, what readers saw before its newest change; and how many reads still see that.
before_change = {}
stale_reads = {}


class Refused(Exception):
    """An answer that AWS gives instead of doing what was asked."""

    def __init__(self, code, message=""):
        super().__init__(message)
        self.code, self.message = code, message

    def response(self):
        return error_response_json(self.code, self.message, 400)


def invalid(message):
    return Refused("ValidationException", message)


def caller_arn():
    return caller.get() or f"arn:aws:iam::{get_account_id()}:root"


def spelled(name):
    """The one spelling under which a parameter is kept: `foo` and `/foo` are `foo`, deeper names keep their slash."""
    name = (name or "").strip()
    return name[1:] if name.startswith("/") and name.count("/") == 1 else name


def canonical(name):
    return name if name.startswith("/") else f"/{name}"


def key_of(name_or_arn):
    """The key of a name or an ARN, as reads and deletes take it."""
    name = (name_or_arn or "").strip()
    if name.startswith("arn:"):
        parsed = ssm._parameter_name_from_arn(name)
        if not parsed or (parsed[0], parsed[1]) != (get_account_id(), get_region()):
            raise Refused("ParameterNotFound")
        return spelled(canonical(parsed[2]))
    if "/" in name and not name.startswith("/"):
        raise invalid(ssm._RESERVED_SSM_PATH_MSG)
    return spelled(name)


def check_new_name(name):
    """Refuses what PutParameter refuses in a name."""
    stripped = (name or "").strip()
    if not stripped:
        raise invalid("1 validation error detected: Value '' at 'name' failed to satisfy constraint: "
                      "Member must have length greater than or equal to 1")
    if stripped.startswith("arn:"):
        raise invalid("Parameter name must not be an ARN")
    if "/" in stripped and not stripped.startswith("/"):
        raise invalid("Parameter name must be a fully qualified name.")
    if stripped.endswith("/"):
        raise invalid("Parameter name must not end with slash.")
    if "//" in stripped or not re.fullmatch(r"[a-zA-Z0-9_.\-/]+", stripped):
        raise invalid("Parameter name: only a mix of letters, numbers and the following 3 symbols .-_ are allowed.")
    if stripped.count("/") > MAX_LEVELS:
        raise Refused("HierarchyLevelLimitExceededException",
                      f"A parameter name can have a maximum of {MAX_LEVELS} levels.")
    if reserved := ssm._reserved_name_error(stripped):
        raise Reserved(reserved)
    return spelled(stripped)


class Reserved(Refused):
    """A reserved name: ministack's own answer is passed on."""

    def __init__(self, answer):
        super().__init__("Reserved")
        self._answer = answer

    def response(self):
        return self._answer


def current(key):
    return ssm._parameters.get(key)


def history(key):
    return ssm._parameter_history.get(key) or []


def as_read(key):
    """The current record and the versions of a parameter as a reader is to see them: stale when a test asked for it."""
    scoped = (get_account_id(), get_region(), key)
    with LOCK:
        if stale_reads.get(scoped, 0) > 0 and scoped in before_change:
            stale_reads[scoped] -= 1
            return before_change[scoped]
        return current(key), list(history(key))


def remember_before(key):
    record = current(key)
    before_change[(get_account_id(), get_region(), key)] = (record and dict(record), [dict(v) for v in history(key)])


def existing(key, name):
    record = current(key)
    if record is None:
        raise Refused("ParameterNotFound", "")
    return record


def ciphertext(key, version, value):
    """A stand-in for what a read without decryption answers; nothing of the value is in it."""
    digest = hashlib.sha512(f"{key}\0{version}\0{value}".encode()).digest()
    return base64.b64encode(b"\x01\x02\x02\x00" + digest).decode()


def check_key(_action, _key_id):
    """Refuses a caller who may not use a key; nobody is, unless IAM is enforced."""


def check_decryption(records):
    """Refuses as AWS does when one of the records needs a denied key, or one that the caller may not use."""
    for key_id in {record["KeyId"] for record in records if record["Type"] == "SecureString"}:
        check_key("Decrypt", key_id)
    for record in records:
        code = denied_keys.get(record["KeyId"]) if record["Type"] == "SecureString" else None
        if code:
            raise Refused(code, "The ciphertext refers to a customer master key that does not exist, does not exist "
                                "in this region, or you are not allowed to access.")


def value_hash(value):
    return hashlib.sha256(value.encode()).hexdigest()
