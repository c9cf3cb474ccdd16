"""Cells of tables that spreadsheets open."""

# Spreadsheets convert the full-width forms to the plain ones
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def safe_cell(value: str) -> str:
    """The value as a text cell: a spreadsheet would run `=…` as a formula, so it gets an apostrophe in front."""
    return f"'{value}" if value.startswith(_FORMULA_STARTS) else value
