#!/usr/bin/python3
"""Runs the figures natively and through the wire, beside the raw socket's, and prints the ratios.

  tools/bench.py [GROUP...] [--links unix,tcp,tls] [--json FILE]     (./dev bench)
"""
import argparse
import json
import pathlib
import subprocess
import sys

BIN = pathlib.Path(__file__).resolve().parent.parent / "build/release/bin"


def figures(prefix, arguments):
    command = [*prefix, str(BIN / "longwire_bench_figures"), *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=900)
    return {f["name"]: f for f in json.loads(done.stdout)["figures"]}


def measure(arguments):
    runs = {"native": figures([], arguments.groups)}
    for link in arguments.links.split(","):
        wire = [str(BIN / "longwire"), "run", f"--local={link}", "--"]
        runs[link] = figures(wire, arguments.groups)
    socket = subprocess.run([str(BIN / "longwire_bench_socket")], stdout=subprocess.PIPE, check=True)
    return {"runs": runs, "socket": json.loads(socket.stdout)}


def show(result):
    runs, socket = result["runs"], result["socket"]
    links = [name for name in runs if name != "native"]
    print(f"{'figure':46} {'native':>12}" + "".join(f" {link:>12} {'ratio':>6}" for link in links))
    for name, native in runs["native"].items():
        row = f"{name + ', ' + native['unit']:46} {native['median']:12.4g}"
        for link in links:
            value = runs[link][name]["median"]
            row += f" {value:12.4g} {value / native['median']:6.2f}"
        print(row)
    print("\nraw socket")
    for kind, raw in socket.items():
        rates = ", ".join(f"{size} {rate:.0f}" for size, rate in raw["MB/s"].items())
        print(f"  {kind}: ping-pong {raw['ping-pong of 64 bytes, us']:.1f} us; "
              f"send + ack MB/s: {rates}")


def main():
    parser = argparse.ArgumentParser(description="Benchmark against native and the raw socket")
    parser.add_argument("groups", nargs="*", help="latency, throughput, transfer; none: all")
    parser.add_argument("--links", default="unix,tcp,tls")
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    result = measure(arguments)
    show(result)
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(result, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
