"""Sizes of pictures by their heads, as a decoder sees them; what is cut off or lies has none."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from lib.pictures import size_of


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("PNG", {}),
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("GIF", {}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
    ],
)
@pytest.mark.parametrize("size", [(1, 1), (130, 70), (300, 4097)])
def test_the_size_is_the_decoders(kind: str, more: dict[str, bool], size: tuple[int, int]) -> None:
    file = BytesIO()
    Image.new("RGB", size, (200, 80, 20)).save(file, kind, **more)
    content = file.getvalue()
    assert size_of(content) == size
    assert all(size_of(content[:end]) in {(0, 0), size} for end in range(0, min(len(content), 700), 3))


def test_a_webp_with_transparency_says_its_size_in_its_own_head() -> None:
    file = BytesIO()
    Image.new("RGBA", (77, 5), (1, 2, 3, 4)).save(file, "WEBP", exif=b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x00")
    assert file.getvalue()[12:16] == b"VP8X" and size_of(file.getvalue()) == (77, 5)


@pytest.mark.parametrize(
    "content",
    [b"", b"<svg>", b"\xff\xd8\xff", b"\xff\xd8\xff\xe0\x00\x00" * 9, b"RIFF\x00\x00\x00\x00WEBPVP9 " + b"1" * 40],
)
def test_what_is_no_picture_has_no_size(content: bytes) -> None:
    assert size_of(content) == (0, 0)
