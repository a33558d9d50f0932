"""The vendor's erasure job, asked for with its own SDK."""

from __future__ import annotations

import orjson
import pytest
from python_http_client.exceptions import BadRequestsError


def test_an_erasure_job_is_accepted_for_valid_addresses_only(world):
    answer = world.sdk.client.recipients.erasejob.post(request_body={"email_addresses": ["A@example.com"]})
    assert answer.status_code == 202
    assert set(orjson.loads(answer.body)) == {"job_id"}
    assert [row["address"] for row in world.account.storage.rows("select address from erased")] == ["a@example.com"]
    for wrong in ([], ["nobody"], None):
        with pytest.raises(BadRequestsError):
            world.sdk.client.recipients.erasejob.post(request_body={"email_addresses": wrong})
