"""Runs the programs of bench/ over every link and collects their figures."""
import json
import subprocess

from . import limits, links, programs, soft
from .rows import Row

TIME_LIMIT_S = 400
LEAST_RUNS, FAR_RUNS = 5, 3
PEER_TRIES, PEER_TIME_LIMIT_S = 5, 60  # it may hang or crash: that is noted, and it is asked again
FIGURE_GROUPS = ("latency", "throughput", "chains", "transfers", "build", "session")
DELAYED_GROUPS = ("latency", "throughput", "chains", "transfers")
DISTANT = "20 ms"  # where round trips are counted: far above what else varies
# Short figures are taken in turn over all links, again and again: what the machine does meanwhile
# hits all of them.
ROUNDS = {"latency": 3, "throughput": 3, "chains": 3}
QUICK_SHAPES = ("proxy", "1 ms", DISTANT)


class Bench:
    """What is to be measured, and how thoroughly."""

    def __init__(self, lab, results, *, cache, quick=False, platform="", note=lambda text: None):
        self.lab, self.results, self.cache = lab, results, cache
        self.quick, self.platform, self.note = quick, platform, note
        self.binaries = lab.binaries
        self.raw_transfers = {}  # address -> kind -> size -> exchange

    def repeats(self, usual):
        return 1 if self.quick else usual

    def effort(self, largest_mib, far=False):
        """Transfers over a longer wire wait for it and vary little: fewer say as much."""
        seconds = 0.1 if self.quick or far else 0.3
        return ["--seconds", seconds, "--least-runs", FAR_RUNS if far else LEAST_RUNS,
                "--largest-mib", min(largest_mib, 16) if self.quick else largest_mib]

    def run(self, groups, link_names):
        """Link by link within a group, so that what is compared was measured close together."""
        for group in groups:
            if group == "delay":
                self.delays()
            elif group == soft.GROUP:
                soft.measure(self, self.results)
            elif group == "programs":
                self.note("programs")
                programs.measure(self, [self.lab.link(name) for name in link_names], self.results)
            else:
                for name in self.repeats(ROUNDS.get(group, 1)) * link_names:
                    self.figures([group], self.lab.link(name), 256)

    def figures(self, groups, link, largest_mib, far=False):
        self.note(f"{', '.join(groups)}: {link.name}")
        if link.raw:
            self.raw_socket(link, "transfers" in groups, largest_mib, far)
        command = [self.binaries / "longwire_bench_figures", *groups, "--server", link.server,
                   *self.effort(largest_mib, far)]
        if self.platform and link.name == "native":
            command += ["--platform", self.platform]
        tries = PEER_TRIES if link.name == links.PEER else 1
        found = None
        while found is None and tries > 0:
            tries -= 1
            found = self.json_of(command, link)
        for figure in found["figures"] if found else []:
            self.add(figure, link.name)

    def add(self, figure, link):
        self.results.add(Row(figure["group"], figure["name"], link, figure["unit"],
                             figure["median"], figure["p99"], figure["runs"]))
        if figure["name"] == limits.READ and link in ("native", *limits.DIRECT):
            self.results.add(Row(figure["group"], limits.READ_P99, link, figure["unit"],
                                 figure["p99"], None, figure["runs"]))

    def raw_socket(self, link, transfers, largest_mib, far):
        """Transfers once for each address: what goes over TLS is held against the same socket."""
        known = self.raw_transfers.get(link.raw)
        command = [self.binaries / "longwire_bench_socket", "measure", link.raw,
                   *self.effort(largest_mib, far), *(["--transfers"] if transfers and not known else [])]
        figures = self.json_of(command, link)
        if figures and transfers:
            figures = {**(known or {}), **figures}
            self.raw_transfers[link.raw] = {kind: what for kind, what in figures.items()
                                            if kind != "ping_pong"}
        if figures:
            self.results.add_raw(link.name, figures)

    def json_of(self, command, link):
        command = [str(part) for part in command]
        try:
            done = subprocess.run(command, env=link.run_environment(), check=True,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE,
                                  timeout=PEER_TIME_LIMIT_S if link.name == links.PEER
                                  else TIME_LIMIT_S)
            return json.loads(done.stdout)
        except (subprocess.SubprocessError, ValueError) as problem:
            self.results.failed.append(f"{link.name}: {programs.describe(problem)}")
            return None

    def delays(self):
        self.native_for_delays()
        for shape in links.SHAPES:
            if self.quick and shape.name not in QUICK_SHAPES:
                continue
            with self.lab.longer("tcp", shape) as link:
                groups = [group for group in DELAYED_GROUPS if group != "transfers"] + ["session"]
                if shape.name == DISTANT:
                    groups.append("build")
                self.figures(groups, link, shape.largest_mib)
                self.figures(["transfers"], link, shape.largest_mib, far=True)
                if shape.name in ("proxy", DISTANT):
                    self.clinfo(link)
            if shape.name == DISTANT:
                programs.clinfo_round_trips(self.results, "proxy", DISTANT, shape.rtt_ms)
                with self.lab.longer("tls", shape) as link:
                    self.figures(["session"], link, shape.largest_mib)

    def native_for_delays(self):
        """Delayed figures are held against native ones: those that have not been taken yet."""
        have = {row.group for row in self.results.rows if row.link == "native"}
        missing = [group for group in (*DELAYED_GROUPS, "session", "build") if group not in have]
        if missing:
            self.figures(missing, self.lab.link("native"), 16)

    def clinfo(self, link):
        self.note(f"clinfo: {link.name}")
        programs.measure_one(self, programs.clinfo, [link], self.results)
