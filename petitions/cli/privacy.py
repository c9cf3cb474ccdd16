"""Commands that print the privacy notice and the data protection impact assessment."""

from string import Template

import click
from flask import render_template
from flask.cli import AppGroup
from flask_babel import force_locale, gettext

from petitions.cli.helpers import refusals
from petitions.queries.catalogue import PublicCampaign, catalogue
from petitions.queries.privacy import dpia_facts, notice_facts
from petitions.services.keys.keyring import settings
from petitions.settings import ROOT

privacy = AppGroup("privacy", help="The privacy notice and the impact assessment, from the real settings.")
of_campaign = click.option("--campaign", "slug", help="The campaign; by default the current one.")


def _campaign(slug: str | None) -> PublicCampaign:
    return catalogue().campaign(slug) if slug else catalogue().current


@privacy.command("notice")
@click.argument("language")
@of_campaign
def notice(language: str, slug: str | None) -> None:
    """Print the privacy notice in LANGUAGE as Markdown, as the privacy page shows it."""
    with refusals():
        campaign = _campaign(slug)
    if language not in campaign.languages:
        raise click.ClickException(f"{campaign.slug} has {', '.join(campaign.languages)}")
    with force_locale(language):
        facts = notice_facts(campaign, catalogue().public_keys, settings(), language)
        click.echo(f"# {gettext('What happens with your data')}\n\n{render_template('public/privacy.txt', **facts)}")


@privacy.command("dpia")
@of_campaign
def dpia(slug: str | None) -> None:
    """Print docs/dpia-template.md (data protection impact assessment), filled from the real settings."""
    template = Template((ROOT / "docs" / "dpia-template.md").read_text(encoding="utf-8"))
    with refusals():
        campaign = _campaign(slug)
    click.echo(template.substitute(dpia_facts(campaign, catalogue().public_keys, settings())))
