"""`flask campaign import`: a module of its own, because it loads the typesetter."""

from pathlib import Path

import click
from flask.cli import with_appcontext

from petitions.cli.helpers import catalogue_cache, refusals
from petitions.content import reading
from petitions.kit.fitting import too_long
from petitions.queries.catalogue import catalogue
from petitions.services.campaigns import folders


@click.command("import")
@click.argument("path", type=click.Path(path_type=Path, file_okay=False))
@with_appcontext
def import_campaign(path: Path) -> None:
    """Import the folder at PATH into the database. Nothing changes if it has faults."""
    with refusals():
        content = reading.read(path)
        folders.import_campaign(content, catalogue_cache())
    click.echo(f"{content.slug}: imported, {len(content.cases)} cases.")
    for campaign in catalogue().campaigns:
        for language, title, piece in too_long(campaign) if campaign.slug == content.slug else ():
            click.echo(f"{language}: too long to be printed well: {title} ({piece}). Shorten its texts.", err=True)
