#!/usr/bin/python3
"""How much of its throughput a session keeps while strangers hold 1,000 half-open connections on each
of the node's TCP ports, and open those anew every second that the node has closed.

  bench/hostile.py [--rounds N] [--link tcp|unix] [--build build/release]

The strangers are on this machine, so their own work counts against the node. Rounds without and with
them alternate; the medians of both, and their ratio.
"""
import argparse
import json
import multiprocessing
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "node" / "programs"))
import hostile  # noqa: E402

COUNT = 1000  # on each port
SOURCES = [f"127.0.0.{i}" for i in range(2, 52)]
START_S = 30
SETTLE_S = 1.0  # until the strangers are there
CONFIG = """
[listen]
tls = ["127.0.0.1:0"]
plain = ["127.0.0.1:0"]
unix = "{folder}/node.sock"
[worker]
sandbox = "off"
[state]
directory = "{folder}/state"
cache = "{folder}/cache"
"""


class Node:
    def __init__(self, build, folder):
        (folder / "longwired.toml").write_text(CONFIG.format(folder=folder))
        self.log = folder / "log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [build / "bin" / "longwired", "--config", folder / "longwired.toml"], stdout=log,
                stderr=log)
        deadline = time.monotonic() + START_S
        while "endpoint=unix:" not in self.log.read_text():
            if time.monotonic() > deadline or self.process.poll() is not None:
                sys.exit(self.log.read_text())
            time.sleep(0.05)
        self.ports = {kind: int(port) for kind, port in re.findall(
            r"endpoint=(tls|tcp)://127\.0\.0\.1:(\d+)", self.log.read_text())}
        self.links = {"tcp": f"tcp:127.0.0.1:{self.ports['tcp']}",
                      "unix": f"unix:{folder}/node.sock"}


def is_closed(connection):
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def besiege(ports):
    """Until it is killed."""
    hostile.raise_file_limit(2 * COUNT * len(ports) + 100)
    places = [hostile.Place(("127.0.0.1", port)) for port in ports]
    held = [hostile.HalfOpen(place, COUNT, SOURCES) for place in places]
    while True:
        began = time.monotonic()
        for place, strangers in zip(places, held):
            stay = [one for one in strangers.open if not is_closed(one)]
            for one in set(strangers.open) - set(stay):
                one.close()
            strangers.open = stay + hostile.HalfOpen(place, COUNT - len(stay), SOURCES).open
        time.sleep(max(0.0, 1 - (time.monotonic() - began)))


def throughput(build, link, seconds):
    driver = (build / "lib" / "liblongwire_opencl.so").resolve()
    environment = {**os.environ, "OCL_ICD_VENDORS": str(driver), "LONGWIRE_NODES": link}
    done = subprocess.run([build / "bin" / "longwire_bench_figures", "throughput", "--seconds",
                           str(seconds)], env=environment, check=True, capture_output=True,
                          text=True)
    return {figure["name"]: figure["median"] for figure in json.loads(done.stdout)["figures"]
            if figure["unit"].endswith("/s")}


def processor_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # user and system


def measure(arguments, node):
    calm, besieged = [], []
    spent = {"the agent": 0.0, "the strangers": 0.0}
    besieged_s = 0.0
    for number in range(arguments.rounds):
        calm.append(throughput(arguments.build, node.links[arguments.link], arguments.seconds))
        strangers = multiprocessing.Process(target=besiege, args=(list(node.ports.values()),))
        strangers.start()
        time.sleep(SETTLE_S)
        pids = {"the agent": node.process.pid, "the strangers": strangers.pid}
        before = {who: processor_seconds(pid) for who, pid in pids.items()}
        began = time.monotonic()
        besieged.append(throughput(arguments.build, node.links[arguments.link],
                                   arguments.seconds))
        besieged_s += time.monotonic() - began
        for who, pid in pids.items():
            spent[who] += processor_seconds(pid) - before[who]
        strangers.kill()
        strangers.join()
        print(f"round {number + 1} of {arguments.rounds}", file=sys.stderr, flush=True)
    print(f"node: {hostile.resident_bytes(node.process.pid) >> 20} MiB resident, "
          f"{hostile.descriptors(node.process.pid)} descriptors after it")
    for who, seconds in spent.items():
        print(f"{who}: {100 * seconds / besieged_s:.0f}% of one processor")
    for name in calm[0]:
        alone = statistics.median(one[name] for one in calm)
        beside = statistics.median(one[name] for one in besieged)
        print(f"{name}: {alone:,.0f}/s alone, {beside:,.0f}/s beside them, ratio "
              f"{beside / alone:.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each figure (2)")
    parser.add_argument("--link", choices=["tcp", "unix"], default="tcp")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lw-hostile-") as folder:
        node = Node(arguments.build, pathlib.Path(folder))
        try:
            measure(arguments, node)
        finally:
            node.process.terminate()
            node.process.wait()


if __name__ == "__main__":
    main()
