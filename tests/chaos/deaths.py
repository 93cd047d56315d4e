#!/usr/bin/env python3
"""Who dies in the middle of a kernel, and how soon that is known.

    tests/chaos/deaths.py [--build build/release]

A client has a kernel of minutes under way and waits for it in every way that there is, a thread
each. Then the worker, or the whole node, is killed: every wait must end with an error within two
seconds. Or the client is killed: its worker must be gone within two seconds, and its memory with it.
"""
import argparse
import ctypes
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "node" / "programs"))

from node import PATIENCE_S, Node, processes  # noqa: E402

LIMIT_S = 2.0
SETTLE_S = 1.0  # from the launch to the death
MEMORY = 64 << 20  # of the device, that the client holds
SOURCE = b"""kernel void spin(global uint* a, ulong rounds) {
  uint x = a[0];
  for (ulong i = 0; i < rounds; ++i) x = x * 1664525u + (uint)i;
  a[0] = x;
}"""
WAITS = ("clFinish", "clWaitForEvents", "clEnqueueReadBuffer", "clEnqueueMapBuffer",
         "clSetEventCallback")
CL_DEVICE_TYPE_ALL, CL_MEM_READ_WRITE, CL_MAP_READ = 0xFFFFFFFF, 1, 1


class Client:
    """Inside the process that waits: a line on standard output for each wait that has ended."""

    def __init__(self):
        self.cl = ctypes.CDLL("libOpenCL.so.1")
        for name in ("clCreateContext", "clCreateCommandQueue", "clCreateBuffer", "clCreateKernel",
                     "clCreateProgramWithSource", "clEnqueueMapBuffer"):
            getattr(self.cl, name).restype = ctypes.c_void_p
        platform, device = ctypes.c_void_p(), ctypes.c_void_p()
        self.must(self.cl.clGetPlatformIDs(1, ctypes.byref(platform), None))
        self.must(self.cl.clGetDeviceIDs(platform, ctypes.c_uint64(CL_DEVICE_TYPE_ALL), 1,
                                         ctypes.byref(device), None))
        self.device = device
        self.context = self.made(self.cl.clCreateContext(None, 1, ctypes.byref(device), None, None,
                                                         None))
        self.buffer = self.made(self.cl.clCreateBuffer(
            self.context, ctypes.c_uint64(CL_MEM_READ_WRITE), ctypes.c_size_t(MEMORY), None, None))
        self.lock = threading.Lock()

    @staticmethod
    def must(status):
        if status != 0:
            raise RuntimeError(f"status {status}")

    @staticmethod
    def made(handle):
        if not handle:
            raise RuntimeError("nothing made")
        return ctypes.c_void_p(handle)

    def queue(self):
        return self.made(self.cl.clCreateCommandQueue(self.context, self.device,
                                                      ctypes.c_uint64(0), None))

    def launch(self):
        source = ctypes.c_char_p(SOURCE)
        program = self.made(self.cl.clCreateProgramWithSource(self.context, 1, ctypes.byref(source),
                                                              None, None))
        self.must(self.cl.clBuildProgram(program, 0, None, None, None, None))
        kernel = self.made(self.cl.clCreateKernel(program, b"spin", None))
        rounds, one = ctypes.c_uint64(1 << 42), ctypes.c_size_t(1)
        self.must(self.cl.clSetKernelArg(kernel, 0, ctypes.c_size_t(8), ctypes.byref(self.buffer)))
        self.must(self.cl.clSetKernelArg(kernel, 1, ctypes.c_size_t(8), ctypes.byref(rounds)))
        self.first, self.event = self.queue(), ctypes.c_void_p()
        self.must(self.cl.clEnqueueNDRangeKernel(self.first, kernel, 1, None, ctypes.byref(one),
                                                 None, 0, None, ctypes.byref(self.event)))
        self.must(self.cl.clFlush(self.first))

    def tell(self, name, status):
        with self.lock:
            print(f"{name} {status} {time.monotonic():.4f}", flush=True)

    def wait_in(self, name):
        after, status, word = ctypes.byref(self.event), ctypes.c_int(), ctypes.c_uint32()
        zero, four = ctypes.c_size_t(0), ctypes.c_size_t(4)
        if name == "clFinish":
            status.value = self.cl.clFinish(self.first)
        elif name == "clWaitForEvents":
            status.value = self.cl.clWaitForEvents(1, after)
        elif name == "clEnqueueReadBuffer":
            status.value = self.cl.clEnqueueReadBuffer(self.queue(), self.buffer, 1, zero, four,
                                                       ctypes.byref(word), 1, after, None)
        else:
            self.cl.clEnqueueMapBuffer(self.queue(), self.buffer, 1, ctypes.c_uint64(CL_MAP_READ),
                                       zero, four, 1, after, None, ctypes.byref(status))
        self.tell(name, status.value)

    def run(self):
        self.launch()
        done = threading.Event()

        def called(_event, status, _data):
            self.tell("clSetEventCallback", status)
            done.set()

        callback = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)(called)
        self.must(self.cl.clSetEventCallback(self.event, 0, callback, None))
        waiting = [threading.Thread(target=self.wait_in, args=(name,)) for name in WAITS[:-1]]
        for thread in waiting:
            thread.start()
        print("running", flush=True)
        for thread in waiting:
            thread.join()
        done.wait(PATIENCE_S)
        return 0


