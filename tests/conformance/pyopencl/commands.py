"""Events, profiling, wait lists, callbacks, user events, printf, build errors and binaries."""

import sys
import threading

import numpy as np
import pyopencl as cl

from _setup import context, numbers, queue, same

source = """
kernel void twice(global float* a) { a[get_global_id(0)] *= 2; }
kernel void tell(int n) { for (int i = 0; i < n; ++i) printf("line %d of %d, %.2f\\n", i, n, i / 4.0f); }
"""
program = cl.Program(context, source).build()
values = numbers(10000, 12)
buffer = cl.Buffer(context, cl.mem_flags.READ_WRITE | cl.mem_flags.COPY_HOST_PTR, hostbuf=values)

second = cl.CommandQueue(context)
events = []
for step in range(20):
    events.append(program.twice(queue if step % 2 else second, (10000,), None, buffer,
                                wait_for=events[-1:]))
cl.wait_for_events(events)
back = np.empty_like(values)
cl.enqueue_copy(queue, back, buffer, wait_for=events)
same("a chain over two queues", back, values * 2.0 ** 20)

timed = events[1]
profile = timed.profile
print("profiled in order:", profile.queued <= profile.submit <= profile.start < profile.end)
print("type and status:", timed.command_type == cl.command_type.NDRANGE_KERNEL,
      timed.command_execution_status == cl.command_execution_status.COMPLETE)

called = threading.Event()
gate = cl.UserEvent(context)
held = program.twice(queue, (10000,), None, buffer, wait_for=[gate])
held.set_callback(cl.command_execution_status.COMPLETE, lambda status: called.set())
queue.flush()
print("held:", held.command_execution_status != cl.command_execution_status.COMPLETE)
gate.set_status(cl.command_execution_status.COMPLETE)
held.wait()
print("called:", called.wait(20))

sys.stdout.flush()
program.tell(queue, (1,), None, np.int32(5))
queue.finish()
print("after printf", flush=True)

try:
    cl.Program(context, "kernel void bad(global float* a) { a[0] = undeclared_thing; }").build()
    print("built what cannot be built")
except cl.RuntimeError as error:
    print("refused, names it:", "undeclared_thing" in str(error))

binary = program.get_info(cl.program_info.BINARIES)[0]
rebuilt = cl.Program(context, context.devices, [binary]).build()
rebuilt.twice(queue, (10000,), None, buffer)
cl.enqueue_copy(queue, back, buffer)
same("from a binary", back, values * 2.0 ** 22)

kernel = program.twice
print("kernel:", kernel.function_name, kernel.num_args,
      kernel.get_work_group_info(cl.kernel_work_group_info.WORK_GROUP_SIZE, context.devices[0]) > 0)
for attempt in (lambda: kernel.set_arg(1, np.int32(1)),
                lambda: cl.Buffer(context, cl.mem_flags.READ_WRITE, 0)):
    try:
        attempt()
        print("accepted")
    except cl.Error as error:
        print("refused:", error.code)
