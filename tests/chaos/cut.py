#!/usr/bin/env python3
"""A link that is gone for ten seconds, while real programs use it.

    tests/chaos/cut.py [--cut-s 10] [--build build/release] [PROGRAM...]

Client and node are two network namespaces with a cable (veth) between them. Each program runs
natively, then over the cable, which is pulled for ten seconds at the client's or at the node's end,
or comes back with another address of the client. The results must be the same; a heartbeat beside
the program says how soon after the link's return calls go on. Needs root. Programs: microscopy,
hashcat, clpeak (where LONGWIRE_CLPEAK or PATH has it); those that are not there are skipped by name.
"""
import argparse
import ctypes
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "node" / "programs"))

NODE_ADDRESS, CLIENT_ADDRESS, OTHER_ADDRESS = "10.79.0.1", "10.79.0.2", "10.79.0.3"
CABLES = ("client's end", "node's end", "another address")
START_S = 4                # of the program, before its cable is pulled
PROGRAM_LIMIT_S = 600
RESUME_LIMIT_S = 1.0
CL_DEVICE_TYPE_ALL, CL_MEM_READ_WRITE = 0xFFFFFFFF, 1
HASH_MASK = ["-m", "1700", "-a", "3", "?l?l?l?l?l?l"]  # all of it, as one hash is never found
HASHES = [hashlib.sha512(word).hexdigest() for word in (b"wirely", b"not to be found")]


def sh(*argv, check=True):
    return subprocess.run([str(a) for a in argv], check=check, capture_output=True, text=True)


class Cable:
    """Two namespaces; `with` makes and removes them."""

    def __enter__(self):
        self.near, self.far = (f"lw{os.getpid()}{end}" for end in "cn")
        for name in (self.near, self.far):
            sh("ip", "netns", "add", name)
            sh("ip", "-n", name, "link", "set", "lo", "up")
        sh("ip", "-n", self.near, "link", "add", "wire", "type", "veth", "peer", "name", "wire",
           "netns", self.far)
        for name, address in ((self.near, CLIENT_ADDRESS), (self.far, NODE_ADDRESS)):
            sh("ip", "-n", name, "addr", "add", f"{address}/24", "dev", "wire")
            sh("ip", "-n", name, "link", "set", "wire", "up")
        return self

    def __exit__(self, *error):
        for name in (self.near, self.far):
            sh("ip", "netns", "del", name, check=False)

    def pull(self, how):
        if how == "another address":
            sh("ip", "-n", self.near, "addr", "flush", "dev", "wire")
        sh("ip", "-n", self.far if how == "node's end" else self.near, "link", "set", "wire", "down")

    def put_back(self, how):
        end = self.far if how == "node's end" else self.near
        sh("ip", "-n", end, "link", "set", "wire", "up")
        if how == "another address":
            sh("ip", "-n", self.near, "addr", "add", f"{OTHER_ADDRESS}/24", "dev", "wire")

    def restore_address(self):
        sh("ip", "-n", self.near, "addr", "flush", "dev", "wire")
        sh("ip", "-n", self.near, "addr", "add", f"{CLIENT_ADDRESS}/24", "dev", "wire")


def heartbeat():
    """Blocking reads of 4 bytes for ever; the time of each on standard output."""
    cl = ctypes.CDLL("libOpenCL.so.1")
    for name in ("clCreateContext", "clCreateCommandQueue", "clCreateBuffer"):
        getattr(cl, name).restype = ctypes.c_void_p
    platform, device, word = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_uint32()
    status = cl.clGetPlatformIDs(1, ctypes.byref(platform), None)
    status |= cl.clGetDeviceIDs(platform, ctypes.c_uint64(CL_DEVICE_TYPE_ALL), 1,
                                ctypes.byref(device), None)
    context = ctypes.c_void_p(cl.clCreateContext(None, 1, ctypes.byref(device), None, None, None))
    queue = ctypes.c_void_p(cl.clCreateCommandQueue(context, device, ctypes.c_uint64(0), None))
    buffer = ctypes.c_void_p(cl.clCreateBuffer(context, ctypes.c_uint64(CL_MEM_READ_WRITE),
                                               ctypes.c_size_t(4), None, None))
    while status == 0:
        status = cl.clEnqueueReadBuffer(queue, buffer, 1, ctypes.c_size_t(0), ctypes.c_size_t(4),
                                        ctypes.byref(word), 0, None, None)
        print(f"{time.monotonic():.4f}", flush=True)
        time.sleep(0.01)
    print(f"status {status}", flush=True)
    return 1


