"""The style sheet and the script, checked as text for rules that no single page would show."""

import re

from petitions.settings import ROOT

CSS = "".join((ROOT / "static" / "css" / f"{name}.css").read_text() for name in ("site", "letter"))
JS = "".join((ROOT / "static" / "js" / f"{name}.js").read_text() for name in ("site", "letter"))
PHYSICAL = re.compile(
    r"(?<![-\w])(?:margin|padding|border)-(?:left|right|top|bottom)\b|(?<![-\w])(?:left|right|top|bottom|width|height)\s*:"
    r"|text-align:\s*(?:left|right)|float:\s*(?:left|right)|(?:min|max)-(?:width|height)\s*:(?![^{]*\))"
)


def test_every_page_can_be_mirrored_since_no_rule_names_left_or_right() -> None:
    rules = re.sub(r"@media[^{]*\{|@keyframes[^{]*\{", "{", CSS)
    assert PHYSICAL.findall(rules) == []
    assert PHYSICAL.search("a { margin-left: 1px }"), "a check that finds nothing there is none"
    assert PHYSICAL.search("a { left: 0 }")


def faults_of_form(css: str) -> list[str]:
    """Lines of a style sheet that are too long, wrongly indented, or hold more than one declaration."""
    found, depth, is_open, is_comment = [], 0, False, False
    for line in css.splitlines():
        text = line.strip()
        is_comment = is_comment or text.startswith("/*")
        depth -= text.startswith("}")
        indent = len(line) - len(line.lstrip())
        if (
            len(line) > 120
            or (text and indent != 2 * depth and not is_open and not is_comment)
            or (not is_comment and re.search(r"[{};].", text))
        ):
            found.append(line)
        depth += text.endswith("{") and not is_comment
        is_open = not text.endswith(("{", "}", ";")) and bool(text) and not is_comment
        is_comment = is_comment and not text.endswith("*/")
    return found


def test_the_style_sheet_has_one_declaration_a_line_in_short_lines() -> None:
    assert faults_of_form(CSS) == []
    for wrong in ("a { color: red }", "a {\n  b: c; d: e;\n}", "a {\nb: c;\n}", "/* " + "x" * 120 + " */"):
        assert faults_of_form(wrong), wrong
    assert faults_of_form("a,\nb {\n  /* why\n     it is { so */\n  mask:\n    x,\n    y;\n}\n") == []


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
