"""The figures of one run, and how they compare: with native, with the raw socket, with targets."""
import dataclasses

GROUPS = ("latency", "throughput", "chains", "transfers", "build", "session", "programs", "delay")


@dataclasses.dataclass
class Row:
    group: str
    name: str
    link: str
    unit: str
    median: float
    p99: float = None
    runs: int = 1

    @property
    def is_rate(self):
        return self.unit.endswith("/s")


class Results:
    """Rows of all links, and the raw sockets' figures beside them."""

    def __init__(self):
        self.rows, self.skipped, self.failed = [], [], []
        self.raw = {}  # link -> {"ping_pong": {...}, "write": {"4 KiB": {...}}, ...}
        self._index = {}

    def add(self, row):
        self.rows.append(row)
        self._index[row.name, row.link] = row

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
