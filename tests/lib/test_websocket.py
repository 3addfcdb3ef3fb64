"""Frames that are made once are what the server would have made of each."""

import pytest
from websockets.frames import Frame, Opcode

from lib.websocket import framed


@pytest.mark.parametrize("size", [0, 125, 126, 0xFFFF, 0x10000])
def test_a_frame_is_that_of_the_library(size: int) -> None:
    text = "x" * size
    assert framed(text) == Frame(Opcode.TEXT, text.encode()).serialize(mask=False)
    assert framed("سلام") == Frame(Opcode.TEXT, "سلام".encode()).serialize(mask=False)
