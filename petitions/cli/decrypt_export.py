"""Decrypts an export on the officer's machine. Loaded only by its command: the server needs no spreadsheet library."""

import csv
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TextIO

import click
from xlsxwriter import Workbook

from petitions.cli.helpers import identities, private_files
from petitions.domain import decrypt_export, sealing
from petitions.domain.cells import safe_cell

Row = tuple[str, ...]


@click.command("open")
@click.argument("file", type=click.File("r", encoding="utf-8"))
@click.option("--identity", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=True)
@click.option("--format", "kind", type=click.Choice(["csv", "xlsx"]), default="csv", show_default=True)
@click.option("--rows", type=click.Choice(["signature", "signer"]), default="signature", show_default=True)
@click.option("--for", "purpose", type=click.Choice(["delivery", "newsletter"]), default="delivery", show_default=True)
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="By default beside FILE.")
def open_signatures(file: TextIO, identity: Path, kind: str, rows: str, purpose: str, output: Path | None) -> None:
    """Decrypt the export FILE with the private key --identity. Needs no database and no network."""
    output = output or Path(file.name).with_suffix(f".{purpose}.{kind}")
    totals: dict[str, dict[str, int]] = {}
    table = decrypt_export.table(decrypt_export.opened(file, identities(identity), totals), rows, purpose)
    try:
        with private_files():
            number = _WRITERS[kind](output, decrypt_export.columns(rows, purpose), table)
    except sealing.CannotOpen as exc:
        output.unlink(missing_ok=True)
        raise click.ClickException(f"Line {exc} cannot be decrypted with this key, or is damaged.") from exc
    click.echo(f"{number} rows: {output}")
    for case, each in totals.items() if purpose == "delivery" else ():
        click.echo(f"{case}: {each['confirmed']} signatures, {each['named']} of them named in the list")


def _write_csv(path: Path, heading: Row, table: Iterator[Row]) -> int:
    number = -1
    with path.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.writer(out)
        for row in chain([heading], table):
            writer.writerow([safe_cell(value) for value in row])
            number += 1
    return number


def _write_xlsx(path: Path, heading: Row, table: Iterator[Row]) -> int:
    number = -1
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with path.open("wb") as out, Workbook(out, options) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(chain([heading], table)):
            sheet.write_row(number, 0, row)
    return number


_WRITERS = {"csv": _write_csv, "xlsx": _write_xlsx}
