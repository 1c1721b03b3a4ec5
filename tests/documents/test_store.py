"""Contracts in S3: written once under their own hash, and never trusted unread."""

import base64
import hashlib
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlparse

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectionClosedError
from moto import mock_aws

from bloxtr8 import config, errors
from bloxtr8.documents import store

PDF = b"%PDF-1.4 a contract"
SHA256 = hashlib.sha256(PDF).hexdigest()
KEY = f"contracts/sha256/{SHA256}.pdf"
BUCKET = "bloxtr8-local-contracts"


@pytest.fixture(autouse=True)
def s3() -> Iterator[Any]:
    """Both buckets, empty and versioned as the template has them; a client of the test's own."""
    store._s3.cache_clear()
    config.settings.cache_clear()
    with mock_aws():
        client = boto3.client("s3")
        for bucket in (BUCKET, "bloxtr8-local-evidence"):
            client.create_bucket(Bucket=bucket)
            client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        yield client
    store._s3.cache_clear()


def versions(client: Any) -> int:
    return len(client.list_object_versions(Bucket=BUCKET).get("Versions", []))


# --- put


def test_a_contract_is_stored_under_its_hash(s3: Any) -> None:
    assert store.put(PDF) == store.Stored(SHA256, KEY, len(PDF))

    found = s3.get_object(Bucket=BUCKET, Key=KEY)
    assert found["Body"].read() == PDF
    assert found["ContentType"] == "application/pdf"


def test_putting_it_again_succeeds_and_writes_nothing(s3: Any) -> None:
    assert store.put(PDF) == store.put(PDF)
    assert versions(s3) == 1


def test_concurrent_puts_all_succeed_and_the_object_is_intact(s3: Any) -> None:
    done: list[store.Stored] = []
    store._s3()  # one client, opened before the race: opening one is not what is raced
    threads = [threading.Thread(target=lambda: done.append(store.put(PDF))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert done == [store.Stored(SHA256, KEY, len(PDF))] * 8
    assert s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read() == PDF


def test_another_object_in_its_place_is_found_and_kept(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"forged")

    with pytest.raises(errors.InvalidState) as refused:
        store.put(PDF)

    assert refused.value.code == "CONTRACT_TAMPERED"
    assert versions(s3) == 1


def lose(times: int, *, after: Any = None) -> list[int]:
    """Break the connection of the next puts: before they arrive, or after `after` did what they ask."""
    lost: list[int] = []

    def drop(request: Any, **_: Any) -> None:
        if len(lost) < times:
            lost.append(1)
            if after is not None and len(lost) == 1:
                after.put_object(Bucket=BUCKET, Key=KEY, Body=PDF)
            raise ConnectionClosedError(endpoint_url=request.url)

    store._s3().meta.events.register_first("before-send.s3.PutObject", drop)
    return lost


def test_a_put_lost_before_it_arrived_is_sent_again(s3: Any) -> None:
    lost = lose(1)

    assert store.put(PDF).sha256 == SHA256
    assert len(lost) == 1
    assert versions(s3) == 1


def test_a_put_whose_answer_was_lost_is_recognised(s3: Any) -> None:
    lost = lose(1, after=s3)

    assert store.put(PDF).sha256 == SHA256
    assert len(lost) == 1
    assert versions(s3) == 1


def test_a_put_without_any_answer_is_unknown_and_may_be_repeated(s3: Any) -> None:
    lose(3, after=s3)  # all attempts of one call; the first did arrive

    with pytest.raises(errors.UpstreamFailed):
        store.put(PDF)

    assert store.put(PDF).sha256 == SHA256
    assert versions(s3) == 1


def test_an_upload_under_way_elsewhere_is_waited_for(monkeypatch: pytest.MonkeyPatch, s3: Any) -> None:
    answers = iter([False, True])
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=PDF)
    monkeypatch.setattr(store, "_put_once", lambda *_: next(answers))

    assert store.put(PDF).sha256 == SHA256


def test_an_upload_that_never_ends_is_an_outage_not_tampering(monkeypatch: pytest.MonkeyPatch) -> None:
    conflict = ClientError({"Error": {"Code": "ConditionalRequestConflict"}}, "PutObject")

    def busy(**_: Any) -> None:
        raise conflict

    monkeypatch.setattr(store._s3(), "put_object", busy)
    with pytest.raises(errors.UpstreamFailed):
        store.put(PDF)


def test_a_bucket_that_refuses_is_an_outage(s3: Any) -> None:
    s3.delete_bucket(Bucket=BUCKET)

    with pytest.raises(errors.UpstreamFailed):
        store.put(PDF)


# --- verify


def test_an_untouched_contract_passes() -> None:
    store.put(PDF)

    store.verify(SHA256)


@pytest.mark.parametrize("harm", [b"%PDF-1.4 a contract ", b"", PDF.replace(b"a ", b"A ")])
def test_an_overwritten_contract_is_refused(s3: Any, harm: bytes) -> None:
    store.put(PDF)
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=harm)

    with pytest.raises(errors.InvalidState) as refused:
        store.verify(SHA256)

    assert (refused.value.status, refused.value.code) == (409, "CONTRACT_TAMPERED")


