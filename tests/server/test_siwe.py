from __future__ import annotations

import string
from datetime import datetime
from typing import Any

import msgspec
import pytest
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from server.siwe import InvalidMessage, SignInMessage, parse, render
from server.siwe_grammar import unix_ms_of

# The example of the EIP itself, with a checksummed address and a longer nonce.
FULL = """https://example.com:3388 wants you to sign in with your Ethereum account:
0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2

I accept the ExampleOrg Terms of Service: https://example.com/tos

URI: https://example.com/login
Version: 1
Chain ID: 1
Nonce: 32891756abcd
Issued At: 2021-09-30T16:25:24Z
Expiration Time: 2021-09-30T16:35:24.500+02:00
Not Before: 2021-09-30T16:25:24-00:00
Request ID: some-request%20id
Resources:
- ipfs://bafybeiemxf5abjwjbikoz4mc3a3dla6ual3jsgpdr4cjr3oz3evfyavhwq/
- https://example.com/my-web2-claim.json?a=b#c"""

LEAST = """localhost wants you to sign in with your Ethereum account:
0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2


URI: http://localhost/login
Version: 1
Chain ID: 31337
Nonce: abcdefgh
Issued At: 2021-09-30T16:25:24Z"""

LINES = FULL.split("\n")


def with_line(number: int, text: str) -> str:
    return "\n".join([*LINES[:number], text, *LINES[number + 1 :]])


def test_the_eips_example_is_read_to_the_letter() -> None:
    message = parse(FULL)
    assert message == SignInMessage(
        scheme="https",
        domain="example.com:3388",
        address="0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2",
        statement="I accept the ExampleOrg Terms of Service: https://example.com/tos",
        uri="https://example.com/login",
        chain_id=1,
        nonce="32891756abcd",
        issued_at="2021-09-30T16:25:24Z",
        expiration_time="2021-09-30T16:35:24.500+02:00",
        not_before="2021-09-30T16:25:24-00:00",
        request_id="some-request%20id",
        resources=(
            "ipfs://bafybeiemxf5abjwjbikoz4mc3a3dla6ual3jsgpdr4cjr3oz3evfyavhwq/",
            "https://example.com/my-web2-claim.json?a=b#c",
        ),
    )
    assert render(message) == FULL
    assert message.issued_ms == message.not_before_ms == 1_633_019_124_000
    assert message.expires_ms == 1_633_019_724_500 - 2 * 3_600_000


def test_all_that_may_be_left_out_may_be_left_out() -> None:
    message = parse(LEAST)
    assert (message.scheme, message.statement, message.resources) == (None, None, None)
    assert message.expires_ms is None
    assert render(message) == LEAST
    assert parse(LEAST + "\nRequest ID: ").request_id == ""
    assert parse(LEAST + "\nResources:").resources == ()


ODD = "é\u0430\u2028\x00\x85\ufeff"


@pytest.mark.parametrize(
    ("text", "others"), [(FULL, "aA0Z -:/%.[\n" + ODD), (LEAST, string.printable + ODD)]
)
def test_a_changed_character_is_refused_or_means_something_else(text: str, others: str) -> None:
    meant = parse(text)
    mutants = {
        text[:place] + other + text[after:]
        for place in range(len(text) + 1)
        for after in (place, place + 1)
        for other in ["", *others]
    } - {text}
    accepted = 0
    for mutant in mutants:
        try:
            found = parse(mutant)
        except InvalidMessage:
            continue
        accepted += 1
        assert found != meant, mutant
        assert render(found) == mutant
    assert accepted, "some mutants are messages, too"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "line 1"),
        ("x" * 5_000, "4096 characters"),
        (FULL.replace("\n", "\r\n"), "line 1"),
        (FULL + "\n", "line 17.*URI"),
        (FULL + " ", "line 16"),
        ("\n" + FULL, "line 1"),
        (LEAST + "\n", "line 10: expected nothing more"),
        (LEAST + "\nChain ID: 1", "nothing more"),
        (with_line(0, LINES[0].replace("example.com", "us@example.com")), "line 1"),
        (with_line(0, LINES[0].replace("example.com", "ex\u0430mple.com")), "line 1"),  # cyrillic
        (with_line(0, LINES[0].replace("example.com", "example.com/path")), "line 1"),
        (with_line(0, LINES[0].replace("3388", "65536")), "line 1"),
        (with_line(0, LINES[0].replace("example.com:3388", "")), "line 1"),
        (with_line(0, LINES[0].replace("example.com:3388", "[::1::]")), "line 1"),
        (with_line(0, LINES[0].replace("https", "1https")), "line 1"),
        (with_line(0, LINES[0] + " "), "line 1"),
        (with_line(1, LINES[1].lower()), "EIP-55"),
        (with_line(1, LINES[1].upper()), "EIP-55"),
        (with_line(1, LINES[1][:-1]), "EIP-55"),
        (with_line(1, LINES[1][2:]), "EIP-55"),
        (with_line(3, "a\nb"), "empty line"),
        (with_line(3, 'who said "yes"'), "statement"),
        (with_line(3, "tab\there"), "statement"),
        (with_line(5, "URI: example.com/login"), "URI"),
        (with_line(5, "URI: https://example.com/a b"), "URI"),
        (with_line(5, "URI: https://example.com/%zz"), "URI"),
        (with_line(5, "URI:https://example.com/"), "URI"),
        (with_line(6, "Version: 2"), "Version"),
        (with_line(7, "Chain ID: 0"), "Chain ID"),
        (with_line(7, "Chain ID: 01"), "Chain ID"),
        (with_line(7, "Chain ID: \u0661"), "Chain ID"),  # an arabic digit
        (with_line(7, "Chain ID: " + "1" * 19), "Chain ID"),
        (with_line(8, "Nonce: abc4567"), "8 to 128"),
        (with_line(8, "Nonce: abcd-efgh"), "8 to 128"),
        (with_line(9, "Issued At: 2021-09-30 16:25:24Z"), "RFC 3339"),
        (with_line(9, "Issued At: 2021-09-30T16:25:24"), "RFC 3339"),
        (with_line(9, "Issued At: 2021-02-30T16:25:24Z"), "RFC 3339"),
        (with_line(9, "Issued At: 2021-09-30T16:25:60Z"), "RFC 3339"),
        (with_line(9, "Issued At: 2021-09-30T24:00:00Z"), "RFC 3339"),
        (with_line(9, "Issued At: 2021-09-30T16:25:24.Z"), "RFC 3339"),
        (with_line(9, "Issued At: 2021-09-30T16:25:24+24:00"), "RFC 3339"),
        (with_line(9, "Issued At: 0000-09-30T16:25:24Z"), "RFC 3339"),
        (with_line(12, "Request ID: a b"), "Request ID"),
        (with_line(13, "Resources: "), "Resources"),
        (with_line(14, "-  https://example.com"), "URI"),
        (with_line(14, "https://example.com"), "URI"),
        ("\n".join([*LINES[:8], LINES[9], LINES[8], *LINES[10:]]), "Nonce"),
        ("\n".join([*LINES[:9], LINES[8], *LINES[9:]]), "Issued At"),
    ],
)
def test_anything_else_is_refused_with_the_line_and_what_was_expected(
    text: str, reason: str
) -> None:
    with pytest.raises(InvalidMessage, match=f"(?s){reason}"):
        parse(text)


