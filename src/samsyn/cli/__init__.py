"""The verbs. `samsyn --help` teaches; every command takes `--json`."""

from __future__ import annotations

import click

from samsyn import __version__
from samsyn.cli.ask import consent, notices, request
from samsyn.cli.attachment import attachment
from samsyn.cli.audit import log_command, released
from samsyn.cli.channel import channel
from samsyn.cli.demo import demo
from samsyn.cli.evidence import evidence
from samsyn.cli.exercise import exercise
from samsyn.cli.export import export
from samsyn.cli.feed import feed
from samsyn.cli.imports import import_
from samsyn.cli.keys import keys
from samsyn.cli.language import Group, lang_option
from samsyn.cli.look import look
from samsyn.cli.node import init, up, user, verify
from samsyn.cli.partner import partner
from samsyn.cli.policy import policy
from samsyn.cli.reader import reader
from samsyn.cli.replay import replay
from samsyn.cli.say import explain, say, statements, withdraw
from samsyn.cli.view import view
from samsyn.cli.zones import zones

EPILOG = """\b
A first walk, one node alone:
  samsyn init --home my-node --name dk --organisation "Coast Watch"
  samsyn feed try RECORDING            what is in this file?
  samsyn up --home my-node             run it, open the picture it names

\b
Two partners:
  samsyn partner card --home my-node   give this file to your partner, by hand
  samsyn partner add THEIR.card.json   compare the words by telephone first
  edit my-node/policy.toml             nothing leaves before a rule says so

\b
Everything at once, three nodes, nothing to set up:
  samsyn demo
"""


@click.group(cls=Group, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@lang_option
@click.version_option(
    __version__,
    prog_name="samsyn",
    message="%(prog)s %(version)s",
    help="Show the version and exit.",
)
def main() -> None:
    """Samsyn: the node of a security network.

    You run your own node. It watches your feeds, signs what you choose to say, and releases it to
    each partner as your policy says: nothing leaves without a rule.
    """


for command in (
    init,
    up,
    demo,
    feed,
    look,
    export,
    replay,
    import_,
    partner,
    reader,
    keys,
    policy,
    zones,
    channel,
    say,
    statements,
    withdraw,
    attachment,
    explain,
    request,
    consent,
    notices,
    view,
    verify,
    released,
    log_command,
    evidence,
    exercise,
    user,
):
    main.add_command(command)
