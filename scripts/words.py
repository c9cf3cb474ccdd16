"""Collects the words that people see into translations/*/LC_MESSAGES/messages.po; `make words`.

Babel's own command writes dates, names and hosts into every header; these catalogues carry only what they need.
"""

from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
METHODS = [("petitions/**.py", "python"), ("templates/**.html", "jinja2"), ("templates/**.txt", "jinja2")]
KEYWORDS = {"_": None, "_l": None, "gettext": None, "ngettext": (1, 2), "npgettext": ((1, "c"), 2, 3)}
KEYWORDS |= {"pgettext": ((1, "c"), 2), "lazy_pgettext": ((1, "c"), 2)}


def collected() -> Catalog:
    """Every word in the source."""
    catalogue = Catalog()
    for _folder, _, message, _, context in extract_from_dir(ROOT, METHODS, keywords=KEYWORDS):
        catalogue.add(message, context=context)
    return catalogue


def header(catalogue: Catalog) -> str:
    """The lines that a reader of the catalogue needs, and no more."""
    lines = {
        "Language": str(catalogue.locale),
        "Plural-Forms": catalogue.plural_forms,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Transfer-Encoding": "8bit",
    }
    return 'msgid ""\nmsgstr ""\n' + "".join(f'"{name}: {value}\\n"\n' for name, value in lines.items()) + "\n"


def main() -> None:
    """Bring every catalogue up to date."""
    words = collected()
    for path in sorted((ROOT / "translations").glob("*/LC_MESSAGES/messages.po")):
        with path.open("rb") as file:
            catalogue = read_po(file, locale=path.parent.parent.name)
        catalogue.update(words, no_fuzzy_matching=True)
        text = BytesIO()
        write_po(text, catalogue, sort_output=True, omit_header=True, ignore_obsolete=True, width=0)
        path.write_text(header(catalogue) + text.getvalue().decode())
        missing = sum(1 for each in catalogue if each.id and (each.fuzzy or not any(each.string or ())))
        print(f"{path.relative_to(ROOT)}: {missing} to translate")


if __name__ == "__main__":
    main()
