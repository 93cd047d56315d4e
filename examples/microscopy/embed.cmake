# cmake -DINPUT=kernels.cl -DOUTPUT=kernels.cc -P embed.cmake: a C++ file that holds the text.
file(READ "${INPUT}" text)
file(WRITE "${OUTPUT}" "namespace microscopy {\nextern const char kKernelSource[];\n"
                       "const char kKernelSource[] = R\"kernels(${text})kernels\";\n}\n")
