"""GetParameter(s), GetParametersByPath, GetParameterHistory and DescribeParameters as AWS answers them."""

import base64

import ministack.services.ssm as ssm
from ministack.core.responses import json_response

from .store import LOCK, Refused, as_read, canonical, check_decryption, invalid, key_of, spelled

PATH_PAGE = 10
NAMES_PAGE = 10
HISTORY_PAGE = 50
DESCRIBE_PAGE = 50


def get_parameter(data):
    name = data.get("Name") or ""
    record = selected(name)
    if record is None:
        raise Refused("ParameterNotFound")
    return json_response({"Parameter": shown([record], data, asked=name)[0]})


def get_parameters(data):
    names = data.get("Names", [])
    if not 1 <= len(names) <= NAMES_PAGE:
        raise invalid(f"1 validation error detected: Value at 'names' failed to satisfy constraint: "
                      f"Member must have length less than or equal to {NAMES_PAGE}")
    found, unknown = [], []
    for name in names:
        try:
            record = selected(name)
        except Refused as refusal:
            if refusal.code not in ("ParameterVersionNotFound", "ParameterNotFound"):
                raise
            record = None
        if record is None:
            unknown.append(name)
        else:
            found += shown([record], data, asked=name)
    return json_response({"Parameters": found, "InvalidParameters": unknown})


def selected(name):
    """The record that `name`, `name:version`, `name:label` or an ARN means; None when there is none."""
    base, selector = ssm._split_selector(name)
    record, versions = as_read(key_of(base))
    if record is None:
        return ssm._public_parameter(base) if selector is None else None
    if selector is None:
        return record
    for entry in versions:
        if selector == str(entry["Version"]) or selector in entry["Labels"]:
            return {**entry, "Selector": f":{selector}"}
    raise Refused("ParameterVersionNotFound", f"Systems Manager could not find version {selector} of {base}.")


def get_parameters_by_path(data):
    path = data.get("Path") or ""
    check_path(path)
    with LOCK:
        below = [record for record in ssm._parameters.values() if under(record, path, data.get("Recursive", False))]
    for wanted in data.get("ParameterFilters") or []:
        below = [record for record in below if matches(record, wanted)]
    page, token = cut(below, data, PATH_PAGE, name_of)
    return paged({"Parameters": shown(page, data)}, token)


def get_parameter_history(data):
    name = data.get("Name") or ""
    record, versions = as_read(key_of(name))
    if record is None:
        raise Refused("ParameterNotFound")
    page, token = cut(versions, data, HISTORY_PAGE, lambda entry: entry["Version"])
    decrypt = decrypting(data, page)
    return paged({"Parameters": [past(entry, decrypt) for entry in page]}, token)


def describe_parameters(data):
    with LOCK:
        records = list(ssm._parameters.values())
    for wanted in data.get("ParameterFilters") or []:
        records = [record for record in records if matches(record, wanted)]
    for wanted in data.get("Filters") or []:
        records = [record for record in records if matches(record, {**wanted, "Option": "BeginsWith"
                   if wanted.get("Key") == "Name" else "Equals"})]
    page, token = cut(records, data, DESCRIBE_PAGE, name_of)
    return paged({"Parameters": [described(record) for record in page]}, token)


def name_of(record):
    return record["Name"]


def check_path(path):
    if not path.startswith("/") or "//" in path:
        raise invalid('The parameter doesn\'t meet the parameter name requirements. The parameter name must begin with '
                      'a forward slash "/".')


def under(record, path, recursive):
    """`/` holds every parameter, those at the root included; `/app` and `/app/` hold what is below `/app/`."""
    prefix = path if path.endswith("/") else f"{path}/"
    name = canonical(record["Name"])
    return name.startswith(prefix) and (recursive or "/" not in name[len(prefix):])


def matches(record, wanted):
    kind, values = wanted.get("Key", ""), wanted.get("Values") or []
    option = wanted.get("Option") or ("OneLevel" if kind == "Path" else "Equals")
    if kind == "Path":
        for path in values:
            check_path(path)
        return any(under(record, path, option == "Recursive") for path in values)
    if kind.startswith("tag:"):
        tags = ssm._tags.get(record["ARN"], {})
        return kind[4:] in tags and (not values or tags[kind[4:]] in values)
    if kind == "Label":
        return any(label in record["Labels"] for label in values)
    if kind not in ("Name", "Type", "KeyId", "DataType", "Tier"):
        raise Refused("InvalidFilterKey", f"The filter key {kind} is not valid.")
    actual = record[kind]
    if option == "Equals":
        return actual in ([spelled(value) for value in values] if kind == "Name" else values)
    if option == "BeginsWith":
        return any(actual.startswith(value) for value in values)
    if option == "Contains" and kind == "Name":
        return any(value in actual for value in values)
    raise Refused("InvalidFilterOption", f"The following filter option is not valid: {option}.")


def cut(rows, data, most, order):
    """One page in the order of `order`; the token names the last row, so that changes between pages skip nothing."""
    size = data.get("MaxResults") or most
    if not 1 <= size <= most:
        raise invalid(f"1 validation error detected: Value '{size}' at 'maxResults' failed to satisfy constraint: "
                      f"Member must have value less than or equal to {most}")
    rows = sorted(rows, key=order)
    if data.get("NextToken"):
        last = decoded(data["NextToken"])
        rows = [row for row in rows if order(row) > type(order(row))(last)]
    page = rows[:size]
    return page, encoded(order(page[-1])) if len(rows) > size else None


def encoded(last):
    return base64.b64encode(f"after {last}".encode()).decode()


def decoded(token):
    try:
        text = base64.b64decode(token).decode()
    except ValueError as error:
        raise Refused("InvalidNextToken", "The specified token isn't valid.") from error
    if not text.startswith("after "):
        raise Refused("InvalidNextToken", "The specified token isn't valid.")
    return text[len("after "):]


def paged(answer, token):
    return json_response({**answer, "NextToken": token} if token else answer)


def decrypting(data, records):
    wanted = bool(data.get("WithDecryption"))
    if wanted:
        check_decryption(records)
    return wanted


def value_of(record, decrypt):
    return record.get("OriginalValue", record["Value"]) if decrypt else record["Value"]


def shown(records, data, asked=None):
    """What GetParameter and its like answer; the name is spelled as it was asked for."""
    decrypt = decrypting(data, records)
    return [one_shown(record, decrypt, asked) for record in records]


def one_shown(record, decrypt, asked):
    name = record["Name"]
    if asked is not None and not asked.startswith("arn:"):
        name = ssm._split_selector(asked)[0].strip()
    answer = {
        "Name": name,
        "Type": record["Type"],
        "Value": value_of(record, decrypt),
        "Version": record["Version"],
        "LastModifiedDate": record["LastModifiedDate"],
        "ARN": record["ARN"],
        "DataType": record.get("DataType", "text"),
    }
    if record.get("Selector"):
        answer["Selector"] = record["Selector"]
    return answer


def past(record, decrypt):
    return {**metadata(record), "Value": value_of(record, decrypt), "Labels": record["Labels"]}


def described(record):
    return {**metadata(record), "ARN": record["ARN"]}


def metadata(record):
    fields = ("Name", "Type", "Version", "LastModifiedDate", "LastModifiedUser", "Tier", "Policies", "DataType")
    answer = {field: record[field] for field in fields}
    for field in ("KeyId", "Description", "AllowedPattern"):
        if record[field]:
            answer[field] = record[field]
    return answer
