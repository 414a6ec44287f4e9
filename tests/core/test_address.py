"""Addresses as people type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger.core import limits
from messenger.core.address import Address, is_literal, is_near, parse_address
from messenger.core.errors import AddressError, InputProblem


@pytest.mark.parametrize(
    ("typed", "host", "port"),
    [
        ("192.168.1.5", "192.168.1.5", limits.DEFAULT_PORT),
        ("  192.168.1.5:1  ", "192.168.1.5", 1),
        ("192.168.1.5:65535", "192.168.1.5", 65535),
        ("example.org", "example.org", limits.DEFAULT_PORT),
        ("Example.ORG.:80", "example.org", 80),
        ("1.2.3.4.", "1.2.3.4", limits.DEFAULT_PORT),
        ("１２７.０.0.1:5", "127.0.0.1", 5),
        ("my_host:80", "my_host", 80),
        ("bücher.example:80", "xn--bcher-kva.example", 80),
        ("::1", "::1", limits.DEFAULT_PORT),
        ("[::1]", "::1", limits.DEFAULT_PORT),
        ("[::1]:7", "::1", 7),
        ("[FE80:0:0::1%eth0]:42001", "fe80::1%eth0", 42001),
        ("fe80::1%wlan0.5", "fe80::1%wlan0.5", limits.DEFAULT_PORT),
        ("[::ffff:10.0.0.1]:9", "::ffff:10.0.0.1", 9),
    ],
)
def test_what_people_type(typed: str, host: str, port: int) -> None:
    address = parse_address(typed)
    # Python writes mapped addresses in one of two ways, depending on its version.
    assert (address.host, address.port) in {(host, port), (host.replace("10.0.0.1", "a00:1"), port)}


def test_a_default_port_can_be_given() -> None:
    assert parse_address("host", 7).port == 7
    assert parse_address("host:8", 7).port == 8


@pytest.mark.parametrize("typed", ["", "   ", "\t\n"])
def test_nothing_typed(typed: str) -> None:
    with pytest.raises(AddressError) as caught:
        parse_address(typed)
    assert caught.value.problem is InputProblem.EMPTY


@pytest.mark.parametrize(
    "port", ["0", "65536", "99999", "100000", "-1", "+1", "1.5", "x", "", " 1", "١", "1_0", "0x10", "²"]
)
@pytest.mark.parametrize("host", ["host", "10.0.0.1", "[::1]"])
def test_no_port(host: str, port: str) -> None:
    with pytest.raises(AddressError) as caught:
        parse_address(f"{host}:{port}")
    assert caught.value.problem is InputProblem.BAD_PORT or port == " 1"


@pytest.mark.parametrize(
    "typed",
    [
        "300.1.1.1",
        "²",
        "127.1",
        "１２７.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "example.0x1",
        "1.2.3",
        "1.2.3.4.5",
        "01.2.3.4",
        "a b",
        "a..b",
        "-a",
        "a-.b",
        "a/b",
        "http://a:1",
        "user@host:1",
        "[::1",
        "[host]:1",
        "[::1]x",
        "[::1]1",
        "[10.0.0.1]:1",
        ":::",
        "1:2:3",
        "fe80::1%",
        "fe80::1%a b",
        "[fe80::1%" + "x" * 33 + "]:1",
        "x" * 64,
        ".".join(["a" * 60] * 5),
        "a\x00b",
        ".",
        ":1",
        "\ud800",
    ],
)
def test_no_address(typed: str) -> None:
    with pytest.raises(AddressError) as caught:
        parse_address(typed)
    assert caught.value.problem is InputProblem.BAD_ADDRESS


def test_what_is_shown_of_a_wrong_address_is_short() -> None:
    with pytest.raises(AddressError) as caught:
        parse_address("x" * 10_000)
    assert len(caught.value.detail) < 50


@given(
    st.one_of(
        st.ip_addresses().map(str), st.from_regex(r"[a-z][a-z0-9]{0,20}(\.[a-z]{2,5}){0,3}", fullmatch=True)
    ),
    st.integers(1, 65535),
)
def test_what_is_written_can_be_read(host: str, port: int) -> None:
    address = Address(host, port)
    assert parse_address(str(address)) == address


@given(st.one_of(st.text(max_size=400), st.text("²１٣0129.xXf:[]%/-_é。", max_size=20)))
def test_anything_typed_gives_an_address_or_an_address_error(typed: str) -> None:
    try:
        address = parse_address(typed)
    except AddressError:
        return
    assert parse_address(str(address)) == address
    assert 1 <= address.port <= 65535
    assert address.host.isascii()
    assert not set(address.host) & set(" /@[]\n\x00")


def test_literals() -> None:
    assert is_literal("10.0.0.1")
    assert is_literal("::1")
    assert is_literal("fe80::1%eth0")
    assert not is_literal("host")


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.9.9.9", "10.1.1.1", "172.16.0.1", "192.168.0.1", "169.254.1.1", "::1", "fd00::1"],
)
def test_near(host: str) -> None:
    assert is_near(host)


@pytest.mark.parametrize(
    "host", ["8.8.8.8", "172.32.0.1", "2a00::1", "::ffff:8.8.8.8", "100.64.0.1", "host", ""]
)
def test_far(host: str) -> None:
    assert not is_near(host)


def test_mapped_addresses_count_as_what_they_map() -> None:
    assert is_near("::ffff:192.168.1.1")
    assert is_near("fe80::1%eth0".partition("%")[0])
