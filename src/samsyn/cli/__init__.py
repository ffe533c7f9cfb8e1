"""The verbs. `samsyn --help` teaches; every command takes `--json`."""

from __future__ import annotations

from typing import Final

import click

from samsyn import __version__
from samsyn.cli.language import Group, Later, lang_option

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
    "init": Later(
        "samsyn.cli.node:init",
        "Make a home folder: settings, keys, a policy that releases nothing.",
    ),
    "up": Later("samsyn.cli.node:up", "Run the node until Ctrl-C (or SIGTERM)."),
    "demo": Later(
        "samsyn.cli.demo:demo",
        "Three nodes on this machine: they watch, sign, release and show, in the exercise realm.",
    ),
    "feed": Later("samsyn.cli.feed:feed", "Feeds: sources of observations."),
    "look": Later("samsyn.cli.look:look", "What was kept: look back at it."),
    "export": Later("samsyn.cli.export:export", "Files for other programs."),
    "replay": Later(
        "samsyn.cli.replay:replay",
        "Play a recording, or a period that was kept, into a running node, in its exercise realm.",
    ),
    "import": Later(
        "samsyn.cli.imports:import_",
        "Take in what other systems hold: STIX bundles, MISP's JSON, TAXII collections.",
    ),
    "partner": Later(
        "samsyn.cli.partner:partner",
        "Partners: who they are is agreed by hand, never found on the net.",
    ),
    "reader": Later(
        "samsyn.cli.reader:reader",
        "Readers without a node: a map server, a threat platform, a script.",
    ),
    "keys": Later(
        "samsyn.cli.keys:keys",
        "Our own keys: what they signed stays valid when new ones take their place.",
    ),
    "policy": Later("samsyn.cli.policy:policy", "Release policies: check, preview, propose, approve."),
    "zones": Later(
        "samsyn.cli.zones:zones",
        "Zones: areas to watch, harbours, fairways, and cables and pipelines on the seabed.",
    ),
    "channel": Later(
        "samsyn.cli.channel:channel",
        "Channels as files: over an air gap or a data diode, or by courier.",
    ),
    "say": Later("samsyn.cli.say:say", "Sign a report by hand."),
    "statements": Later(
        "samsyn.cli.say:statements",
        "What we hold, newest first: our own statements and our partners'.",
    ),
    "withdraw": Later(
        "samsyn.cli.say:withdraw",
        "Withdraw a statement of ours from everybody who got it.",
    ),
    "attachment": Later(
        "samsyn.cli.attachment:attachment",
        "Files that statements name: photos, plots, documents.",
    ),
    "explain": Later(
        "samsyn.cli.say:explain",
        "Which rule decided that PARTNER got, or did not get, STATEMENT; and what would have to differ.",
    ),
    "request": Later("samsyn.cli.ask:request", "Ask the originator of STATEMENT whether it may go on."),
    "consent": Later(
        "samsyn.cli.ask:consent",
        "Answer REQUEST: whether our statement may go on, to whom and how precisely.",
    ),
    "notices": Later(
        "samsyn.cli.ask:notices",
        "What a person should see to: what lost its source, and what was set aside.",
    ),
    "view": Later(
        "samsyn.cli.view:view",
        "What a partner holds of ours, as it sees it; what was left out; what it was not given and why.",
    ),
    "verify": Later(
        "samsyn.cli.node:verify",
        "Audit every log and every statement of a home, in both realms. Exit code 1 where one is wrong.",
    ),
    "released": Later(
        "samsyn.cli.audit:released",
        "What a partner was given between two times: each release, widening and withdrawal.",
    ),
    "log": Later(
        "samsyn.cli.audit:log_command",
        "The audit log: who did what here, and what was released and refused. It never leaves home.",
    ),
    "evidence": Later(
        "samsyn.cli.evidence:evidence",
        "What partners sent that was refused, as evidence that others can check.",
    ),
    "exercise": Later(
        "samsyn.cli.exercise:exercise",
        "Exercises: invented traffic whose truth is known.",
    ),
    "user": Later("samsyn.cli.node:user", "Accounts of the picture."),
}
"""By name, where each is and how its help begins: read in only when it is asked for, as each brings
what it needs."""


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
