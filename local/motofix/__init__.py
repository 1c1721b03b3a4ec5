"""The corrections to moto 5.2.5 that a platform with money needs. No file outside this folder imports moto's internals.

`apply()` serves the local stack and any test: under `mock_aws` in one process as well as behind moto's server. Each
correction has a test that it works, and one that plain moto still needs it (tests/local/test_motofix_needed.py): drop
what is no longer needed.
"""

from local.motofix.lean import without_batch

with without_batch():
    from local.motofix import dynamodb, events, kms, lambdas, quick, s3, stepfunctions

_applied = False


def apply() -> None:
    """Correct moto in this process, once. Safe to call before or inside `mock_aws`, and again."""
    global _applied
    if not _applied:
        _applied = True
        for service in (dynamodb, events, kms, lambdas, quick, s3, stepfunctions):
            service.apply()
