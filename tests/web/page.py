"""A page as a tree, and the rules that every page must follow. A strict parser from the standard library."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

from petitions import locales

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
INLINE = {"a", "abbr", "b", "bdi", "em", "i", "small", "span", "strong"}
FETCHED = {  # what a browser loads by itself, and the attribute that names it
    "script": "src",
    "img": "src",
    "iframe": "src",
    "audio": "src",
    "video": "src",
    "source": "src",
    "embed": "src",
    "object": "data",
    "use": "href",
    "image": "href",
}
POINTERS = ("for", "aria-describedby", "aria-labelledby", "aria-controls", "aria-owns", "aria-errormessage")
AUTOCOMPLETE = {
    "first_name": "given-name",
    "last_name": "family-name",
    "email": "email",
    "birth_date": "bday",
    "code": "one-time-code",
    "name": "username",
    "password": "current-password",
}
ABOUT_OTHERS = {"mails-email", "help-email", "invite-name"}  # staff type what is another person's


class Node:
    """One element."""

    def __init__(self, tag: str, attrs: dict[str, str], parent: "Node | None") -> None:
        self.tag = tag
        self.attrs = attrs
        self.parent = parent
        self.children: list[Node | str] = []

    def __getitem__(self, name: str) -> str:
        return self.attrs[name]

    def get(self, name: str, default: str = "") -> str:
        """The attribute, or `default`."""
        return self.attrs.get(name, default)

    def walk(self) -> Iterator["Node"]:
        """Everything below, in the order of the page."""
        for child in self.children:
            if isinstance(child, Node):
                yield child
                yield from child.walk()

    def all(self, *tags: str, **attrs: str | bool) -> list["Node"]:
        """The elements below of these tags (none: any) and attributes; True asks only that it is there."""
        asked = {name.strip("_").replace("__", "-"): value for name, value in attrs.items()}
        return [node for node in self.walk() if (not tags or node.tag in tags) and node.has(asked)]

    def one(self, *tags: str, **attrs: str | bool) -> "Node":
        """The only such element."""
        found = self.all(*tags, **attrs)
        assert len(found) == 1, f"{len(found)} elements {tags} {attrs}"
        return found[0]

    def has(self, asked: dict[str, Any]) -> bool:
        """Whether it has these attributes."""
        return all(
            (name in self.attrs) is value if isinstance(value, bool) else self.attrs.get(name) == value
            for name, value in asked.items()
        )

    @property
    def ancestors(self) -> Iterator["Node"]:
        """Everything around it, from the inside."""
        if self.parent is not None:
            yield self.parent
            yield from self.parent.ancestors

    @property
    def text(self) -> str:
        """The words inside, as one line."""
        return " ".join(self.raw_text().split())

    @property
    def label(self) -> str:
        """What a reader hears: the words, or those of an attribute, or of a drawing inside."""
        inner = (node.get("aria-label") or node.get("alt") for node in self.walk())
        return self.text or self.get("aria-label") or self.get("value") or next(filter(None, inner), "")

    @property
    def language(self) -> str:
        """The language these words are marked with."""
        return next((node["lang"] for node in (self, *self.ancestors) if "lang" in node.attrs), "")

    def raw_text(self) -> str:
        inside = "".join(child if isinstance(child, str) else child.raw_text() for child in self.children)
        return inside if self.tag in INLINE else f" {inside} "

    def fields(self) -> dict[str, list[str]]:
        """What a browser would send for this form, ticked boxes only."""
        sent: dict[str, list[str]] = {}
        for field in self.all("input", "select", "textarea", name=True):
            if field.get("type") not in ("checkbox", "radio") or "checked" in field.attrs:
                sent.setdefault(field["name"], []).append(field.value())
        return sent

    def value(self) -> str:
        """What a browser would send for this field."""
        if self.tag == "textarea":
            return "".join(child for child in self.children if isinstance(child, str)).removeprefix("\n")
        if self.tag == "select":
            options = self.all("option")
            chosen = [option for option in options if "selected" in option.attrs] or options[:1]
            return str(chosen[0]["value"]) if chosen else ""
        return str(self.get("value"))

    def field(self, name: str) -> "Node":
        """The only field of that name."""
        return self.one("input", name=name)


class _Builder(HTMLParser):
    """Builds the tree, and refuses what a browser would have to guess about."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = self.open = Node("#document", {}, None)
        self.doctype = ""

    def handle_decl(self, decl: str) -> None:
        self.doctype = decl.lower()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(set(names)) == len(names), f"<{tag}> says an attribute twice: {names}"
        node = Node(tag, {name: value or "" for name, value in attrs}, self.open)
        self.open.children.append(node)
        if tag not in VOID:
            self.open = node

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert tag == self.open.tag, f"</{tag}> ends <{self.open.tag}>"
        assert self.open.parent is not None
        self.open = self.open.parent

    def handle_data(self, data: str) -> None:
        self.open.children.append(data)


