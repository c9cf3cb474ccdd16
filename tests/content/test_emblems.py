"""Drawings: only shapes in the given colours; nothing active, loaded or named."""

import pytest

from petitions.cli.setup import DEMO_CAMPAIGN
from petitions.content.checks import LONGEST_EMBLEM, emblem_fault

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"{attributes}>{inside}</svg>'


def drawing(inside: str = "", attributes: str = "") -> str:
    """An SVG with something in it."""
    return SVG.format(inside=inside, attributes=attributes)


@pytest.mark.parametrize(
    "inside",
    [
        "",
        '<path d="M0 0h9v9z" fill="currentColor" stroke="none"/>',
        '<g transform="translate(1 2)" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" opacity=".5">'
        '<circle cx="1" cy="1" r="1" class="a"/><ellipse rx="1" ry="2" class="s"/></g>',
        '<rect x="1" y="1" width="2" height="2" rx="1"/><line x1="0" y1="0" x2="1" y2="1"/>',
        '<polyline points="0,0 1,1"/><polygon points="0,0 1,1 2,0"/>',
    ],
)
def test_shapes_in_our_own_colours_are_welcome(inside: str) -> None:
    assert emblem_fault(drawing(inside)) == ""


@pytest.mark.parametrize(
    "inside",
    [
        "<script>alert(1)</script>",
        "<style>*{fill:red}</style>",
        "<foreignObject><p/></foreignObject>",
        "<image href='x'/>",
        "<use href='#a'/>",
        "<a href='javascript:alert(1)'><path/></a>",
        "<animate attributeName='href' to='javascript:alert(1)'/>",
        "<set attributeName='onload' to='alert(1)'/>",
        "<text>Sign here</text>",
        "<title>x</title>",
        "<iframe xmlns='http://www.w3.org/1999/xhtml' src='//evil.example'/>",
        "<p xmlns='http://www.w3.org/1999/xhtml'>x</p>",
        "<path xmlns='http://www.w3.org/1999/xhtml'/>",
        "<path onload='alert(1)'/>",
        "<path ONLOAD='alert(1)'/>",
        "<path onclick='alert(1)'/>",
        "<path href='#x'/>",
        "<path xmlns:xlink='http://www.w3.org/1999/xlink' xlink:href='#x'/>",
        "<path style='fill:red'/>",
        "<path id='main'/>",
        "<path fill='red'/>",
        "<path fill='url(#a)'/>",
        "<path fill='url(https://evil.example/x)'/>",
        "<path stroke='#ff0000'/>",
        "<path transform='url(https://evil.example)'/>",
        "<path class='button'/>",
        "<path class='a s'/>",
        "<path filter='none'/>",
        "<path clip-path='none'/>",
        "<!-- a comment -->",
        "<![CDATA[<script>]]>",
        "<?xml-stylesheet href='x'?>",
        "<path",
        "&unknown;",
        "\x00",
    ],
)
def test_whatever_acts_loads_or_names_is_refused(inside: str) -> None:
    assert emblem_fault(drawing(inside)) != ""


@pytest.mark.parametrize(
    "svg",
    [
        "",
        "not a drawing",
        "<svg/>",
        "<svg viewBox='0 0 1 1'/>",
        "<svg xmlns='http://www.w3.org/2000/svg'/>",
        "<g xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1 1'/>",
        "<html><svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1 1'/></html>",
        "<?xml version='1.0'?>" + drawing(),
        "<!DOCTYPE svg [<!ENTITY a 'aaaa'>]>" + drawing("&a;"),
        "<!DOCTYPE svg [<!ENTITY a SYSTEM 'secret.txt'>]>" + drawing("&a;"),
        drawing(attributes=" onload='alert(1)'"),
        drawing(attributes=" width='expression' style=''"),
        drawing() + drawing(),
        drawing("<g>" * 3 + "</g>" * 2),
    ],
)
def test_what_is_no_single_plain_drawing_is_refused(svg: str) -> None:
    assert emblem_fault(svg) != ""


def test_a_drawing_that_is_too_long_is_refused() -> None:
    room = LONGEST_EMBLEM - len(drawing())
    assert emblem_fault(drawing(" " * room)) == ""
    assert "at most 4000 are allowed" in emblem_fault(drawing(" " * (room + 1)))


@pytest.mark.parametrize("path", sorted(DEMO_CAMPAIGN.rglob("*.svg")), ids=lambda path: path.parent.name)
def test_our_own_drawings_pass(path: object) -> None:
    assert emblem_fault(path.read_text()) == ""  # type: ignore[attr-defined]
