"""PTX as compilers write it, made up: kernels of a wanted number of instructions."""

HEADER = ".version 8.0\n.target sm_80\n.address_size 64\n"
# f[0..7] are floats, i an index, p a predicate; {a}, {b} and {c} are three of the floats.
STEPS = (
    "fma.rn.f32 %f{a}, %f{b}, %f{c}, %f{a};",
    "ld.global.f32 %f{a}, [%rd3+{offset}];",
    "add.f32 %f{a}, %f{b}, %f{c};",
    "mul.f32 %f{b}, %f{a}, 0f3F000000;",
    "setp.lt.f32 %p2, %f{a}, %f{b};",
    "selp.f32 %f{c}, %f{a}, %f{b}, %p2;",
    "mad.lo.s32 %r5, %r4, {odd}, %r5;",
    "shl.b32 %r6, %r5, 3;",
    "xor.b32 %r5, %r5, %r6;",
    "cvt.rn.f32.s32 %f{c}, %r5;",
    "max.f32 %f{a}, %f{a}, %f{c};",
    "@%p2 sub.f32 %f{b}, %f{b}, %f{a};",
    "st.shared.f32 [%rd5], %f{a};",
    "ld.shared.f32 %f{b}, [%rd5];",
)
BEFORE, AFTER = 20, 8  # instructions of a kernel around its steps


def step(i):
    return STEPS[i % len(STEPS)].format(a=i % 8, b=(i + 3) % 8, c=(i + 5) % 8, odd=2 * i + 1,
                                        offset=4 * (i % 16))


def kernel(name, instructions):
    """A loop over float data[n], whose body is most of the kernel."""
    steps = "\n".join("\t" + step(i) for i in range(instructions - BEFORE - AFTER))
    zeros = "\n".join(f"\tmov.f32 %f{i}, 0f3F800000;" for i in range(8))
    return f"""
.visible .entry {name}(.param .u64 {name}_param_0, .param .u32 {name}_param_1)
{{
	.reg .pred %p<3>;
	.reg .f32 %f<8>;
	.reg .b32 %r<8>;
	.reg .b64 %rd<6>;
	.shared .align 4 .b8 {name}_shared[4096];

	ld.param.u64 %rd1, [{name}_param_0];
	ld.param.u32 %r1, [{name}_param_1];
	cvta.to.global.u64 %rd2, %rd1;
	mov.u32 %r2, %tid.x;
	and.b32 %r2, %r2, 1023;
	mul.wide.u32 %rd4, %r2, 4;
	mov.u64 %rd5, {name}_shared;
	add.s64 %rd5, %rd5, %rd4;
	add.s64 %rd3, %rd2, %rd4;
	mov.u32 %r4, %r2;
	mov.u32 %r5, 1;
{zeros}
	bra $loop_{name};
$loop_{name}:
{steps}
	st.global.f32 [%rd3], %f0;
	st.global.f32 [%rd3+4], %f1;
	add.s32 %r4, %r4, 32;
	add.s64 %rd3, %rd3, 128;
	add.s32 %r7, %r4, 32;
	setp.lt.s32 %p1, %r7, %r1;
	@%p1 bra $loop_{name};
	ret;
}}
"""


def module(least_bytes, instructions):
    """Kernels under different names until the text is as long as asked."""
    parts, length = [HEADER], 0
    while length < least_bytes:
        parts.append(kernel(f"kernel_{len(parts)}", instructions))
        length += len(parts[-1])
    return "".join(parts)