class Part(Node):
    """HTML that is no whole page: a fragment that is swapped in."""

    def __init__(self, html: str) -> None:
        builder = _Builder()
        builder.feed(html)
        builder.close()
        assert builder.root is builder.open, f"<{builder.open.tag}> is never closed"
        super().__init__("#document", {}, None)
        self.html = html
        self.doctype = builder.doctype
        self.children = builder.root.children


class Page(Part):
    """A whole page."""

    @property
    def title(self) -> str:
        """What the browser's tab says."""
        return self.one("title").text

    @property
    def h1(self) -> str:
        """The heading of the page."""
        return self.one("h1").text

    def form(self, action: str) -> Node:
        """The only form whose action ends so."""
        found = [form for form in self.all("form") if form["action"].endswith(action)]
        assert len(found) == 1, [form["action"] for form in self.all("form")]
        return found[0]

    def checked(self) -> "Page":
        """The page itself, once it keeps all HTML rules."""
        found = [fault for rule in RULES for fault in rule(self)]
        assert not found, "\n".join(found)
        return self


def _frame(page: Page) -> Iterator[str]:
    """Doctype, language, direction, title, one h1."""
    html = page.one("html")
    if page.doctype != "doctype html":
        yield f"doctype {page.doctype!r}"
    if not locales.is_language(html.get("lang")):
        yield f"lang={html.get('lang')!r}"
    elif html.get("dir") != locales.direction(html["lang"]):
        yield f"dir={html.get('dir')!r} for {html['lang']}"
    if not page.title or not page.all("meta", charset="utf-8") or not page.all("meta", name="viewport"):
        yield "title, charset or viewport is missing"
    if len(page.all("h1")) != 1 or not page.h1:
        yield f"{len(page.all('h1'))} h1"
    if len(page.all("main")) != 1:
        yield f"{len(page.all('main'))} main"


def _languages(page: Page) -> Iterator[str]:
    """Words in another language say so, and in which direction they run."""
    for node in page.all(lang=True):
        if not locales.is_language(node["lang"]):
            yield f"<{node.tag} lang={node['lang']!r}>"
    for node in page.all(dir=True):
        if node["dir"] not in ("ltr", "rtl", "auto"):
            yield f"<{node.tag} dir={node['dir']!r}>"


def _headings(page: Page) -> Iterator[str]:
    """Headings go down one step at a time."""
    level = 0
    for heading in page.all("h1", "h2", "h3", "h4", "h5", "h6"):
        if not heading.text:
            yield f"an empty {heading.tag}"
        if level and int(heading.tag[1]) > level + 1:
            yield f"{heading.tag} {heading.text!r} comes after h{level}"
        level = int(heading.tag[1])


def _ids(page: Page) -> Iterator[str]:
    """Ids are unique, and references to ids exist."""
    ids = [node["id"] for node in page.all(id=True)]
    yield from (f"id={name!r} is listed twice" for name in sorted({name for name in ids if ids.count(name) > 1}))
    for node in page.walk():
        for attribute in POINTERS:
            missing = [name for name in node.get(attribute).split() if name not in ids]
            yield from (f"{attribute}={name!r} points nowhere" for name in missing)
        href = node.get("href")
        if href.startswith("#") and href[1:] not in ids:
            yield f"href={href!r} points nowhere"
        for attribute in ("data-hx-target", "data-hx-select"):
            value = node.get(attribute)
            # the part that is selected may stand in the answer only, what it replaces must stand here
            if value.startswith("#") and attribute == "data-hx-target" and value[1:] not in ids:
                yield f"{attribute}={value!r} points nowhere"


