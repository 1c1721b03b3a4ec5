"""A new call to somebody outside is a new site, however it is written: nobody has to remember to list it."""

from pathlib import Path

import pytest

from tests.chaos import report, schedules, sites

MADE = {
    "queue.py": '''
        def _queue():
            return aws.client("sqs")

        def put(text):
            _queue().send_message(MessageBody=text)

        def put_all(texts):
            mine = _queue
            return mine().send_message_batch(texts)
    ''',
    "counting.py": '_things.ask("UpdateItem", {})',
    "table.py": '_dynamodb.ask("Scan", {})',
    "early.py": 'client = aws.client("sns")',
    "rails/stripe_new.py": '''
        def pay_out(client):
            client.v1.payouts.create({})
            return safely(client.v1.topups.create, client.v1.charges.retrieve("ch_1").amount)
    ''',
    "outside/roblox_new.py": '''
        def badges(user):
            return Talk("Roblox").get(user)
    ''',
    "outside/github.py": '''
        class Page:
            def read(self):
                return self._talk.post_json("https://a.example", {})
    ''',
}  # fmt: skip
FOUND = {
    "aws.SendMessage", "aws.? in queue.py, line 8", "aws.? in early.py", "counting.UpdateItem", "table.Scan",
    "stripe.payouts.create", "stripe.topups.create", "stripe.charges.retrieve", "roblox.roblox_new.badges",
    "github.read",
}  # fmt: skip


def test_a_made_call_is_found(tmp_path: Path) -> None:
    for name, text in MADE.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        indent = " " * 8
        file.write_text("\n".join(line.removeprefix(indent) for line in text.strip().splitlines()))
    assert sites.found_in(tmp_path) == FOUND


def test_what_is_found_has_to_be_hit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "new.py").write_text("client.v1.payouts.create({})")
    monkeypatch.setattr(sites, "CODE", (*sites.CODE, tmp_path))
    monkeypatch.setattr(sites, "all_sites", sites.all_sites.__wrapped__)
    monkeypatch.setattr(sites, "moves_money", sites.moves_money.__wrapped__)
    assert ("stripe.payouts.create", "done, the answer lost") in report.Total().missed
    assert "stripe.payouts.create" in sites.moves_money()  # and may be asked by a task alone (C9)


def test_every_site_that_is_left_to_other_tests_is_one() -> None:
    everywhere = set().union(*map(sites.found_in, sites.CODE))
    assert set(sites.ELSEWHERE) - everywhere == {"kms"}
    assert set(sites.all_sites()) >= sites.MOVES_NONE
    assert set(schedules.BELOW) <= set(schedules.rates())
