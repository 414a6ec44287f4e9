"""What several commands take on their command line."""

from pathlib import Path
from typing import Annotated

import typer

from messenger.text import records
from messenger.text import terminal as words

Profile = Annotated[Path | None, typer.Option("--profile", metavar="DIR", help=words.OPTION_PROFILE)]
Ask = Annotated[bool, typer.Option("--ask-passphrase", help=words.OPTION_ASK)]
Json = Annotated[bool, typer.Option("--json", help=records.OPTION_JSON)]
Peer = Annotated[str, typer.Argument(metavar="PEER")]
File = Annotated[Path, typer.Argument(metavar="FILE")]
