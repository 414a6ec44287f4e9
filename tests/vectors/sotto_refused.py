"""Vectors of SPEC.md section 4.4: messages of a handshake that must be refused.

Each file is about one message. Everything before it is as in ``handshake-contact.json``: who calls
whom, what each draws, and the messages. A puppet that holds every key then says something else.
"""

from collections.abc import Iterator
from typing import Final

from tests.independent.identity import LONGEST, Identity
from tests.independent.meeting import private_key
from tests.independent.primitives import XWING_CIPHERTEXT, box, modulus_of, number, v
from tests.independent.schedule import OPEN_DOOR, Caps, Schedule, mac1_of
from tests.vectors.dice import Dice, drawn
from tests.vectors.sotto_links import CASES, run
from tests.vectors.sotto_people import NOW, Json, person

WENT: Final = run(CASES[0])
M1, M2, M3, M4, M5 = (message[4:] for message in WENT.messages)
GOOD: Final = WENT.schedule
HDR: Final = M2[: 1 + 2 + 32 + XWING_CIPHERTEXT]
ALICE, BOB, CAROL = person("alice"), person("bob"), person("carol")
CAPS: Final = Caps().write()
Cases = Iterator[tuple[str, bytes]]


def signed(who: Identity, label: str, *fields: bytes) -> bytes:
    """A signature of anybody over anything."""
    return Dice(salts=[drawn(f"salt {label} {fields!r}")]).sign(who.signing, label, *fields)


def wrapped(whom: Identity, label: str, th: bytes, m: bytes) -> bytes:
    """An OAEP ciphertext to anybody of anything."""
    return Dice(seeds=[drawn(f"seed {label} {m!r}")]).oaep(modulus_of(whom.exchange), label, th, m)


def expired(name: str) -> Identity:
    """Somebody whose exchange key has expired."""
    keys = private_key(name, "signing"), private_key(name, "exchange")
    return Identity(*keys, NOW - LONGEST - 2 * 86400, Dice(salts=[drawn(f"expired {name}")]))


def forged(who: Identity) -> bytes:
    """A bundle in which one bit of the signature is turned."""
    return who.bundle[:-1] + bytes((who.bundle[-1] ^ 1,))


def bad_caps() -> Cases:
    """Capabilities that neither side takes over a direct link."""
    yield "caps: versions 2 to 3", Caps(least=2, most=3).write()
    yield "caps: versions 0 to 0", Caps(least=0, most=0).write()
    yield "caps: a relay", Caps(relay=drawn("relay")).write()
    yield "caps: a relay of 5 bytes", Caps(relay=b"relay").write()
    yield "caps: a byte left over", CAPS + b"\0"
    yield "caps: a byte missing", CAPS[:-1]
    yield "caps: empty", b""


def m1(
    suites: bytes = b"\0\1",
    solution: bytes = b"",
    key: bytes = BOB.fingerprint,
    start: bytes = b"\x01",
    end: bytes = b"",
) -> bytes:
    """An M1 with a mac1 that holds."""
    before = start + v(suites) + M1[5 : 5 + 32 + 1216 + 16] + v(solution) + end
    return before + mac1_of(key, before)


def refused_m1() -> Cases:
    """To bob, whose door is closed and who is not busy."""
    yield "version 2", m1(start=b"\x02")
    yield "no suite", m1(suites=b"")
    yield "half a suite", m1(suites=b"\0\1\0")
    yield "17 suites", m1(suites=b"\0\1" * 17)
    yield "unknown suites only", m1(suites=b"\0\2\xff\xff")
    yield "a solution that nobody asked for", m1(solution=bytes(8))
    yield "a solution of 3 bytes", m1(solution=bytes(3))
    yield "open door", m1(key=OPEN_DOOR)
    yield "to somebody else", m1(key=CAROL.fingerprint)
    yield "a byte left over", m1(end=b"\0")
    yield "a byte left over at the end", M1 + b"\0"
    yield "a byte missing", M1[:-1]
    yield "empty", b""
    mlkem, curve = slice(37, 37 + 1184), slice(37 + 1184, 37 + 1216)
    for what, place, value in [
        ("an ML-KEM coefficient outside the modulus", mlkem, b"\xff\xff" + M1[39 : 37 + 1184]),
        ("an X25519 key of low order", curve, bytes(32)),
    ]:
        start = bytearray(M1[:-16])
        start[place] = value
        yield what, bytes(start) + mac1_of(BOB.fingerprint, bytes(start))


