"""The HTML rules detect violations: each page test relies on them."""

import pytest

from tests.web.page import Page

GOOD = """<!doctype html>
<html lang="fr" dir="ltr"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Bonjour</title><link rel="canonical" href="https://petitions.example.org/"></head>
<body><main id="main"><h1>Bonjour</h1>
<form method="post" action="/fr/sign" data-hx-post="/fr/sign" data-hx-target="#main">
<label for="email">E-mail</label><p id="hint">A hint</p><p id="email-error">An error</p>
<input id="email" name="email" autocomplete="email" aria-describedby="hint email-error" aria-invalid="true">
<label><input type="checkbox" name="cases" value="river"> The river</label>
<button type="submit">Send</button></form>
<a href="https://example.org/" rel="noopener">Elsewhere</a>
<svg aria-hidden="true"><use href="#main"></use></svg></main></body></html>"""

BROKEN = {
    "no doctype": ("<!doctype html>", ""),
    "unknown language": ('lang="fr"', 'lang="xx"'),
    "wrong direction": ('dir="ltr"', 'dir="rtl"'),
    "no title": ("Bonjour</title>", "</title>"),
    "two h1": ("<h1>", "<h1>Salut</h1><h1>"),
    "no h1": ("h1>", "h2>"),
    "skipped heading": ("</h1>", "</h1><h3>Encore</h3>"),
    "the same id twice": ('id="hint"', 'id="email"'),
    "description that is not there": ('id="hint"', 'id="other"'),
    "label that points nowhere": ('for="email"', 'for="phone"'),
    "anchor that is not there": ('href="#main"', 'href="#top"'),
    "target that is not there": ('target="#main"', 'target="#top"'),
    "form that is no post": ('method="post"', 'method="get"'),
    "form without an action": ('action="/fr/sign"', ""),
    "htmx that posts elsewhere": ('data-hx-post="/fr/sign"', 'data-hx-post="/fr/other"'),
    "form without a button": ('<button type="submit">Send</button>', ""),
    "button of no type": ('type="submit"', ""),
    "box without a label": (" The river", ""),
    "wrong autocomplete": ('autocomplete="email"', 'autocomplete="off"'),
    "error that nobody hears": ("hint email-error", "hint"),
    "empty link": (">Elsewhere<", "><"),
    "link that keeps a hold": (' rel="noopener"', ""),
    "drawing that says nothing": (' aria-hidden="true"', ""),
    "inline style": ("<h1>", '<h1 style="color:red">'),
    "inline handler": ("<h1>", '<h1 onclick="go()">'),
    "inline script": ("</main>", "<script>go()</script></main>"),
    "script from elsewhere": ("</main>", '<script src="https://cdn.example/x.js"></script></main>'),
    "style sheet from elsewhere": ("</title>", '</title><link rel="stylesheet" href="//cdn.example/x.css">'),
    "htmx that needs eval": ("data-hx-target", 'data-hx-trigger="click[ctrlKey]" data-hx-target'),
    "script address": ('href="https://example.org/"', 'href="javascript:go()"'),
    "template left over": ("A hint", "{{ hint }}"),
    "None": ("A hint", "None"),
}


def test_a_good_page_passes() -> None:
    assert Page(GOOD).checked().h1 == "Bonjour"


@pytest.mark.parametrize("fault", BROKEN)
def test_a_page_is_refused_for(fault: str) -> None:
    old, new = BROKEN[fault]
    assert old in GOOD
    with pytest.raises(AssertionError):
        Page(GOOD.replace(old, new)).checked()


@pytest.mark.parametrize("html", ["<p>open", "<b><i></b></i>", '<p id="a" id="b"></p>', "</p>"])
def test_what_a_browser_would_have_to_guess_is_refused(html: str) -> None:
    with pytest.raises(AssertionError):
        Page(GOOD.replace("A hint", html))
