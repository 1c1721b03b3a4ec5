"""Chainalysis' Address Screening, a paid service: an address is registered, then its risk is read.

POST /api/risk/v2/entities {address}, GET /api/risk/v2/entities/{address}, the key in the header `Token`
(docs.chainalysis.com/api/address-screening).
"""

from typing import Any

from bloxtr8 import config, errors
from bloxtr8.domain.wallets import Risk
from bloxtr8.outside.http import Talk

VERSION = "Chainalysis risk/v2"
BUDGET_SECONDS = 6.0
RISKS = {"Low": Risk.LOW, "Medium": Risk.MEDIUM, "High": Risk.HIGH, "Severe": Risk.HIGH}
SANCTIONS = {"sanctions", "sanctioned entity", "sanctioned jurisdiction", "ofac sdn"}


def ask(address: str) -> Risk:
    """The risk of an address (lower case): SANCTIONED where it is itself known as sanctioned; Severe by what it dealt
    with is HIGH.

    Raises UpstreamFailed where the service gives no usable answer, or has not finished; Unavailable without a key.
    """
    key = config.secret("chain").get("screeningKey")
    if not isinstance(key, str) or not key:
        raise errors.Unavailable("There is no key of the screening provider.")
    talk = Talk("Chainalysis", seconds=BUDGET_SECONDS, private=True)
    entities, headers = f"{config.settings().screening_api_base}/api/risk/v2/entities", {"Token": key}
    registered = talk.post_json(entities, {"address": address}, headers)
    if registered.status not in {200, 201}:
        talk.fail(f"registering answered {registered.status}")
    answer = talk.get(f"{entities}/{address}", headers)
    if answer.status != 200:
        talk.fail(f"the risk answered {answer.status}")
    return _read(talk, talk.object(answer), address)


def _read(talk: Talk, found: dict[str, Any], address: str) -> Risk:
    known, risk = _categories(talk, found), found.get("risk")
    if str(found.get("address")).lower() != address:
        talk.fail("the risk is of another address")
    if known & SANCTIONS:
        return Risk.SANCTIONED
    if found.get("status") != "COMPLETE" or not isinstance(risk, str) or risk not in RISKS:
        talk.fail("the risk is not known yet, or has the wrong shape")
    return RISKS[risk]


def _categories(talk: Talk, found: dict[str, Any]) -> set[str]:
    """What the address itself, or the cluster it belongs to, is known as."""
    identifications = found.get("addressIdentifications") or []
    cluster = found.get("cluster") or {}
    if not isinstance(identifications, list) or not isinstance(cluster, dict):
        talk.fail("the identifications have the wrong shape")
    named = [item.get("category") for item in (*identifications, cluster) if isinstance(item, dict)]
    return {name.lower() for name in named if isinstance(name, str)}
