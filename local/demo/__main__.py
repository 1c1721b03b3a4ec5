"""`make demo`: real trades through the public API of the platform on this machine, as its people would make them."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import urllib3
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".local"
STEPS = 86


def main() -> int:
    """Play the trades. 0 only if every one of them ended as it should, balanced and with its audit verified."""
    console = Console()
    started = time.monotonic()
    bar = Progress(
        SpinnerColumn(), BarColumn(20), TimeElapsedColumn(), TextColumn("{task.description}"), console=console
    )
    with bar:
        job = bar.add_task("starting the platform", total=STEPS)

        def tell(step: str) -> None:
            bar.update(job, advance=1, description=step)
            bar.console.print(f"  {step}")

        from local.stack import Stack  # seconds of imports: after the first sign of life

        with Stack(folder=FOLDER) as stack:
            result = _play(stack.addresses, tell, console)
        bar.update(job, completed=STEPS, description="done")
    result["seconds"] = round(time.monotonic() - started, 1)
    good = _good(result)
    (FOLDER / "demo.json").write_text(json.dumps(result, indent=2) + "\n")
    console.print(f"audit: {'verified' if all(t['auditVerified'] for t in result['trades']) else 'BROKEN'}")
    console.print(f"signed contract: {result['contractPdf']}", soft_wrap=True)
    console.print(f"{'All is as it should be' if good else 'SOMETHING IS WRONG'} after {result['seconds']} s.")
    return 0 if good else 1


def _play(addresses: dict[str, str], tell: Any, console: Console) -> dict[str, Any]:
    from local.demo import disputes, milestones, report, stories, usdc
    from local.trader import World

    world = World(addresses)
    cast = stories.meet(world, tell)
    before = report.balances(cast)
    first = stories.Trade("Neon Harbour Roleplay", expected="RELEASED")
    tell("— a trade, from listing to payout")
    stories.agree(cast, first, "7001", tell)
    stories.fund(cast, first, tell)
    stories.deliver_and_release(cast, first, "7001", tell)
    second = stories.Trade("Quiet Pines", expected="CANCELLED")
    tell("— a trade that nobody pays for")
    stories.agree(cast, second, "7002", tell)
    stories.let_it_lapse(cast, second, tell)
    third = stories.Trade("Sky Rails", expected="REFUNDED")
    tell("— a trade that its seller refunds")
    stories.agree(cast, third, "7003", tell)
    stories.fund(cast, third, tell)
    stories.refund(cast, third, tell)
    fourth = stories.Trade("Cloud Nine", expected="RELEASED")
    tell("— a trade in USDC, over a vault that can only pay the right people")
    wallets = usdc.prove_wallets(cast, tell)
    on_chain = usdc.balances(world, wallets)
    stories.agree(cast, fourth, "7004", tell, currency="USDC")
    vault = usdc.fund(cast, fourth, wallets[cast.buyer.name], tell)
    between = usdc.balances(world, wallets, vault)
    stories.deliver_and_release(cast, fourth, "7004", tell, usdc.watch)
    fifth = stories.Trade("Iron Works", expected="SPLIT")
    tell("— a trade that goes wrong, and an arbiter")
    judge = disputes.arbiter(world, tell)
    stories.agree(cast, fifth, "7005", tell)
    stories.fund(cast, fifth, tell)
    disputes.dispute_and_split(cast, fifth, judge, tell)
    disputes.wait(cast, fifth, tell)
    sixth = stories.Trade("Lantern Bay", expected="RELEASED")
    tell("— a trade in two parts, released one by one")
    stories.agree(cast, sixth, "7006", tell, milestones=milestones.PARTS)
    stories.fund(cast, sixth, tell)
    milestones.confirm(cast, sixth, milestones.hand_over(cast, sixth, "7006", tell), tell)
    milestones.release(cast, sixth, 1, tell)
    trades = [first, second, third, fourth, fifth, sixth]
    seen = [stories.look_back(cast, trade) for trade in trades]
    console.print(report.timeline(cast, first))
    console.print(report.balance_table("Balances at Stripe", {"before": before, "after": report.balances(cast)}))
    after = usdc.balances(world, wallets, vault)
    console.print(report.balance_table("USDC on chain", {"before": on_chain, "paid": between, "after": after}))
    return {
        "trades": seen,
        "expected": [trade.expected for trade in trades],
        "contractPdf": str(_save_contract(cast, first)),
    }


def _save_contract(cast: Any, trade: Any) -> Path:
    """The document through its link, checked against the hash that both signed."""
    import hashlib

    document = cast.buyer.get(f"/contracts/{trade.contract_id}/pdf")
    data = urllib3.PoolManager().request("GET", document["url"]).data
    if hashlib.sha256(data).hexdigest() != trade.sha256:
        raise ValueError("the document is not the one that was signed")
    path = FOLDER / f"contract-{trade.sha256[:12]}.pdf"
    path.write_bytes(data)
    return path


def _good(result: dict[str, Any]) -> bool:
    ended = [trade["status"] for trade in result["trades"]] == result.pop("expected")
    return ended and all(trade["balanced"] and trade["auditVerified"] for trade in result["trades"])


if __name__ == "__main__":
    sys.exit(main())
