"""The diagnosis: all checks of `flask doctor` in one list, for the command, the staff's page and the daily alert."""

from petitions.db.transactions import damage
from petitions.migrations.upgrade import is_current, is_new
from petitions.queries.catalogue import CATALOGUE_CACHE, catalogue
from petitions.queries.checks import Checkup, checkup
from petitions.queries.recipient_keys import check_of
from petitions.services import installation, ledger
from petitions.services.keys.keyring import settings
from petitions.services.operations import machine_checks, nightly, site_checks


def diagnose() -> Checkup:
    """Check everything; takes seconds, because it reads the database and asks the mail server and DNS."""
    damaged = damage(is_thorough=False)
    if damaged:
        return Checkup([damaged], [])
    if not is_current():
        return Checkup([f"The database is not up to date: run flask {'setup' if is_new() else 'upgrade'}"], [])
    config, public = settings(), catalogue()
    found = checkup(config)
    faults = installation.faults(CATALOGUE_CACHE.of(), is_thorough=True)
    if ledger.is_ahead():
        faults.append("The ledger is ahead of the database: a backup was restored, run flask retention replay")
    faults += [] if public.public_keys else ["No public key is set up: run flask keys create PATH"]
    faults += [] if public.campaigns else ["There is no public campaign: run flask campaign import PATH"]
    unproven = [each.slug for each in public.campaigns if each.is_open and check_of(each.slug).checked_at is None]
    faults += [f"{slug} is open, but not all keys are proven to work: run flask keys check" for slug in unproven]
    machine = [*machine_checks.faults(config), *nightly.faults(config)]
    site_faults, site_notes = site_checks.checked(config)
    return Checkup([*faults, *machine, *found.faults, *site_faults], [*found.notes, *site_notes])
