"""Vectors of SPEC.md section 11: links of relays."""

from tests.independent.relay_links import PREFIX, RelayLink, checked, write_relay_link
from tests.vectors.dice import drawn
from tests.vectors.sotto_people import Json


def relay_links() -> Json:
    """Links, and what is no link."""
    fp = drawn("fingerprint of a relay")
    good = {
        "no address": (),
        "one address": (b"relay.example:42000",),
        "several": (b"192.0.2.7:1", b"[2001:db8::7]:65535", b"[fe80::1]:42000"),
        "eight": tuple(f"10.0.0.{last}:42000".encode() for last in range(8)),
    }
    one, start = write_relay_link(RelayLink(fp, good["one address"])), b"\x01" + fp
    body = one[len(PREFIX) :]
    refused = {
        "version 2": checked(b"\x02" + fp + b"\0"),
        "one letter differs": PREFIX + body[:40] + ("B" if body[40] == "A" else "A") + body[41:],
        "a letter missing": one[:-1],
        "a byte left over": checked(start + b"\0\0"),
        "an address is missing": checked(start + b"\x01"),
        "an address is cut short": checked(start + b"\x01\x09127.0.0"),
        "nine addresses": checked(start + b"\x09" + b"\x0810.0.0.1" * 9),
        "port 0": checked(start + b"\x01\x0b127.0.0.1:0"),
        "an empty address": checked(start + b"\x01\x00"),
        "not ASCII": checked(start + b"\x01\x05\xc3\xa9x:1"),
        "the link of a person": "sotto://invite/" + body,
        "nothing": PREFIX,
        "padding": one + "=",
        "more than 1024 characters": checked(start + b"\x04" + (b"\xfa" + b"a" * 248 + b":1") * 4),
    }
    links = []
    for what, told in good.items():
        link = write_relay_link(RelayLink(fp, told))
        links.append({"what": what, "fingerprint": fp, "addresses": list(told), "link": link})
    return {"good": links, "refused": [{"why": why, "link": link} for why, link in refused.items()]}