def m2(bundle: bytes = BOB.bundle, caps: bytes = CAPS, hdr: bytes = HDR, end: bytes = b"") -> bytes:
    """An M2 whose box opens."""
    s = Schedule(M1, hdr, GOOD.ss)
    return hdr + v(box(s.hs0, "r0", s.th1, v(bundle) + v(caps) + end))


def refused_m2() -> Cases:
    """To alice, who dialled bob."""
    yield "version 2", m2(hdr=b"\x02" + HDR[1:])
    yield "suite 2", m2(hdr=HDR[:1] + b"\0\2" + HDR[3:])
    yield "suite 0", m2(hdr=HDR[:1] + b"\0\0" + HDR[3:])
    yield "an X25519 ciphertext of low order", m2(hdr=HDR[:-32] + bytes(32))
    yield "another nonce than in the transcript", HDR[:3] + bytes(32) + M2[35:]
    yield "one bit of the box", M2[:-1] + bytes((M2[-1] ^ 1,))
    yield "an empty box", HDR + v(b"")
    yield "a byte left over in the box", m2(end=b"\0")
    yield "a byte left over", M2 + b"\0"
    yield "a byte missing", M2[:-1]
    yield "somebody else", m2(CAROL.bundle)
    yield "alice herself", m2(ALICE.bundle)
    yield "nobody", m2(b"")
    yield "an exchange key that has expired", m2(expired("bob").bundle)
    yield "a forged certificate", m2(forged(BOB))
    yield "caps: an invite proof", m2(caps=Caps(proof=drawn("proof")).write())
    yield "caps: continues", m2(caps=Caps(continues=drawn("continues")).write())
    for why, caps in bad_caps():
        yield why, m2(caps=caps)


def m3(
    who: Identity = ALICE,
    caps: bytes = CAPS,
    *,
    label: str = "link I",
    whom: bytes = BOB.fingerprint,
    signer: Identity = ALICE,
    bundle: bytes | None = None,
    sig: bytes | None = None,
    oaep: bytes | None = None,
    end: bytes = b"",
) -> bytes:
    """An M3 whose boxes open, unless the OAEP ciphertext is not what it should be."""
    s = Schedule(M1, HDR, GOOD.ss)
    s.after_box0(GOOD.box0)
    boxa = box(s.hs0, "i0", s.th2, wrapped(BOB, "oaep I>R", s.th2, GOOD.s_i) if oaep is None else oaep)
    s.after_boxa(boxa, GOOD.s_i)
    bundle = who.bundle if bundle is None else bundle
    sig = signed(signer, label, s.th3, bundle, caps, whom) if sig is None else sig
    return v(boxa) + v(box(s.hs1, "i1", s.th3, v(bundle) + v(caps) + v(sig) + end))


def refused_m3() -> Cases:
    """To bob, who is no relay."""
    yield "one bit of the first box", M3[:2] + bytes((M3[2] ^ 1,)) + M3[3:]
    yield "one bit of the second box", M3[:-1] + bytes((M3[-1] ^ 1,))
    yield "a byte left over", M3 + b"\0"
    yield "a byte missing", M3[:-1]
    yield "OAEP label of the other direction", m3(oaep=wrapped(BOB, "oaep R>I", GOOD.th2, GOOD.s_i))
    yield "OAEP label with another transcript", m3(oaep=wrapped(BOB, "oaep I>R", GOOD.th1, GOOD.s_i))
    yield "OAEP to somebody else", m3(oaep=wrapped(CAROL, "oaep I>R", GOOD.th2, GOOD.s_i))
    yield "OAEP of 31 bytes", m3(oaep=wrapped(BOB, "oaep I>R", GOOD.th2, GOOD.s_i[:31]))
    yield "OAEP ciphertext a byte short", m3(oaep=GOOD.oaep_i[:-1])
    yield "OAEP ciphertext not below the modulus", m3(oaep=b"\xff" * 384)
    yield "no OAEP ciphertext", m3(oaep=b"")
    yield "a byte left over in the second box", m3(end=b"\0")
    yield "signed by somebody else", m3(signer=CAROL)
    yield "signed for somebody else", m3(whom=CAROL.fingerprint)
    yield "the other label", m3(label="link R")
    yield "another signature", m3(sig=GOOD.sig_r)
    yield "no signature", m3(sig=b"")
    yield "bob himself", m3(BOB, signer=BOB)
    yield "an exchange key that has expired", m3(expired("alice"))
    yield "a forged certificate", m3(bundle=forged(ALICE))
    yield "anonymous", m3(bundle=b"", sig=b"")
    for why, caps in bad_caps():
        yield why, m3(caps=caps)


