"""The command line `pledger`: run the stack, publish as a channel, look things up, operate."""

import sys

import typer

from infra.errors import InfraError
from services.cli import (
    as_of,
    backup,
    blacklist,
    campaigns,
    census,
    channel,
    checkpoint,
    dead_letters,
    decisions,
    demo,
    doctor,
    dossier,
    lookup,
    product_documents,
    rating,
    referrals,
    replay,
    republish,
    reseat,
    sandbox,
    stack,
    verify,
)
from services.cli.console import Failure, console
from services.kernel.errors import KernelError

app = typer.Typer(
    help="An event-sourced policy ledger: quote, policy, billing and claims on Kafka and PostgreSQL.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
)

app.command()(stack.up)
app.command()(stack.down)
app.command()(stack.status)
app.command()(stack.run)
app.command()(demo.demo)
app.command()(verify.verify)
app.command()(replay.rebuild)
app.command("as-of")(as_of.as_of)
app.command()(republish.republish)
app.command()(doctor.doctor)
app.command()(reseat.reseat)
app.command()(backup.backup)
app.command()(backup.restore)
app.command()(backup.recover)
app.command("base-backup")(backup.base_backup)
app.command()(backup.aside)
app.command()(lookup.report)
app.command()(campaigns.campaigns)
app.command()(rating.trial)
app.command("census-change")(census.census_change)
lookup.show.command("working")(rating.working)
lookup.show.command("decision")(decisions.decision)
referrals.referrals.command("overlaps")(decisions.overlaps)
app.command()(channel.notices)
app.add_typer(channel.channels, name="channels", help="Distribution channels and their topics.")
app.add_typer(channel.orders, name="orders", help="Publish orders as a channel does.")
app.add_typer(channel.claims, name="claims", help="Publish claim notices as a channel does.")
app.add_typer(channel.payments, name="payments", help="Publish payments as a channel does.")
app.add_typer(sandbox.sandbox, name="sandbox", help="What channels try out.")
app.add_typer(product_documents.product, name="product", help="Product versions, from draft to withdrawal.")
app.add_typer(referrals.referrals, name="referrals", help="Applications that wait for an underwriter or a customer.")
app.add_typer(referrals.underwriters, name="underwriters", help="Who may decide on referrals, up to which level.")
app.add_typer(blacklist.blacklist, name="blacklist", help="Persons who are not to be insured.")
app.add_typer(dead_letters.dead_letters, name="dead-letters", help="Messages that a service could not handle.")
app.add_typer(checkpoint.checkpoints, name="checkpoint", help="Signed heads of the logs.")
app.add_typer(dossier.dossier, name="dossier", help="All that happened to a contract, readable and verifiable.")
app.add_typer(lookup.show, name="show", help="Look up one order, policy, account or claim.")


def main() -> None:
    """Entry point. Errors that a user can mend are one sentence; the exit code is 1."""
    try:
        app()
    except (Failure, InfraError, KernelError) as failure:
        console.print(f"[red]{failure}[/red]", highlight=False)
        sys.exit(1)
