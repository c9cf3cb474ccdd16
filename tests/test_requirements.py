"""Third-party code: pinned by hash, from no special index, and unchanged."""

import hashlib
import re

import pytest

from petitions.settings import ROOT
from scripts import sbom

LISTS = ["requirements.txt", "requirements-test.txt"]
PIN = re.compile(
    r"(?P<name>[a-z0-9][a-z0-9.-]*)(\[[a-z,]+\])?==(?P<version>[0-9a-z.]+)"
    r"( ; [^\\]+)?( --hash=sha256:[0-9a-f]{64})+"
)
VENDOR = ROOT / "static" / "vendor"


def pins(name: str) -> dict[str, str]:
    """Package and version of each line; a line that is no pin with hashes fails."""
    text = (ROOT / name).read_text().replace(" \\\n    ", " ")
    found = {}
    for line in text.splitlines():
        pin = PIN.fullmatch(line)
        assert pin, f"{name}: {line[:80]}"
        found[pin["name"]] = pin["version"]
    return found


def wanted(name: str) -> set[str]:
    """The packages that a hand-written list names."""
    lines = (ROOT / name).read_text().splitlines()
    return {re.match(r"[a-z0-9-]+", line)[0] for line in lines if line and line[0].isalpha()}  # type: ignore[index]


@pytest.mark.parametrize("name", LISTS)
def test_every_package_is_pinned_with_its_hashes_and_no_host_is_named(name: str) -> None:
    text = (ROOT / name).read_text()
    assert len(pins(name)) > 20
    for word in ("://", "file:", "--index", "--find-links", "--extra", " @ ", "git+"):
        assert word not in text


@pytest.mark.parametrize("line", ["flask==3.1.3", "flask>=3 --hash=sha256:" + "0" * 64, "flask @ file:x", "-e ."])
def test_a_line_without_a_hash_is_noticed(line: str) -> None:
    assert not PIN.fullmatch(line)


@pytest.mark.parametrize("name", ["requirements", "requirements-test"])
def test_everything_we_ask_for_is_pinned(name: str) -> None:
    assert wanted(f"{name}.in") <= pins(f"{name}.txt").keys()


def test_the_tests_run_with_what_the_server_runs_with() -> None:
    running, testing = (pins(name) for name in LISTS)
    assert running.items() <= testing.items()


def test_vendored_scripts_are_what_their_authors_published() -> None:
    rows = re.findall(r"^\| `([^`]+)` \|.*\| `([0-9a-f]{64})` \|$", (VENDOR / "README.md").read_text(), re.MULTILINE)
    listed = dict(rows)
    assert listed.keys() == {path.name for path in VENDOR.iterdir() if path.suffix in (".js", ".css")}
    for name, digest in listed.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest, f"{name} was changed"
        assert re.search(r"-\d+\.\d+\.\d+\.min\.js$", name), "the version stands in the name"
        assert (VENDOR / name.replace(".min.js", ".LICENSE.txt")).is_file()


def test_the_bill_of_materials_names_every_pinned_package_with_hash_and_licence() -> None:
    made = sbom.document()
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.6")
    listed = {each["name"]: each for each in made["components"]}
    packages = {name: each["version"] for name, each in listed.items() if "pypi" in each["purl"]}
    assert packages == pins("requirements.txt")
    assert {"htmx.org", "age-encryption"} < listed.keys()
    unsaid = {"pyrage"}  # MIT, which its package does not say
    elsewhere = {"colorama", "tzdata"}  # for other systems
    installed = [each for name, each in listed.items() if name not in unsaid | elsewhere]
    assert [each["name"] for each in installed if not each["licenses"]] == []
    assert all(re.fullmatch("[0-9a-f]{64}", each["content"]) for one in listed.values() for each in one["hashes"])
    assert all(each["hashes"] for each in listed.values())
    refs = [each["bom-ref"] for each in made["components"]]
    assert len(set(refs)) == len(refs)
    assert made["dependencies"][0]["dependsOn"] == refs
