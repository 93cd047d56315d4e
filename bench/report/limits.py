"""What physics takes, what we want, and what the peer needs, for each row.

The limit of a figure is what the raw socket beside it and the native call take together. How near a
figure comes is told as "of limit": 100 % is as fast as the wire allows.
"""
from . import rows, soft

READ = "blocking read of 4 bytes"
READ_P99 = "  its 99th percentile"
EMPTY = "empty kernel + finish"
WRITE_KERNEL_READ = "write 4 KiB + kernel + blocking read"
CREATE = "create + write + release of 4 KiB"
CREATE_MANY = "  the same, 200 and a finish, each"
MANY = "20,000 kernels + finish"
ENQUEUE_CPU = "  thread CPU of one enqueue"
COMMAND_CPU = "  CPU of one command, both sides"
COLD = "program of ten kernels, cold"
WARM = "program of ten kernels, in a second session"
SET_UP = "session set-up: platforms and devices"
CONTEXT = "first context, queue and finish"
CLINFO = "clinfo"
CLINFO_TRIPS = "  its round trips"

DIRECT = ("unix", "tcp", "tls")
PEER_LINK = "peer"  # its own figures, where it is measured beside ours
ONE_TRIP = (READ, EMPTY, WRITE_KERNEL_READ, CONTEXT, COLD)
NO_LIMIT = (READ_P99, CLINFO_TRIPS)
COMPUTE_BOUND = ("hashcat", "microscopy", "clpeak")
# How many share one round trip: as in bench/figures.
CHAIN_LINKS, TOGETHER, COMMANDS = 1000, 200, 20_000
FAR_US = 500  # a round trip from here on can be told from the rest

# PoCL's remote driver, measured in one run with raw ping-pong and native (../shared/PEERS.md, the
# table): what part of the limit it reached on loopback TCP.
_PING_PONG_US = 12.2
PEER = {
    ("tcp", READ): (_PING_PONG_US + 15.5) / 122,
    ("tcp", EMPTY): (_PING_PONG_US + 18) / 111,
    ("tcp", WRITE_KERNEL_READ): (_PING_PONG_US + 24) / 44_000,
    ("tcp", CREATE): 16 / 252,
    ("tcp", MANY): 4_700 / 457_000,
    ("tcp", "chain of 1,000, per link: out-of-order queue"): 1.6 / 128,
    ("tcp", "chain of 1,000, per link: two queues"): 1.8 / 134,
    ("tcp", COLD): (0.25e6 + _PING_PONG_US) / 1.125e6,
    ("tcp", "write, 4 KiB"): 19.5 / 278,
    ("tcp", "write, 64 KiB"): 478 / 1660,
    ("tcp", "write, 1 MiB"): 3349 / 6507,
    ("tcp", "write, 16 MiB"): 1855 / 2943,
    ("tcp", "write, 256 MiB"): 703 / 2868,
    ("tcp", "read, 4 KiB"): 0.1 / 278,
    ("tcp", "read, 64 KiB"): 399 / 1660,
    ("tcp", "read, 1 MiB"): 2257 / 6507,
    ("tcp", "read, 16 MiB"): 2050 / 2943,
    ("tcp", "read, 256 MiB"): 585 / 2868,
    ("1 ms", MANY): 706 / 457_000,
    ("1 ms", WRITE_KERNEL_READ): 1_000 / 3_800,
}


def limit(results, row):
    """The best that this figure can be, in its unit, or None where there is nothing to hold.
    Kernels on the soft CUDA device are held against PoCL's, which they may well surpass."""
    if row.group == soft.GROUP:
        return None if row.link == soft.POCL else results.median(row.name, soft.POCL)
    if row.link == "native" or row.name in NO_LIMIT:
        return None
    if row.group == "transfers":
        return results.raw_rate(row.name, row.link)
    native = results.median(row.name, "native")
    trip = results.ping_pong_us(row.link)
    if native is None:
        return None
    share = trips(row.name)
    if not share:
        return native
    if trip is None:
        return None
    if row.is_rate:  # the same work, and a round trip at its end
        return 1e6 / (1e6 / native + trip * share)
    return native + trip * share


def trips(name):
    """What part of a round trip a figure cannot do without."""
    if name in ONE_TRIP:
        return 1
    if name.startswith("chain"):
        return 1 / CHAIN_LINKS
    return {CREATE_MANY: 1 / TOGETHER, MANY: 1 / COMMANDS}.get(name, 0)


def of_limit(results, row):
    """1.0 where the figure is at its limit, less where it is worse."""
    best = limit(results, row)
    if not best or not row.median:
        return None
    return row.median / best if row.is_rate else best / row.median