def test_a_refusal_is_short_whatever_was_sent() -> None:
    with pytest.raises(InvalidMessage) as caught:
        parse(with_line(3, "\x1b" * 3_000))
    assert len(str(caught.value)) < 400
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"statement": "yes\n\nURI: https://evil.example"},
        {"statement": ""},
        {"domain": "example.com wants you to sign in with your Ethereum account:\n0x"},
        {"nonce": "abcdefgh\nIssued At: 2021-09-30T16:25:24Z"},
        {"request_id": "a\nResources:"},
        {"resources": ("https://a\n- https://b",)},
        {"chain_id": -1},
        {"address": "0x" + "a" * 40},
    ],
)
def test_no_field_writes_a_line_of_its_own(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidMessage):
        render(msgspec.structs.replace(parse(FULL), **changes))


names = st.from_regex(r"\A[a-z0-9-]{1,12}(\.[a-z]{1,6}){0,2}\Z")
domains = st.builds(
    lambda host, port: f"{host}{port}", names, st.sampled_from(["", ":80", ":8600"])
)
uris = st.builds(
    lambda scheme, host, path, query: f"{scheme}://{host}{path}{query}",
    st.sampled_from(["https", "http", "ipfs", "a+b.c-1"]),
    domains,
    st.from_regex(r"\A(/[A-Za-z0-9%-]{0,8}){0,3}\Z").filter(lambda path: "%" not in path),
    st.sampled_from(["", "?a=b", "#c", "?x/y?z#/?"]),
)
times = st.builds(
    lambda at, tail: at.strftime("%Y-%m-%dT%H:%M:%S") + tail,
    st.datetimes(min_value=datetime(1000, 1, 1)),
    st.sampled_from(["Z", "z", ".1Z", ".123456789+05:30", "-23:59"]),
)
statements = st.text(
    alphabet=string.ascii_letters + string.digits + " -._~:/?#[]@!$&'()*+,;=", min_size=1
)
messages = st.builds(
    SignInMessage,
    scheme=st.none() | st.sampled_from(["http", "https"]),
    domain=domains,
    address=st.binary(min_size=20, max_size=20).map(lambda raw: to_checksum_address(raw)),
    statement=st.none() | statements,
    uri=uris,
    chain_id=st.integers(1, 10**18 - 1),
    nonce=st.text(alphabet=string.ascii_letters + string.digits, min_size=8, max_size=40),
    issued_at=times,
    expiration_time=st.none() | times,
    not_before=st.none() | times,
    request_id=st.none() | st.from_regex(r"\A[A-Za-z0-9:@-]{0,20}\Z"),
    resources=st.none() | st.lists(uris, max_size=4).map(tuple),
)


@given(messages)
def test_what_is_written_is_read_back(message: SignInMessage) -> None:
    assert parse(render(message)) == message


@given(st.text(max_size=300) | st.lists(st.sampled_from(LINES), max_size=20).map("\n".join))
def test_any_text_is_a_message_or_refused_and_nothing_else(text: str) -> None:
    try:
        message = parse(text)
    except InvalidMessage:
        return
    assert render(message) == text


@given(messages, messages)
def test_two_messages_never_share_a_text(one: SignInMessage, other: SignInMessage) -> None:
    assert (render(one) == render(other)) == (one == other)


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.0019Z", 1),
        ("1969-12-31T23:59:59.999Z", -1),
        ("1970-01-01T02:00:00+02:00", 0),
        ("0001-01-01T00:00:00+23:59", -62_135_683_140_000),
        ("9999-12-31T23:59:59.999999999-23:59", 253_402_387_139_999),
    ],
)
def test_times_are_unix_milliseconds(text: str, ms: int) -> None:
    assert unix_ms_of(text) == ms