def test_a_missing_or_deleted_contract_is_refused(s3: Any) -> None:
    with pytest.raises(errors.InvalidState, match="not the one"):
        store.verify(SHA256)

    store.put(PDF)
    s3.delete_object(Bucket=BUCKET, Key=KEY)
    with pytest.raises(errors.InvalidState) as refused:
        store.verify(SHA256)
    assert refused.value.code == "CONTRACT_TAMPERED"


def test_an_empty_object_is_not_what_an_absent_one_hashes_to() -> None:
    with pytest.raises(errors.InvalidState):
        store.verify(hashlib.sha256(b"").hexdigest())


def test_an_outage_is_not_tampering(s3: Any) -> None:
    store.put(PDF)

    def drop(request: Any, **_: Any) -> None:
        raise ConnectionClosedError(endpoint_url=request.url)

    store._s3().meta.events.register_first("before-send.s3.GetObject", drop)
    with pytest.raises(errors.UpstreamFailed):
        store.verify(SHA256)

    store._s3.cache_clear()
    s3.delete_object(Bucket=BUCKET, Key=KEY)
    for version in s3.list_object_versions(Bucket=BUCKET)["Versions"]:
        s3.delete_object(Bucket=BUCKET, Key=KEY, VersionId=version["VersionId"])
    for marker in s3.list_object_versions(Bucket=BUCKET)["DeleteMarkers"]:
        s3.delete_object(Bucket=BUCKET, Key=KEY, VersionId=marker["VersionId"])
    s3.delete_bucket(Bucket=BUCKET)
    with pytest.raises(errors.UpstreamFailed):
        store.verify(SHA256)


@pytest.mark.parametrize("wrong", ["", "../secrets", SHA256.upper(), SHA256 + "0", SHA256 + "\n"])
def test_refuses_what_is_no_hash(wrong: str) -> None:
    with pytest.raises(ValueError, match="sha256"):
        store.verify(wrong)


# --- links


def test_a_link_reads_this_contract_for_five_minutes() -> None:
    store.put(PDF)
    url = store.presign(SHA256)
    query = parse_qs(urlparse(url).query)

    assert urlparse(url).path.endswith(f"/{KEY}")
    assert query["X-Amz-Expires"] == ["300"]
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["response-content-disposition"] == [f'inline; filename="contract-{SHA256[:12]}.pdf"']
    assert parse_qs(urlparse(store.presign(SHA256, 60)).query)["X-Amz-Expires"] == ["60"]


def test_a_link_names_the_bucket_in_its_own_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    store._s3.cache_clear()

    assert urlparse(store.presign(SHA256)).hostname == f"{BUCKET}.s3.eu-central-1.amazonaws.com"


def test_evidence_is_bound_to_hash_type_size_and_an_empty_place() -> None:
    url, headers = store.presign_evidence("evidence/esc_1/evd_1", SHA256, "image/png", 19)
    query = parse_qs(urlparse(url).query)

    assert urlparse(url).path.endswith("/evidence/esc_1/evd_1")
    assert query["X-Amz-SignedHeaders"] == ["content-length;content-type;host;if-none-match;x-amz-checksum-sha256"]
    assert headers == {
        "Content-Type": "image/png",
        "x-amz-checksum-sha256": base64.b64encode(hashlib.sha256(PDF).digest()).decode(),
        "If-None-Match": "*",
    }


def test_another_hash_type_or_size_is_another_signature() -> None:
    def signature(*what: Any) -> str:
        return parse_qs(urlparse(store.presign_evidence("evidence/e/1", *what)[0]).query)["X-Amz-Signature"][0]

    bound = [
        signature(SHA256, "image/png", 19),
        signature("0" * 64, "image/png", 19),
        signature(SHA256, "image/jpeg", 19),
        signature(SHA256, "image/png", 20),
    ]
    assert len(set(bound)) == 4


def test_the_client_gives_up_in_seconds() -> None:
    limits = store._s3().meta.config

    assert (limits.connect_timeout, limits.read_timeout) == (2, 5)
    assert limits.retries["total_max_attempts"] == 3
