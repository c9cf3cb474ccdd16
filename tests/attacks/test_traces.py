"""The side effects of a form are the same, whatever is known of the address."""

from itertools import pairwise

from tests.attacks.outsider import CASE, OTHER_CASE, Outsider


def test_the_ledger_grows_as_much_for_every_address(outsider: Outsider) -> None:
    """H3: with "do not hand over my name", only who had signed cost a second flush: 45 ms and not 28 on a slow disk."""
    outsider.sign_and_confirm("ledger@example.org", CASE)
    withdrawn = outsider.sign_and_confirm("ledger-withdrawn@example.org", CASE)
    assert outsider.post(f"{withdrawn}/withdraw", cases=[CASE]).status == 303
    ledger = outsider.server.folder / "erasures.jsonl"
    people = ["ledger", "ledger", "ledger-nobody", "ledger-nobody", "ledger-withdrawn", "ledger-withdrawn"]
    sizes = [ledger.stat().st_size]
    for who in people:
        assert outsider.sign(f"{who}@example.org", CASE, OTHER_CASE, unnamed="y").status == 303
        sizes.append(ledger.stat().st_size)
    grown = {after - before for before, after in pairwise(sizes)}
    assert 0 not in grown
    assert len(grown) == 1, grown
