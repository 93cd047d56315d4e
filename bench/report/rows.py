"""The figures of one run, and how they compare: with native, with the raw socket, with targets."""
import dataclasses
import statistics

GROUPS = ("latency", "throughput", "chains", "transfers", "build", "session", "programs", "delay",
          "soft")


@dataclasses.dataclass
class Row:
    group: str
    name: str
    link: str
    unit: str
    median: float
    p99: float = None
    runs: int = 1
    rounds: list = dataclasses.field(default_factory=list)  # [median, p99] of each

    def __post_init__(self):
        self.rounds = self.rounds or [[self.median, self.p99]]

    @property
    def is_rate(self):
        return self.unit.endswith("/s")

    def take_in(self, other):
        """The same figure, measured once more: the median of all rounds counts."""
        self.rounds += other.rounds
        self.runs += other.runs
        self.median = statistics.median(median for median, _ in self.rounds)
        if self.p99 is not None:
            self.p99 = statistics.median(p99 for _, p99 in self.rounds)


class Results:
    """Rows of all links, and the raw sockets' figures beside them."""

    def __init__(self):
        self.rows, self.skipped, self.failed = [], [], []
        self.raw = {}  # link -> {"ping_pong": {...}, "write": {"4 KiB": {...}}, ...}
        self._index = {}

    def add(self, row):
        known = self._index.get((row.name, row.link))
        if known:
            known.take_in(row)
            return
        self.rows.append(row)
        self._index[row.name, row.link] = row

    def add_raw(self, link, figures):
        """Another round's ping-pong joins those before it; transfers are measured once."""
        known = self.raw.setdefault(link, {})
        rounds = known.get("ping_pong", {}).get("rounds", []) + [figures["ping_pong"]["median"]]
        known.update(figures)
        known["ping_pong"] = {"median": statistics.median(rounds), "rounds": rounds}

    def median(self, name, link):
        row = self._index.get((name, link))
        return row.median if row else None

    def ping_pong_us(self, link):
        return self.raw.get(link, {}).get("ping_pong", {}).get("median")

    def raw_rate(self, name, link):
        """MB/s of the raw socket for the transfer of that name ("write, pipelined, 1 MiB")."""
        kind, _, size = name.rpartition(", ")
        exchange = self.raw.get(link, {}).get(kind, {}).get(size)
        if exchange is None:
            return None
        return size_bytes(size) * (in_flight(size_bytes(size)) if "pipelined" in kind else 1) \
            / exchange["median"]

    def to_json(self):
        return {"rows": [dataclasses.asdict(row) for row in self.rows], "raw": self.raw,
                "skipped": self.skipped, "failed": self.failed}


def results_from_json(data):
    results = Results()
    for row in data["rows"]:
        results.add(Row(**row))
    results.raw, results.skipped, results.failed = data["raw"], data["skipped"], data["failed"]
    return results


def size_bytes(text):
    """4096 of "4 KiB"."""
    number, unit = text.split()
    return int(number) << {"KiB": 10, "MiB": 20}[unit]


def in_flight(size):
    """As in bench/figures/sizes.h."""
    return max(2, min(16, (64 << 20) // size))
