# cmake -DINPUTS=a.cl,b.cl -DOUTPUT=kernels.cc -DNAMESPACE=x -DNAME=kKernelSource -P EmbedText.cmake:
# a C++ file that holds the text of the inputs, one after the other.
string(REPLACE "," ";" inputs "${INPUTS}")
set(text "")
foreach(input IN LISTS inputs)
  file(READ "${input}" one)
  string(APPEND text "${one}")
endforeach()
file(WRITE "${OUTPUT}" "namespace ${NAMESPACE} {\nextern const char ${NAME}[];\n"
                       "const char ${NAME}[] = R\"kernels(${text})kernels\";\n}\n")
