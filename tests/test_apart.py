"""The tests stay apart from whoever runs them."""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from messenger.core.downloads import download_folder
from messenger.core.profiles import default_folder, others_folder
from messenger.gui import autostart
from messenger.relay.main import default_folder as default_relay
from messenger.text import catalogue


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system alone says where that is")
@pytest.mark.parametrize(
    "place_of",
    [download_folder, default_folder, others_folder, autostart._place, default_relay, catalogue._place],
)
def test_what_a_program_keeps_for_its_user_goes_elsewhere(place_of: Callable[[], str | Path]) -> None:
    assert Path(place_of()).is_relative_to(tempfile.gettempdir())
