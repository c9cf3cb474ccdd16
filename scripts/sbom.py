"""Write the software bill of materials (CycloneDX 1.6) to standard output: each package that the server runs, with its
version, hashes and licence. Run by `make sbom`.
"""

import json
import re
from importlib import metadata
from typing import Any

from petitions.settings import ROOT, version

REQUIREMENTS = ROOT / "requirements.txt"
VENDOR = ROOT / "static" / "vendor" / "README.md"


def components() -> list[dict[str, Any]]:
    """The pinned packages of requirements.txt, and what stands in static/vendor/."""
    found = []
    for block in re.split(r"\n(?=\S)", REQUIREMENTS.read_text(encoding="utf-8")):
        pinned = re.match(r"([\w.-]+)==([^\s;\\]+)", block)
        if pinned:
            name, number = pinned.groups()
            hashes = [{"alg": "SHA-256", "content": each} for each in re.findall(r"sha256:([0-9a-f]{64})", block)]
            found.append(_component(name, number, f"pkg:pypi/{name.lower()}@{number}", hashes, _licence(name)))
    for file, number, licence, digest in re.findall(
        r"^\| `([\w.-]+?)-[\d.]+\.min\.js` \|.*?\| ([\d.]+) \| ([\w.-]+).*?\| `(\w{64})` \|$",
        VENDOR.read_text(encoding="utf-8"),
        re.MULTILINE,
    ):
        npm = {"htmx": "htmx.org", "age": "age-encryption"}[file]
        hashes = [{"alg": "SHA-256", "content": digest}]
        found.append(_component(npm, number, f"pkg:npm/{npm}@{number}", hashes, licence))
    return found


def document() -> dict[str, Any]:
    """The whole document; the same for the same requirements, so it holds neither time nor serial number."""
    ours = {"type": "application", "bom-ref": "petitions", "name": "petitions", "version": version()}
    listed = components()
    uses = {"ref": "petitions", "dependsOn": [each["bom-ref"] for each in listed]}
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": ours},
        "components": listed,
        "dependencies": [uses],
    }


def _component(name: str, number: str, purl: str, hashes: list[dict[str, str]], licence: str) -> dict[str, Any]:
    licences = [{"license": {"name": licence}}] if licence else []
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": number,
        "purl": purl,
        "hashes": hashes,
        "licenses": licences,
    }


def _licence(name: str) -> str:
    """What the installed package says; empty where it is not installed here, such as one for another system."""
    try:
        said = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return ""
    classifiers = [each.rpartition(":: ")[2] for each in said.get_all("Classifier") or [] if each.startswith("License")]
    short = [line for line in (said.get("License") or "").splitlines() if len(line) < 60]
    return str(said.get("License-Expression") or ", ".join(classifiers) or ", ".join(short[:1]))


if __name__ == "__main__":
    print(json.dumps(document(), indent=1))
