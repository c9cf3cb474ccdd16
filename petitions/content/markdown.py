"""Markdown to HTML for our pages: no raw HTML, and an allow-list sanitiser."""

from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

_TAGS = {"p", "br", "em", "strong", "a", "ul", "ol", "li", "blockquote", "h2", "h3"}
_parser = MarkdownIt("commonmark", {"html": False, "typographer": False}).disable(["image", "code", "fence"])


@lru_cache(maxsize=1024)
def to_html(text: str) -> str:
    """Safe HTML; links keep https: and mailto: only."""
    return nh3.clean(
        _parser.render(text),
        tags=_TAGS,
        attributes={"a": {"href"}},
        url_schemes={"https", "mailto"},
        link_rel="noopener noreferrer",
    )


Run = tuple[str, bool, bool]  # words, whether they are bold, whether they are emphasised


def paragraphs(text: str) -> list[list[Run]]:
    """The text for paper: paragraphs of runs. Headings and items of lists are paragraphs; links keep their words."""
    return [_runs(token.children or []) for token in _parser.parse(text) if token.type == "inline"]


def _runs(tokens: list[Token]) -> list[Run]:
    runs: list[Run] = []
    is_bold = is_emphasised = False
    for token in tokens:
        if token.type in ("strong_open", "strong_close"):
            is_bold = token.nesting == 1
        elif token.type in ("em_open", "em_close"):
            is_emphasised = token.nesting == 1
        elif token.type in ("text", "softbreak", "hardbreak"):
            runs.append((token.content or " ", is_bold, is_emphasised))
    return runs
