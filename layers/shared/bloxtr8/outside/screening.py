"""How risky a wallet is (rail-usdc.md, Wallet risk; D15): lists on chain, and a paid provider where one is configured.

It fails closed: SANCTIONED as soon as one list says so; else UNKNOWN if any source gave no answer, or if there is no
list at all; only then what the provider says, or LOW where nobody but the lists was asked.
"""

import datetime as dt
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from bloxtr8 import clock, config, errors
from bloxtr8.domain.wallets import Risk, is_fresh
from bloxtr8.outside import chainalysis
from bloxtr8.outside.rpc import Node, Reverted

__all__ = ["PROVIDERS", "Provider", "Risk", "Screening", "is_fresh", "screen"]

LISTS_ONLY = "sanctions only"
IS_SANCTIONED = bytes.fromhex("df592f7d")  # isSanctioned(address)
IS_BLACKLISTED = bytes.fromhex("fe575a87")  # isBlacklisted(address)
_NO_ANSWER = (errors.UpstreamFailed, errors.Unavailable)

logger = logging.getLogger(__name__)


class Provider(NamedTuple):
    """A paid provider: the version of what is asked, and who asks about an address (lower case). It raises
    UpstreamFailed where there is no usable answer, Unavailable where it has no key."""

    version: str
    ask: Callable[[str], Risk]


PROVIDERS = {"chainalysis": Provider(chainalysis.VERSION, chainalysis.ask)}  # by the setting `screening_provider`


@dataclass(frozen=True, slots=True)
class Screening:
    """A wallet's risk, who said so, the state of the sources that was asked, when asking began, and all who were
    asked."""

    risk: Risk
    source: str
    version: str
    at: dt.datetime
    lists: list[str]

    @property
    def evidence(self) -> dict[str, Any]:
        """As it is kept on a profile, a deposit or a leg."""
        return {
            "risk": str(self.risk),
            "source": self.source,
            "version": self.version,
            "at": clock.iso(self.at),
            "lists": self.lists,
        }


class _Finding(NamedTuple):
    source: str
    risk: Risk
    version: str


def screen(address: str) -> Screening:
    """Ask every configured source about an address (lower case). A source that fails makes it UNKNOWN, not an error."""
    at = clock.now()
    lists = _from_lists(address)
    graded = _from_provider(address)
    asked = [finding.source for finding in (*lists, *graded)]
    for risk in (Risk.SANCTIONED, Risk.UNKNOWN):
        said = [finding for finding in (*lists, *graded) if finding.risk is risk]
        if said:
            return Screening(risk, _names(said), _versions(said), at, asked)
    if not lists:
        return Screening(Risk.UNKNOWN, "", "", at, asked)
    risk, source = (graded[0].risk, graded[0].source) if graded else (Risk.LOW, LISTS_ONLY)
    return Screening(risk, source, _versions([*lists, *graded]), at, asked)


def _names(findings: list[_Finding]) -> str:
    return ", ".join(finding.source for finding in findings)


def _versions(findings: list[_Finding]) -> str:
    return ", ".join(dict.fromkeys(finding.version for finding in findings if finding.version))


def _from_lists(address: str) -> list[_Finding]:
    """What each list that is configured says, as of a block of the chain."""
    settings = config.settings()
    known = (
        ("Chainalysis sanctions oracle", settings.sanctions_oracle, IS_SANCTIONED),
        ("USDC deny-list", settings.usdc_address, IS_BLACKLISTED),
    )
    lists = [(name, contract, question) for name, contract, question in known if contract]
    if not lists:
        return []
    node = Node()
    try:
        version = f"block {node.block_number()} of chain {settings.chain_id}"
    except _NO_ANSWER:
        return [_Finding(name, Risk.UNKNOWN, "") for name, *_ in lists]
    return [_Finding(name, _listed(node, name, to, question, address), version) for name, to, question in lists]


def _listed(node: Node, name: str, contract: str, question: bytes, address: str) -> Risk:
    """SANCTIONED or LOW, as the list says in one word of 32 bytes; anything else is no answer."""
    try:
        answer = node.call_contract(contract, question + bytes.fromhex(address[2:]).rjust(32, b"\0"))
    except (*_NO_ANSWER, Reverted):
        answer = b""
    said = {bytes(32): Risk.LOW, bytes(31) + b"\1": Risk.SANCTIONED}.get(answer, Risk.UNKNOWN)
    if said is Risk.UNKNOWN:
        logger.error("a list gave no answer about a wallet", extra={"list": name})
    return said


def _from_provider(address: str) -> list[_Finding]:
    """What the paid provider says, if one is configured; one that nobody knows here gives no answer."""
    name = config.settings().screening_provider
    if not name:
        return []
    provider = PROVIDERS.get(name)
    try:
        if provider is not None:
            return [_Finding(name, provider.ask(address), provider.version)]
    except _NO_ANSWER:
        pass
    logger.error("the screening provider gave no answer about a wallet", extra={"provider": name})
    return [_Finding(name, Risk.UNKNOWN, "")]
