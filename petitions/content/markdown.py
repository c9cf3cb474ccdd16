"""Markdown to HTML for our pages: no raw HTML, and an allow-list sanitiser."""

from functools import lru_cache

import nh3
from markdown_it import MarkdownIt

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
