"""The verbs. `samsyn --help` teaches; every command takes `--json`."""

from __future__ import annotations

from typing import Final

import click

from samsyn import __version__
from samsyn.cli.language import Group, lang_option

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


COMMANDS: Final = {
    "init": "samsyn.cli.node:init",
    "up": "samsyn.cli.node:up",
    "demo": "samsyn.cli.demo:demo",
    "feed": "samsyn.cli.feed:feed",
    "look": "samsyn.cli.look:look",
    "export": "samsyn.cli.export:export",
    "replay": "samsyn.cli.replay:replay",
    "import": "samsyn.cli.imports:import_",
    "partner": "samsyn.cli.partner:partner",
    "reader": "samsyn.cli.reader:reader",
    "keys": "samsyn.cli.keys:keys",
    "policy": "samsyn.cli.policy:policy",
    "zones": "samsyn.cli.zones:zones",
    "channel": "samsyn.cli.channel:channel",
    "say": "samsyn.cli.say:say",
    "statements": "samsyn.cli.say:statements",
    "withdraw": "samsyn.cli.say:withdraw",
    "attachment": "samsyn.cli.attachment:attachment",
    "explain": "samsyn.cli.say:explain",
    "request": "samsyn.cli.ask:request",
    "consent": "samsyn.cli.ask:consent",
    "notices": "samsyn.cli.ask:notices",
    "view": "samsyn.cli.view:view",
    "verify": "samsyn.cli.node:verify",
    "released": "samsyn.cli.audit:released",
    "log": "samsyn.cli.audit:log_command",
    "evidence": "samsyn.cli.evidence:evidence",
    "exercise": "samsyn.cli.exercise:exercise",
    "user": "samsyn.cli.node:user",
}
"""By name, where each is: read in only when it is asked for, as each brings what it needs."""


@click.group(
    cls=Group, later=COMMANDS, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]}
)
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
