"""S3 as AWS has it where ministack differs: tags of a version under a delete marker, and the emulator's clock."""

import datetime

import ministack.services.s3 as s3

from .clock import CLOCK


def now_iso():
    now = datetime.datetime.fromtimestamp(CLOCK.now_ms() / 1000, datetime.UTC)
    return now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z"


def with_tags_of_hidden_versions(original):
    """A version has its tags whatever the key shows; a delete marker has none to ask for."""

    def get_object_tagging(bucket_name, key, query_params=None):
        wanted = s3._qp(query_params or {}, "versionId", "")
        bucket = s3._ensure_bucket(bucket_name)
        found = [v for v in s3._object_versions.get((bucket_name, key), []) if v["version_id"] == wanted]
        if bucket is None or not found:
            return original(bucket_name, key, query_params)
        if found[0].get("is_delete_marker"):
            told = "The specified method is not allowed against this resource."
            return s3._error("MethodNotAllowed", told, 405, f"/{bucket_name}/{key}")
        if key in bucket["objects"]:
            return original(bucket_name, key, query_params)
        # What the original asks first is whether the key shows an object.
        bucket["objects"][key] = {"version_id": wanted}
        try:
            return original(bucket_name, key, query_params)
        finally:
            del bucket["objects"][key]

    return get_object_tagging


def install():
    s3.now_iso = now_iso
    s3._get_object_tagging = with_tags_of_hidden_versions(s3._get_object_tagging)