def _forms(page: Page) -> Iterator[str]:
    """Forms work without JavaScript, and every field has a label and says what belongs into it."""
    labelled = {label["for"] for label in page.all("label", for_=True)}
    for form in page.all("form"):
        typed = [
            field
            for field in form.all("input")
            if field.get("type") not in ("checkbox", "number", "hidden") and field.get("name") != "server"
        ]
        is_choice = form.get("method") == "get" and not typed and not form.all("textarea")  # nothing personal in a URL
        if (form.get("method") != "post" and not is_choice) or not form.get("action").startswith("/"):
            yield f"<form method={form.get('method')!r} action={form.get('action')!r}>"
        if form.get("data-hx-post", form.get("action")) != form.get("action"):
            yield f"htmx posts {form['data-hx-post']}, a browser {form.get('action')}"
        if not form.all("button", type="submit"):
            yield f"no button in the form {form.get('action')}"
    for field in page.all("input", "select", "textarea"):
        if field.get("type") == "hidden" or "hidden" in field.attrs:
            continue
        wraps = next((node for node in field.ancestors if node.tag == "label"), None)
        cells = [
            page.all(id=name) for name in field.get("aria-labelledby", "").split()
        ]  # the heads of its row and column
        has_cells = cells and all(len(found) == 1 and found[0].text for found in cells)
        if field.get("id") not in labelled and not (wraps and wraps.text) and not has_cells:
            yield f"no label for {field.get('name')!r}"
        wanted = AUTOCOMPLETE.get(field.get("name")) if field.get("type") != "checkbox" else None
        wanted = "off" if field.get("id") in ABOUT_OTHERS else wanted
        if wanted and field.get("autocomplete") != wanted:
            yield f"autocomplete={field.get('autocomplete')!r} for {field['name']}"
        if field.get("aria-invalid") == "true" and f"{field.get('id')}-error" not in field.get("aria-describedby"):
            yield f"{field['name']} does not point at its error"
    yield from (f"<label for={name!r}> without words" for name in labelled if not page.one("label", for_=name).text)


def _controls(page: Page) -> Iterator[str]:
    """Links and buttons say what they do; pictures say what they show."""
    for node in page.all("a", "button"):
        if not node.label:
            yield f"<{node.tag} {node.attrs}> says nothing"
        if node.tag == "a" and node.get("href", "#") in ("", "#"):
            yield f"the link {node.text!r} leads nowhere"
        if node.tag == "button" and node.get("type") not in ("submit", "button"):
            yield f"<button type={node.get('type')!r}>"
    for picture in page.all("img"):
        if "alt" not in picture.attrs:
            yield f"no alt for {picture.get('src')}"
    for drawing in page.all("svg"):
        inside = any(node.tag == "svg" for node in drawing.ancestors)
        if not inside and drawing.get("aria-hidden") != "true" and not drawing.get("aria-label"):
            yield f"a drawing says nothing: {drawing.attrs}"


def _behaviour(page: Page) -> Iterator[str]:
    """Nothing inline, nothing from elsewhere, no htmx that needs eval."""
    for node in page.walk():
        inline = [name for name in node.attrs if name.startswith("on") or name == "style" or "hx-on" in name]
        yield from (f"<{node.tag} {name}=…>" for name in inline)
        if node.tag == "style" or (
            (node.tag == "script" and ("src" not in node.attrs or node.text))
            and node.get("type") != "application/ld+json"
        ):
            yield f"inline <{node.tag}>"
        for name, value in node.attrs.items():
            if "hx-" in name and ("js:" in value or "javascript:" in value or "[" in value):
                yield f"{name}={value!r} would need eval"
            if name in ("href", "action", "src") and value.strip().lower().startswith("javascript:"):
                yield f"{name}={value!r}"
        fetched = node.get(FETCHED.get(node.tag, "-")) or (
            node.get("href") if node.tag == "link" and node.get("rel") not in ("canonical", "alternate") else ""
        )
        if fetched and not re.match(r"(/(?!/)|#)", fetched):
            yield f"<{node.tag}> loads {fetched}"
        if (
            node.tag == "a"
            and re.match(r"(https?:)?//(?!localhost/)", node["href"])
            and "noopener" not in node.get("rel")
        ):
            yield f"the link to {node['href']} keeps a hold on this page"


def _left_over(page: Page) -> Iterator[str]:
    """Nothing of the template or of Python shows."""
    attributes = (value for node in page.walk() for name, value in node.attrs.items() if name != "value")
    everything = "\n".join([page.text, *attributes])
    for sign in ("{{", "}}", "{%", "%(", "<p>", "&amp;", "&lt;", "Undefined", "lazy_gettext", "<bound method"):
        if sign in everything:
            yield f"the page says {sign}"
    if re.search(r"\bNone\b", page.text):
        yield "the page says None"


RULES = (_frame, _languages, _headings, _ids, _forms, _controls, _behaviour, _left_over)