def peer(row):
    return PEER.get((row.link, row.name))


def _at_most(bound, what, row):
    return (f"<= {what}", row.median <= bound) if bound is not None else None


def _at_least(bound, what, row):
    return (f">= {what}", row.median >= bound) if bound is not None else None


def _no_round_trip(trip, row):
    if trip is None or trip < FAR_US:
        return None
    return "no round trip", row.median <= trip / 2


def _times(factor, value):
    return None if value is None else factor * value


def _plus(value, more):
    return None if value is None else value + more


def _latency(results, row):
    trip, best = results.ping_pong_us(row.link), limit(results, row)
    if row.name == READ and row.link == "tcp":
        return _at_most(_times(1.5, best), "1.5 x limit", row)
    if row.name == READ and row.link == "tls":
        return _at_most(_times(1.3 * 1.5, best), "1.95 x limit", row)
    if row.name == READ_P99 and row.link == "tcp":
        return _at_most(_times(4, results.median(READ, row.link)), "4 x median", row)
    if row.name == WRITE_KERNEL_READ and row.link == "1 ms":
        return _at_most(_times(1.1, trip), "1.1 round trips", row)
    if row.name in (CREATE, CREATE_MANY):
        return _no_round_trip(trip, row)
    return None


def _throughput(results, row):
    if row.name == MANY and row.link == "1 ms":
        return _at_least(_times(0.9, results.median(MANY, "proxy")), "0.9 x proxy", row)
    if row.link not in DIRECT:
        return None
    return {MANY: _at_least(200_000, "200,000/s", row) if row.link == "tcp" else None,
            ENQUEUE_CPU: _at_most(0.5, "0.5 us", row),
            COMMAND_CPU: _at_most(5, "5 us", row)}.get(row.name)


def _chains(results, row):
    if row.link not in DIRECT:
        return _no_round_trip(results.ping_pong_us(row.link), row)
    return _at_most(_times(3, results.median(row.name, "native")), "3 x native", row)


def _transfers(results, row):
    size = rows.size_bytes(row.name.rpartition(", ")[2])
    if row.link not in ("unix", "tcp") or size < 64 << 10:
        return None
    share = 0.90 if size >= 16 << 20 else 0.85
    return _at_least(_times(share, limit(results, row)), f"{share:.2f} x raw", row)


def _build(results, row):
    trip = results.ping_pong_us(row.link)
    if row.name == COLD:
        return _at_most(limit(results, row), "native + 1 trip", row)
    return _at_most(_plus(trip, 5_000), "5 ms + 1 trip", row)


def _session(results, row):
    trip = results.ping_pong_us(row.link)
    if row.name == SET_UP:
        return _at_most(_plus(_times(2, trip), 50_000), "50 ms + 2 trips", row)
    return None


def _programs(results, row):
    if row.name == CLINFO_TRIPS:
        return _at_most(3, "3", row)
    if not row.name.startswith(COMPUTE_BOUND):
        return None
    native = results.median(row.name, "native")
    if row.is_rate:
        return _at_least(_times(0.97, native), "0.97 x native", row)
    return _at_most(_times(1 / 0.97, native), "native / 0.97", row)


def _soft(results, row):
    if row.link != soft.LLVM:
        return None
    if row.name in soft.BOUNDS_US:
        bound = soft.BOUNDS_US[row.name]
        return _at_most(bound, f"{bound // 1000} ms" if bound >= 1000 else f"{bound} us", row)
    if row.name == soft.PARSE:
        return _at_least(soft.PARSE_MB_S, f"{soft.PARSE_MB_S} MB/s", row)
    if row.name in (soft.MEAN, soft.LEAST):
        wanted = soft.WANTED_MEAN if row.name == soft.MEAN else soft.WANTED_EACH
        return _at_least(wanted, f"{wanted}", row)
    theirs = limit(results, row)
    return _at_most(_times(1 / soft.WANTED_EACH, theirs), f"PoCL / {soft.WANTED_EACH}", row)


_TARGETS = {"soft": _soft, "latency": _latency, "throughput": _throughput, "chains": _chains,
            "transfers": _transfers, "build": _build, "session": _session, "programs": _programs}


def target(results, row):
    """(text, reached) or None. Where nothing else is asked, the peer is to be beaten."""
    if row.link in ("native", PEER_LINK, soft.POCL):
        return None
    found = _TARGETS[row.group](results, row)
    if found:
        return found
    reached, theirs = of_limit(results, row), peer(row)
    if reached is None or theirs is None:
        return None
    return "the peer", reached > theirs
