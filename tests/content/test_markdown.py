"""Markdown: formatted for readers, and safe."""

import pytest

from petitions.content.markdown import to_html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Hello *you*, **all**.", "<p>Hello <em>you</em>, <strong>all</strong>.</p>\n"),
        ("a\n\nb", "<p>a</p>\n<p>b</p>\n"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"),
        ("1. a", "<ol>\n<li>a</li>\n</ol>\n"),
        ("> a", "<blockquote>\n<p>a</p>\n</blockquote>\n"),
        ("## A", "<h2>A</h2>\n"),
        (
            "[x](https://example.org/?a&b)",
            '<p><a href="https://example.org/?a&amp;b" rel="noopener noreferrer">x</a></p>\n',
        ),
        ("[x](mailto:a@example.org)", '<p><a href="mailto:a@example.org" rel="noopener noreferrer">x</a></p>\n'),
        ("O’Connor & Wet'suwet'en", "<p>O’Connor &amp; Wet'suwet'en</p>\n"),
    ],
)
def test_what_editors_need_works(text: str, html: str) -> None:
    assert to_html(text) == html


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![x](https://evil.example/x.png)",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html,<script>)",
        "[x](vbscript:x)",
        "[x](http://unsafe.example)",
        "<a href='javascript:alert(1)'>x</a>",
        "<svg onload=alert(1)>",
        "<!-- x -->",
        "# Not a first heading",
        "<javascript:alert(1)>",
        "```\n<script>\n```",
    ],
)
def test_nothing_dangerous_comes_through(attack: str) -> None:
    html = to_html(attack)
    for bad in (
        "<script",
        "<img",
        "<svg",
        "<h1",
        "<!--",
        'href="javascript',
        'href="data',
        'href="http:',
        "title=",
        "<pre",
    ):
        assert bad not in html.lower(), html