class Trial:
    def __init__(self, options):
        self.build = options.build.resolve()
        self.cut_s = options.cut_s
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lw-cut-", dir="/tmp"))
        self.failures = 0

    def programs(self, wanted):
        clpeak = os.environ.get("LONGWIRE_CLPEAK") or shutil.which("clpeak")
        all_of_them = {
            "microscopy": [self.build / "bin" / "microscopy", "--iterations", "200", "--out", "."],
            "hashcat": shutil.which("hashcat") and [
                shutil.which("hashcat"), "-D", "1", "--force", "--potfile-disable",
                "--restore-disable", "--logfile-disable", "--quiet", "-o", "found", "hashes",
                *HASH_MASK],
            "clpeak": clpeak and [clpeak, "--compute-sp", "--compute-integer", "--kernel-latency"],
        }
        for name in wanted or all_of_them:
            if all_of_them[name]:
                yield name, all_of_them[name]
            else:
                print(f"{name}: skipped, it is not installed")

    def run(self, argv, folder, prefix=(), environment=None):
        folder.mkdir()
        (folder / "hashes").write_text("\n".join(HASHES) + "\n")
        home = dict(os.environ, HOME=str(folder), **(environment or {}))
        return subprocess.Popen([*map(str, prefix), *map(str, argv)], cwd=folder, env=home,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def result(self, name, process, folder):
        """What must be the same: status, and files; of clpeak the names of its figures."""
        out, err = process.communicate(timeout=PROGRAM_LIMIT_S)
        if name == "clpeak":
            names = [line.split(":")[0].strip() for line in out.splitlines() if " : " in line]
            return process.returncode, names[3:], err
        files = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
        return process.returncode, files, err

    def measure(self, name, argv, how, number, native):
        with Cable() as cable:
            node = self.start_node(cable, number)
            try:
                self.through_a_cut(cable, name, argv, how, self.folder / f"{name}{number}", native)
            finally:
                node.terminate()
                node.wait()

    def start_node(self, cable, number):
        node = subprocess.Popen(
            ["ip", "netns", "exec", cable.far, self.build / "bin" / "longwired", "--no-tls",
             "--plain", f"{NODE_ADDRESS}:9477", "--no-unix", "--state",
             self.folder / f"state{number}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(1)
        return node

    def through_a_cut(self, cable, name, argv, how, folder, native):
        prefix = ["ip", "netns", "exec", cable.near]
        remote = {"OCL_ICD_VENDORS": str(self.build / "lib" / "liblongwire_opencl.so"),
                  "LONGWIRE_NODES": f"tcp:{NODE_ADDRESS}:9477"}
        pulse = subprocess.Popen([*prefix, sys.executable, __file__, "--heartbeat"],
                                 env=dict(os.environ, **remote), stdout=subprocess.PIPE, text=True)
        program = self.run(argv, folder, prefix, remote)
        time.sleep(START_S)
        early = program.poll() is not None
        cable.pull(how)
        time.sleep(self.cut_s)
        back_at = time.monotonic()
        cable.put_back(how)
        result = self.result(name, program, folder)
        pulse.terminate()
        beats = [float(beat) for beat in pulse.communicate()[0].split() if beat[0].isdigit()]
        resumed = next((beat - back_at for beat in beats if beat > back_at), float("inf"))
        silent = not any(back_at - self.cut_s + 0.5 < beat < back_at for beat in beats)
        same = result[:2] == native[:2]
        well = same and silent and not early and resumed < RESUME_LIMIT_S
        self.failures += not well
        print(f"{name:12} {how:16} {'same' if same else 'DIFFERENT'}, goes on after "
              f"{resumed:.2f} s{'' if silent else ', WAS NOT CUT'}"
              f"{', ENDED BEFORE THE CUT' if early else ''}", flush=True)
        if not same:
            print(f"  status {result[0]} instead of {native[0]}; {result[2][-500:]}", flush=True)

    def all_programs(self, wanted):
        number = 0
        for name, argv in self.programs(wanted):
            folder = self.folder / f"{name}-native"
            native = self.result(name, self.run(argv, folder, (), {"LONGWIRE_DISABLE": "1"}), folder)
            for how in CABLES:
                number += 1
                self.measure(name, argv, how, number, native)
        shutil.rmtree(self.folder, ignore_errors=True)
        return 1 if self.failures else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("programs", nargs="*", metavar="PROGRAM")
    parser.add_argument("--cut-s", type=float, default=10)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--heartbeat", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.heartbeat:
        return heartbeat()
    if os.geteuid() != 0:
        print("skipped: making network namespaces needs root")
        return 77
    return Trial(options).all_programs(options.programs)


if __name__ == "__main__":
    sys.exit(main())