class Trial:
    def __init__(self, build, folder):
        self.build, self.folder, self.failures = build.resolve(), folder, 0
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("LONGWIRE_")}
        self.environment.update(
            HOME=str(folder), LONGWIRE_CONFIG_HOME=str(folder / "home"),
            OCL_ICD_VENDORS=str(self.build / "lib" / "liblongwire_opencl.so"))
        (folder / "home").mkdir(mode=0o700)
        self.number = 0

    def begin(self):
        """A node, a client that waits in all ways, and its worker."""
        self.number += 1
        environment = dict(self.environment)
        environment.pop("OCL_ICD_VENDORS")  # of the node: the machine's own drivers
        node = Node(f"node{self.number}", self.folder, self.build / "bin", environment)
        node.pair()
        # Not through the wire, which would go on to listen for a node that is dead.
        place = f"127.0.0.1:{node.port}"
        client = subprocess.Popen([sys.executable, __file__, "--client"], text=True,
                                  env=dict(self.environment, LONGWIRE_NODES=place),
                                  stdout=subprocess.PIPE)
        if client.stdout.readline() != "running\n":
            raise RuntimeError("the client does not run:\n" + node.text()[-2000:])
        time.sleep(SETTLE_S)
        [worker] = node.workers_in_use()  # it is the only client
        return node, client, worker

    def judge(self, what, how, after_s, good=True):
        well = good and after_s < LIMIT_S
        self.failures += not well
        print(f"{what:16} {how:40} {after_s:.2f} s{'' if well else '  FAILED'}", flush=True)

    def waits_end(self, what, victims):
        node, client, worker = self.begin()
        died_at = time.monotonic()
        for pid in victims(node, worker):
            os.kill(pid, signal.SIGKILL)
        ended = {}
        for line in client.communicate(timeout=PATIENCE_S)[0].splitlines():
            name, status, at = line.split()
            ended[name] = int(status), float(at) - died_at
        for name in WAITS:
            status, after_s = ended.get(name, (0, float("inf")))
            self.judge(what, f"{name}: {status}", after_s, status < 0)
        self.end(node)

    def client_dies(self):
        node, client, worker = self.begin()
        died_at = time.monotonic()
        client.kill()
        while worker in processes() and time.monotonic() - died_at < PATIENCE_S:
            time.sleep(0.01)
        self.judge("client killed", "its worker, and its memory", time.monotonic() - died_at)
        client.communicate()
        self.end(node)

    @staticmethod
    def end(node):
        if node.agent.poll() is None:
            node.stop()
        else:
            node.wire.close()

    def run(self):
        self.waits_end("worker killed", lambda node, worker: [worker])
        self.waits_end("node killed", lambda node, worker: [node.agent.pid, worker])
        self.client_dies()
        return 1 if self.failures else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--client", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.client:
        return Client().run()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="lw-deaths-", dir="/tmp"))
    try:
        return Trial(options.build, folder).run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
