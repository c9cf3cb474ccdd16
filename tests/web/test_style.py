"""The style sheet and our script, read as text: rules that no single page would show."""

import re

from petitions.settings import ROOT

CSS = (ROOT / "static" / "css" / "site.css").read_text()
JS = (ROOT / "static" / "js" / "site.js").read_text()
PHYSICAL = re.compile(
    r"(?<![-\w])(?:margin|padding|border)-(?:left|right|top|bottom)\b|(?<![-\w])(?:left|right|top|bottom|width|height)\s*:"
    r"|text-align:\s*(?:left|right)|float:\s*(?:left|right)|(?:min|max)-(?:width|height)\s*:(?![^{]*\))"
)


def test_every_page_can_be_mirrored_since_no_rule_names_left_or_right() -> None:
    rules = re.sub(r"@media[^{]*\{|@keyframes[^{]*\{", "{", CSS)
    assert PHYSICAL.findall(rules) == []
    assert PHYSICAL.search("a { margin-left: 1px }"), "a check that finds nothing there is none"
    assert PHYSICAL.search("a { left: 0 }")


def test_looks_need_nobody_else() -> None:
    assert "@import" not in CSS
    assert all(name.startswith("../") for name in re.findall(r"url\(([^)]+)\)", CSS))


def test_who_dislikes_motion_sees_none() -> None:
    calm = CSS.replace("@media (prefers-reduced-motion: no-preference) {", "\0")
    for found in re.finditer(r"\banimation:|\btransition:|@keyframes", calm):
        before = calm[: found.start()]
        opened = before.rpartition("\0")[2]
        assert "\0" in before, found.group()
        assert opened.count("{") >= opened.count("}"), found.group()


def test_the_script_keeps_nothing_and_runs_no_text() -> None:
    for word in ("localStorage", "sessionStorage", "indexedDB", "cookie =", "eval(", "innerHTML", "Function(", "://"):
        assert word not in JS, word