def m4(
    *,
    label: str = "link R",
    me: bytes = BOB.fingerprint,
    you: bytes = ALICE.fingerprint,
    signer: Identity = BOB,
    ct: bytes = GOOD.oaep_r,
    end: bytes = b"",
) -> bytes:
    """An M4 whose box opens and whose fin_R holds, unless ct is not what it should be."""
    s = Schedule(M1, HDR, GOOD.ss)
    s.after_box0(GOOD.box0)
    s.after_boxa(GOOD.boxa, GOOD.s_i)
    s.after_boxb(GOOD.boxb)
    boxc = box(s.hs1, "r1", s.th4, v(ct) + v(signed(signer, label, s.th4, ct, me, you)) + end)
    s.after_boxc(boxc, GOOD.s_r)
    return v(boxc) + s.fin_r


def refused_m4() -> Cases:
    """To alice."""
    yield "one bit of the box", M4[:2] + bytes((M4[2] ^ 1,)) + M4[3:]
    yield "one bit of fin_R", M4[:-1] + bytes((M4[-1] ^ 1,))
    yield "a byte left over", M4 + b"\0"
    yield "a byte missing", M4[:-1]
    yield "a byte left over in the box", m4(end=b"\0")
    yield "signed by somebody else", m4(signer=CAROL)
    yield "signed as somebody else", m4(me=CAROL.fingerprint)
    yield "signed for somebody else", m4(you=CAROL.fingerprint)
    yield "signed for nobody", m4(you=b"")
    yield "the other label", m4(label="link I")
    yield "OAEP label of the other direction", m4(ct=wrapped(ALICE, "oaep I>R", GOOD.th4, GOOD.s_r))
    yield "OAEP to somebody else", m4(ct=wrapped(CAROL, "oaep R>I", GOOD.th4, GOOD.s_r))
    yield "no OAEP ciphertext", m4(ct=b"")


def refused_m5() -> Cases:
    """To bob."""
    yield "one bit", M5[:-1] + bytes((M5[-1] ^ 1,))
    yield "fin_R", GOOD.fin_r
    yield "a byte missing", M5[:-1]
    yield "empty", b""


def heads() -> Cases:
    """The first four bytes of a stream, after which it is refused."""
    yield "M2", b"\x02" + number(100, 3)
    yield "M5", b"\x05" + number(32, 3)
    yield "RETRY", b"\x06" + number(33, 3)
    yield "a record", b"\x17" + number(272, 3)
    yield "type 0", b"\0" + number(1, 3)
    yield "HTTP", b"GET "
    yield "M1 of 1401 bytes", b"\x01" + number(1401, 3)


def good() -> Iterator[tuple[int, str, bytes]]:
    """What must be taken: other messages than those of the handshake, with nothing bad in them."""
    features = Caps(features=0xFFFFFFFF).write()
    yield 1, "an unknown suite before ours", m1(suites=b"\xff\xff\0\1")
    yield 2, "features that nobody knows", m2(caps=features)
    yield 3, "another OAEP seed and another salt", m3()
    yield 3, "features that nobody knows", m3(caps=features)
    yield 3, "versions 0 to 255", m3(caps=Caps(least=0, most=255).write())
    yield 4, "another salt", m4()
    yield 5, "the same", M5


def refused(kind: int) -> Json:
    """The file of one message."""
    cases = (refused_m1, refused_m2, refused_m3, refused_m4, refused_m5)[kind - 1]()
    return {
        "heads": [{"why": why, "head": head} for why, head in heads()] if kind == 1 else [],
        "good": [{"what": what, "message": message(kind, body)} for n, what, body in good() if n == kind],
        "refused": [{"why": why, "message": message(kind, body)} for why, body in cases],
    }


def message(kind: int, body: bytes) -> bytes:
    """A body after its head."""
    return number(kind, 1) + number(len(body), 3) + body
