"""What a schema cannot say."""

from datetime import datetime, timedelta, timezone

import schemathesis


@schemathesis.hook
def before_call(_context, case, _kwargs):
    """`until` is a time to come, within a year."""
    body = case.body
    valid = case.meta is not None and case.meta.generation.mode.is_positive
    if case.path == "/v1/revocations" and valid and isinstance(body, dict) and isinstance(body.get("until"), str):
        body["until"] = (datetime.now(timezone.utc) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
