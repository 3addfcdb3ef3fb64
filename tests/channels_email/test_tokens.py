"""Tokens prove a ticket; nothing that we did not sign does."""

import re

import pytest
from django.test import override_settings

from channels_email import tokens


@pytest.mark.parametrize("ticket", [1, 35, 36, 1042, 10**12])
def test_a_message_id_and_a_tag_name_their_ticket_in_any_case(ticket: int) -> None:
    message_id = tokens.make_message_id(ticket, "example.com")
    assert tokens.ticket_of(message_id) == tokens.ticket_of(f"<{message_id.upper()}>") == ticket
    tag = tokens.make_tag(ticket)
    address = tokens.tagged_address("support@example.com", ticket)
    assert address is not None
    assert tokens.ticket_of(tag) == tokens.ticket_of(address.upper()) == ticket


def test_a_changed_number_or_signature_proves_nothing() -> None:
    tag = tokens.make_tag(7)
    assert tokens.ticket_of(tag.replace("t7.", "t8.")) is None
    message_id = tokens.make_message_id(7, "example.com")
    assert tokens.ticket_of(message_id.replace(".7.", ".8.")) is None
    assert not tokens.is_own_message_id(re.sub(r"[a-z2-7]{16}@", "a" * 16 + "@", message_id))


@pytest.mark.parametrize("token", ["", "t", "a@example.com", "a+news@example.com", "t1.x", "<>", "@", "+@x"])
def test_other_text_is_no_token(token: str) -> None:
    assert tokens.ticket_of(token) is None


def test_a_purpose_is_not_another() -> None:
    tag = tokens.make_tag(7)
    signature = tag.partition(".")[2]
    assert tokens.ticket_of(f"{'0' * 16}.7.{signature}@example.com") is None


def test_a_rotated_key_still_opens_old_tokens() -> None:
    tag = tokens.make_tag(7)
    new = "bmV3LWtleS1uZXcta2V5LW5ldy1rZXktbmV3LWtleS0="
    from django.conf import settings

    with override_settings(ENCRYPTION_KEYS=[new, *settings.ENCRYPTION_KEYS]):
        assert tokens.ticket_of(tag) == 7
        assert tokens.make_tag(7) != tag
    with override_settings(ENCRYPTION_KEYS=[new]):
        assert tokens.ticket_of(tag) is None


def test_an_address_too_long_for_a_tag_stays_plain() -> None:
    assert tokens.tagged_address("x" * 50 + "@example.com", 1) is None
