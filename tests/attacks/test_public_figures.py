"""H1, M10: no unconfirmed form changes any public page."""

import json
import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from petitions.settings import ROOT
from tests.attacks.outsider import CAMPAIGN, CASE, COUNTS, OTHER_CASE, PAGES, Outsider

pytestmark = pytest.mark.parametrize("place", ["sqlite"], indirect=True, scope="session")  # pages come from the cache
SETTLED = 4.0  # seconds; figures were at most 3.5 s old when they told
MOVING = {"date", "age", "x-request-id"}


def seen(outsider: Outsider, paths: list[str]) -> dict[str, Any]:
    """All that the public sees, but the clock."""
    found = {}
    for path in paths:
        answer = outsider.get(path)
        headers = {name.lower(): value for name, value in answer.headers.items() if name.lower() not in MOVING}
        body: object = answer.body
        if path.endswith("counts.json"):
            body = {name: value for name, value in json.loads(answer.body).items() if name not in ("as_of", "next_at")}
            headers.pop("etag", None)  # follows as_of, which only the clock moves
            headers.pop("content-length", None)
        elif "etag" in headers:
            headers["etag"] = "of the body"
        found[path] = (answer.status, headers, body)
    return found


def batched(outsider: Outsider, folder: Path) -> str:
    """Another campaign, with figures published in batches; gives its slug."""
    shutil.copytree(ROOT / "petitions" / "demo" / "write-for-rights-2024", folder / "quiet-2026")
    text = (folder / "quiet-2026" / "campaign.toml").read_text()
    text = re.sub(r"^counts = .*\n", "", text, flags=re.MULTILINE).replace("write-for-rights-2024", "quiet-2026")
    (folder / "quiet-2026" / "campaign.toml").write_text(text)
    outsider.server.flask("campaign", "import", str(folder / "quiet-2026"))
    return "quiet-2026"


@dataclass(frozen=True)
class Watched:
    """What the public saw before and after, and of which campaign with batches."""

    quiet: str
    before: dict[str, Any]
    after: dict[str, Any]

    def moved(self, part: str) -> set[str]:
        """The paths that changed, of those with `part` in them."""
        return {path for path in self.before if part in path and self.after[path] != self.before[path]}


@pytest.fixture(scope="module")
def watched(outsider: Outsider, tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """Three probes in one campaign; somebody signs and confirms in another. The two waits serve all tests."""
    outsider.sign_and_confirm("victim@example.org", OTHER_CASE)
    slug = batched(outsider, tmp_path_factory.mktemp("quiet"))
    paths = [*PAGES, COUNTS, f"/fr/{CAMPAIGN}/cases/{OTHER_CASE}/"]
    paths += [f"/api/v1/campaigns/{slug}/counts.json", f"/fr/{slug}/", f"/fr/{slug}/cases/{CASE}/"]
    time.sleep(SETTLED)
    before = seen(outsider, paths)
    for email, last_name in (("victim", "Probe"), ("nobody", "Probe"), ("victim", "Other")):
        assert outsider.sign(f"{email}@example.org", OTHER_CASE, CASE, last_name=last_name).status == 303
    form = {"first_name": "Ann", "last_name": "Lee", "email": "watched@example.org", "cases": CASE}
    assert outsider.post(f"/fr/{slug}/sign", **form).status == 303
    outsider.confirm("watched@example.org")
    time.sleep(SETTLED)
    return Watched(slug, before, seen(outsider, paths))


def test_a_probe_changes_nothing_public_whatever_is_known_of_the_address(watched: Watched) -> None:
    """H1: `waiting` rose by one exactly where an address had not signed."""
    assert watched.moved(CAMPAIGN) == set()


def test_confirming_moves_no_public_figure_at_that_moment(watched: Watched) -> None:
    """M10: an observer of the network and the counts learned who signed for which case."""
    assert watched.moved(watched.quiet) == set()


def test_the_api_shows_only_what_is_confirmed(outsider: Outsider) -> None:
    """H1: no figure of entries that wait, for cases or in total; the promised keys stay."""
    told = outsider.counts()
    for numbers in (told["total"], *told["cases"].values()):
        assert set(numbers) == {"confirmed", "paper", "letters"}
