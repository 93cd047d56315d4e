#!/usr/bin/python3
"""Takes the figures natively and over the wire, beside the raw socket's, and says how near to the
limit they are.     ./dev bench [GROUP...] [--quick] [--json FILE] [--plot FILE]

Groups: latency, throughput, chains, transfers, build, session, programs, delay, which takes the
first four and session set-up through longer and narrower wires, and soft, which holds the soft CUDA
device against PoCL. None: all of them. docs/PERFORMANCE.md explains every row, those of soft
docs/SOFTCUDA.md.
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import subprocess
import sys
import time

from report import links, measure, plot, rows, table

ROOT = pathlib.Path(__file__).resolve().parent.parent


def arguments_of(argv):
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("groups", nargs="*", metavar="GROUP")
    parser.add_argument("--quick", action="store_true", help="fewer runs, sizes and distances")
    parser.add_argument("--links", default="unix,tcp,tls", help="of unix, tcp, tls (all)")
    parser.add_argument("--json", metavar="FILE", type=pathlib.Path, help="write the figures here")
    parser.add_argument("--plot", metavar="FILE", type=pathlib.Path, help="draw an SVG here")
    parser.add_argument("--from", dest="source", metavar="FILE", type=pathlib.Path,
                        help="measure nothing: show what --json has written")
    parser.add_argument("--native-platform", default="", metavar="NAME",
                        help="part of the name of the native platform, where there are several")
    parser.add_argument("--peer", metavar="FILE", type=pathlib.Path,
                        help="another driver as one more link: NAME=VALUE lines, its environment")
    parser.add_argument("--peer-server", type=int, default=0, metavar="PID",
                        help="the process of that driver's server, for its CPU time")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release",
                        help="which build's programs to measure")
    arguments = parser.parse_args(argv)
    for group in arguments.groups:
        if group not in rows.GROUPS:
            parser.error(f"no group {group}; there are {', '.join(rows.GROUPS)}")
    arguments.links = [link for link in arguments.links.split(",") if link]
    for link in arguments.links:
        if link not in links.NODE_LINKS:
            parser.error(f"no link {link}; there are {', '.join(links.NODE_LINKS)}")
    if arguments.peer:
        arguments.links.append(links.PEER)
    return arguments


def machine():
    """What one must know to believe a figure."""
    commit = subprocess.run(["git", "-C", str(ROOT), "describe", "--always", "--dirty"],
                            stdout=subprocess.PIPE, text=True, check=False).stdout.strip()
    cpu = ""
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    return {"date": datetime.datetime.now().isoformat(timespec="seconds"), "commit": commit,
            "cpu": cpu, "cores": os.cpu_count(), "kernel": platform.release(),
            "load": os.getloadavg()[0]}


def take(arguments):
    results = rows.Results()
    about = machine()
    began = time.monotonic()
    note = lambda text: print(f"==> {time.monotonic() - began:4.0f} s  {text}", file=sys.stderr,
                              flush=True)
    peer = links.peer_link(arguments.peer.read_text(), arguments.peer_server) \
        if arguments.peer else None
    with links.Lab(arguments.build / "bin", peer) as lab:
        bench = measure.Bench(lab, results, cache=ROOT / "build/bench-cache", note=note,
                              quick=arguments.quick, platform=arguments.native_platform)
        bench.run(arguments.groups or rows.GROUPS, ["native", *arguments.links])
    return results, about


def main(argv):
    arguments = arguments_of(argv)
    if arguments.source:
        data = json.loads(arguments.source.read_text())
        results, about = rows.results_from_json(data), data["machine"]
    else:
        results, about = take(arguments)
    print("{cpu}, {cores} cores, Linux {kernel}, load {load:.1f} before; {commit}, {date}".format(
        **about))
    print("\n".join(table.lines(results)))
    if arguments.json:
        arguments.json.write_text(json.dumps({"machine": about, **results.to_json()}, indent=1))
    if arguments.plot:
        arguments.plot.write_text(plot.svg(results))
    return 1 if results.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
