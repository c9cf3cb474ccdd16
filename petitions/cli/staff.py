"""Commands for staff accounts and for the journal."""

import sys

import click
from flask.cli import AppGroup

from petitions import clock
from petitions.cli.helpers import refusals
from petitions.domain.roles import Role
from petitions.queries.staff import members
from petitions.services import journal as acts
from petitions.services.staff import accounts, people

staff = AppGroup("staff", help="Accounts for the staff pages.")
journal = AppGroup("journal", help="The journal: what staff and commands did.")
_role = click.option(
    "--role", type=click.Choice([str(role) for role in Role]), default=str(Role.OWNER), show_default=True
)
_asked = click.password_option(help="Asked for if not given; at least 12 characters.")


@staff.command("create")
@click.argument("name")
@_asked
@_role
def create(name: str, password: str, role: str) -> None:
    """Create an account for the staff pages."""
    with refusals():
        accounts.create_account(name, password, role=Role(role))
    click.echo(f"{name} can now log in at /admin/.")


@staff.command("password")
@click.argument("name")
@_asked
def password(name: str, password: str) -> None:
    """Set another password, and end all sessions of the account."""
    with refusals():
        accounts.set_password(name, password)
    click.echo(f"{name} has a new password, and is logged out everywhere.")


@staff.command("role")
@click.argument("name")
@click.argument("role", type=click.Choice([str(role) for role in Role]))
def change_role(name: str, role: str) -> None:
    """Give the account another ROLE, without an end."""
    with refusals():
        people.set_role(name, Role(role), None, acts.COMMAND)
    click.echo(f"{name} is now {role}.")


@staff.command("remove-factor")
@click.argument("name")
def remove_factor(name: str) -> None:
    """Take the account's second factor away, for a lost phone; ends its sessions."""
    with refusals():
        people.end_factor(name)
    click.echo(f"{name} can log in with the password alone, and sets up a new second factor then.")


@staff.command("end-sessions")
@click.argument("name")
def end_sessions(name: str) -> None:
    """Log the account out everywhere."""
    with refusals():
        accounts.end_sessions(name)
    click.echo(f"{name} is logged out everywhere.")


@staff.command("disable")
@click.argument("name")
def disable(name: str) -> None:
    """Disable the account: it is logged out everywhere and cannot log in."""
    with refusals():
        accounts.set_enabled(name, False)
    click.echo(f"{name} cannot log in any more.")


@staff.command("enable")
@click.argument("name")
def enable(name: str) -> None:
    """Enable a disabled account again."""
    with refusals():
        accounts.set_enabled(name, True)
    click.echo(f"{name} can log in again.")


@staff.command("list")
def list_accounts() -> None:
    """List all accounts, with their numbers of sessions."""
    for each in members(clock.now() - accounts.SESSION_LIFETIME):
        state = f"disabled {each.disabled_at:%Y-%m-%d}" if each.disabled_at else "enabled"
        factor = "second factor" if each.has_factor else "no second factor"
        click.echo(
            f"{each.name}: {each.role}, {state}, {factor}, sessions: {each.sessions}, since {each.created_at:%Y-%m-%d}"
        )


@journal.command("list")
@click.option("--most", default=200, show_default=True, help="How many rows, the newest first.")
def list_acts(most: int) -> None:
    """List who did what, when, and to how many."""
    for row in acts.newest(most):
        said = " ".join(str(part) for part in (row.subject, row.number) if part not in ("", None))
        click.echo(f"{row.id}  {row.at:%Y-%m-%d %H:%M:%S}  {row.name or row.actor}: {row.act} {said}".rstrip())


@journal.command("verify")
def verify() -> None:
    """Find the first row that was changed after it was written; exits with status 1 if there is one."""
    number, last, broken = acts.verify()
    click.echo(f"Unchanged rows: {number}. Hash of the last one: {last or 'none'}.")
    if broken is not None:
        click.echo(f"Row {broken} was changed, or one before it is missing.", err=True)
        sys.exit(1)
