/* The CUDA runtime API's types, version 13.0 (12.8 where CUDART_VERSION says 12), in our own
   declarations: names, values and layouts are those of the API reference. */
#ifndef LONGWIRE_DRIVER_TYPES_H
#define LONGWIRE_DRIVER_TYPES_H
#define __DRIVER_TYPES_H__ /* what programs ask for */

#ifndef CUDART_VERSION
#define CUDART_VERSION 13000
#endif

#include "runtime/array.h"
#include "runtime/device.h"
#include "runtime/device_properties.h"
#include "runtime/error.h"
#include "runtime/external.h"
#include "runtime/graph.h"
#include "runtime/handles.h"
#include "runtime/launch.h"
#include "runtime/memory.h"
#include "runtime/tools.h"
#include "vector_types.h"

#endif
