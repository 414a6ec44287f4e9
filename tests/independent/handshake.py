"""Section 4.4: the handshake of a link, both roles, and the channel that follows."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from tests.independent.channel import Channel, Secrets
from tests.independent.identity import BUNDLE_MAX, Bundle, Identity, read_bundle
from tests.independent.primitives import (
    HMAC,
    XWING_CIPHERTEXT,
    XWING_PUBLIC,
    Reader,
    box,
    check,
    number,
    oaep_open,
    same,
    unbox,
    v,
    verify,
    xwing_decapsulate,
    xwing_public,
)
from tests.independent.schedule import (
    CAPS_MAX,
    MOST_BITS,
    OPEN_DOOR,
    SUITE,
    SUITES_MAX,
    Caps,
    Common,
    Schedule,
    Session,
    mac1_of,
    puzzle,
    solve,
    solves,
)
from tests.independent.stream import End, Steps

M1, M2, M3, M4, M5, RETRY = 1, 2, 3, 4, 5, 6
MAXIMA: Final = {M1: 1400, M2: 3600, M3: 3600, M4: 1500, M5: 32, RETRY: 33}


class _Link(End):
    """What both roles share: `session` and `channel` are set when the handshake is done."""

    def __init__(self, common: Common) -> None:
        self.common = common
        self.session: Session | None = None
        self.channel: Channel | None = None
        super().__init__()

    def run(self) -> Steps[None]:
        """The handshake, then records."""
        self.session = yield from self.shake()
        s, chance = self.session.schedule, self.common.chance
        secrets = Secrets(s.ts_i, s.ts_r, s.rk)
        self.channel = Channel(secrets, self.session.initiator, self.out, chance, self.common.clock)
        yield from self.channel.reading()

    def shake(self) -> Steps[Session]:
        """The handshake."""
        raise NotImplementedError


@dataclass
class Dial:
    """Whom an initiator calls, and as whom.

    Attributes:
        me: None to stay anonymous.
        whom: R's fingerprint; None for the open door, where `decide` is asked.
        knock: The knock secret with R.
        secret: That of R's invite.
        continues: The exporter value of the link that this one replaces.
    """

    common: Common
    me: Identity | None
    whom: bytes | None
    knock: bytes = b""
    secret: bytes = b""
    continues: bytes = b""
    features: int = 0
    decide: Callable[[bytes], bool] = lambda _: True


class Initiator(_Link):
    """The role I."""

    def __init__(self, dial: Dial) -> None:
        self.dial = dial
        super().__init__(dial.common)

    def shake(self) -> Steps[Session]:
        """The handshake."""
        d, chance = self.dial, self.dial.common.chance
        check(d.me is not None or d.whom is not None, "anonymous at an open door")
        seed, nonce = chance.random(32), chance.random(32)
        tag = HMAC(d.knock, nonce)[:16] if d.knock else chance.random(16)
        start = b"\x01" + v(number(SUITE, 2)) + nonce + xwing_public(seed) + tag
        m1 = self._send_m1(start, b"")
        kind, body = yield from self.read_message({M2: MAXIMA[M2], RETRY: MAXIMA[RETRY]})
        retry = None
        if kind == RETRY:
            retry = (m1, body)
            reader = Reader(body)
            bits, challenge = reader.number(1), reader.take(32)
            reader.done()
            check(bits <= MOST_BITS, "a puzzle too hard")
            m1 = self._send_m1(start, solve(puzzle(challenge, m1), bits))
            kind, body = yield from self.read_message({M2: MAXIMA[M2]})
        s, peer, caps = self._read_m2(body, m1, seed, retry)
        self._send_m3(s, peer)
        _, body = yield from self.read_message({M4: MAXIMA[M4]})
        self._read_m4(body, s, peer)
        self.write_message(M5, s.fin_i)
        d.common.remember(peer)
        fp_i = d.me.fingerprint if d.me else b""
        return Session(s, fp_i, peer.fingerprint, peer, caps, initiator=True)

    def _send_m1(self, start: bytes, solution: bytes) -> bytes:
        before = start + v(solution)
        m1 = before + mac1_of(self.dial.whom or OPEN_DOOR, before)
        self.write_message(M1, m1)
        return m1

    def _read_m2(
        self, body: bytes, m1: bytes, seed: bytes, retry: tuple[bytes, bytes] | None
    ) -> tuple[Schedule, Bundle, Caps]:
        d, reader = self.dial, Reader(body)
        check(reader.number(1) == 1, "version")
        check(reader.number(2) == SUITE, "suite")
        reader.take(32)
        ct = reader.take(XWING_CIPHERTEXT)
        box0 = reader.v(MAXIMA[M2])
        reader.done()
        s = Schedule(m1, body[: -len(v(box0))], xwing_decapsulate(seed, ct), retry)
        inner = Reader(unbox(s.hs0, "r0", s.th1, box0))
        bundle, caps_r = inner.v(BUNDLE_MAX), inner.v(CAPS_MAX)
        inner.done()
        peer = read_bundle(bundle, d.common.now, d.common.newest)
        check(d.me is None or peer.fingerprint != d.me.fingerprint, "my own key")
        caps = Caps.read(caps_r, d.common.relay)
        check(not caps.proof and not caps.continues, "only the initiator may fill these")
        check(d.decide(peer.fingerprint) if d.whom is None else peer.fingerprint == d.whom, "somebody else")
        s.caps_r = caps_r
        s.after_box0(box0)
        return s, peer, caps

    def _send_m3(self, s: Schedule, peer: Bundle) -> None:
        d, chance = self.dial, self.dial.common.chance
        s_i = chance.random(32)
        s.oaep_i = chance.oaep(peer.exchange, "oaep I>R", s.th2, s_i)
        boxa = box(s.hs0, "i0", s.th2, s.oaep_i)
        s.after_boxa(boxa, s_i)
        proof = HMAC(d.secret, s.th3) if d.secret else b""
        caps = Caps(d.common.relay, d.features, proof, d.continues).write()
        bundle = d.me.bundle if d.me else b""
        sig = chance.sign(d.me.signing, "link I", s.th3, bundle, caps, peer.fingerprint) if d.me else b""
        s.caps_i, s.sig_i = caps, sig
        boxb = box(s.hs1, "i1", s.th3, v(bundle) + v(caps) + v(sig))
        s.after_boxb(boxb)
        self.write_message(M3, v(boxa) + v(boxb))

    def _read_m4(self, body: bytes, s: Schedule, peer: Bundle) -> None:
        me, reader = self.dial.me, Reader(body)
        boxc, fin_r = reader.v(MAXIMA[M4]), reader.take(32)
        reader.done()
        inner = Reader(unbox(s.hs1, "r1", s.th4, boxc))
        ct_r, sig_r = inner.v(512), inner.v(512)
        inner.done()
        fp_i = me.fingerprint if me else b""
        verify(peer.signing, "link R", sig_r, s.th4, ct_r, peer.fingerprint, fp_i)
        check(me is not None or not ct_r, "nothing to encrypt to")
        s_r = oaep_open(me.exchange, "oaep R>I", s.th4, ct_r) if me else bytes(32)
        s.oaep_r, s.sig_r = ct_r, sig_r
        s.after_boxc(boxc, s_r)
        check(same(fin_r, s.fin_r), "fin_R")


@dataclass(frozen=True)
class Guest:
    """Who asks to come in, for the decision before M4; `peer` is None if anonymous."""

    peer: Bundle | None
    caps: Caps
    th3: bytes
    open_door: bool

    def proves(self, secret: bytes) -> bool:
        """Whether this person holds the invite with this secret."""
        return same(self.caps.proof, HMAC(secret, self.th3))


@dataclass
class Host:
    """How a responder answers.

    Attributes:
        door: Whether the door is open.
        anonymous: Whether this is the listener of a relay.
        retry: The bits of the puzzle while under load.
        knocks: The knock secrets of the contacts.
        welcome: The decision about a person.
    """

    common: Common
    me: Identity
    door: bool = False
    anonymous: bool = False
    retry: int | None = None
    knocks: Collection[bytes] = ()
    welcome: Callable[[Guest], bool] = lambda _: True


class Responder(_Link):
    """The role R."""

    def __init__(self, host: Host) -> None:
        self.host, self.open_door = host, False
        super().__init__(host.common)

    def shake(self) -> Steps[Session]:
        """The handshake."""
        h = self.host
        _, m1 = yield from self.read_message({M1: MAXIMA[M1]})
        pk, nonce, tag, solution = self._read_m1(m1)
        check(not solution, "a solution to nothing")
        known = any(same(HMAC(knock, nonce)[:16], tag) for knock in h.knocks)
        retry = None
        if h.retry is not None and not known:
            challenge = h.common.chance.random(32)
            retry = (m1, number(h.retry, 1) + challenge)
            self.write_message(RETRY, retry[1])
            _, m1 = yield from self.read_message({M1: MAXIMA[M1]})
            pk, _, _, solution = self._read_m1(m1)
            check(m1[:-26] == retry[0][:-18], "another M1")
            check(solves(puzzle(challenge, retry[0]), h.retry, solution), "the solution")
        s = self._send_m2(m1, pk, retry)
        _, body = yield from self.read_message({M3: MAXIMA[M3]})
        peer, caps = self._read_m3(body, s)
        check(h.welcome(Guest(peer, caps, s.th3, self.open_door)), "not welcome")
        self._send_m4(s, peer)
        _, body = yield from self.read_message({M5: MAXIMA[M5]}, last=True)
        check(same(body, s.fin_i), "fin_I")
        h.common.remember(peer)
        fp_i = peer.fingerprint if peer else b""
        return Session(s, fp_i, h.me.fingerprint, peer, caps, initiator=False)

    def _read_m1(self, m1: bytes) -> tuple[bytes, bytes, bytes, bytes]:
        before, mac1 = m1[:-16], m1[-16:]
        dialled = same(mac1, mac1_of(self.host.me.fingerprint, before))
        self.open_door = self.host.door and same(mac1, mac1_of(OPEN_DOOR, before))
        check(dialled or self.open_door, "mac1")
        reader = Reader(before)
        check(reader.number(1) == 1, "version")
        suites = reader.v(2 * SUITES_MAX)
        check(len(suites) % 2 == 0, "suites")
        check(
            number(SUITE, 2) in [suites[at : at + 2] for at in range(0, len(suites), 2)], "no suite in common"
        )
        nonce, pk, tag, solution = reader.take(32), reader.take(XWING_PUBLIC), reader.take(16), reader.v(8)
        check(len(solution) in {0, 8}, "solution")
        reader.done()
        return pk, nonce, tag, solution

    def _send_m2(self, m1: bytes, pk: bytes, retry: tuple[bytes, bytes] | None) -> Schedule:
        h = self.host
        nonce = h.common.chance.random(32)
        ct, ss = h.common.chance.encapsulate(pk)
        hdr = b"\x01" + number(SUITE, 2) + nonce + ct
        s = Schedule(m1, hdr, ss, retry)
        s.caps_r = Caps(h.common.relay).write()
        box0 = box(s.hs0, "r0", s.th1, v(h.me.bundle) + v(s.caps_r))
        s.after_box0(box0)
        self.write_message(M2, hdr + v(box0))
        return s

    def _read_m3(self, body: bytes, s: Schedule) -> tuple[Bundle | None, Caps]:
        h, reader = self.host, Reader(body)
        boxa, boxb = reader.v(MAXIMA[M3]), reader.v(MAXIMA[M3])
        reader.done()
        s.oaep_i = unbox(s.hs0, "i0", s.th2, boxa)
        s.after_boxa(boxa, oaep_open(h.me.exchange, "oaep I>R", s.th2, s.oaep_i))
        inner = Reader(unbox(s.hs1, "i1", s.th3, boxb))
        bundle, caps_i, sig = inner.v(BUNDLE_MAX), inner.v(CAPS_MAX), inner.v(512)
        inner.done()
        caps = Caps.read(caps_i, h.common.relay)
        s.caps_i, s.sig_i = caps_i, sig
        s.after_boxb(boxb)
        check(h.anonymous == (not bundle), "the wrong listener")
        if h.anonymous:
            check(not (sig or caps.proof or caps.continues or self.open_door), "anonymous")
            return None, caps
        peer = read_bundle(bundle, h.common.now, h.common.newest)
        check(peer.fingerprint != h.me.fingerprint, "my own key")
        verify(peer.signing, "link I", sig, s.th3, bundle, caps_i, h.me.fingerprint)
        return peer, caps

    def _send_m4(self, s: Schedule, peer: Bundle | None) -> None:
        h, chance = self.host, self.host.common.chance
        s_r = chance.random(32) if peer else bytes(32)
        ct = chance.oaep(peer.exchange, "oaep R>I", s.th4, s_r) if peer else b""
        sig = chance.sign(
            h.me.signing, "link R", s.th4, ct, h.me.fingerprint, peer.fingerprint if peer else b""
        )
        boxc = box(s.hs1, "r1", s.th4, v(ct) + v(sig))
        s.oaep_r, s.sig_r = ct, sig
        s.after_boxc(boxc, s_r)
        self.write_message(M4, v(boxc) + s.fin_r)
