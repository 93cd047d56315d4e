# Debian packages by CPack: `./dev package`. One per component; everything below /usr, but for the
# ICD file. The drivers lie in a folder of their own, so the dynamic linker's cache has no part.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME longwire)
set(CPACK_PACKAGE_VENDOR Longwire)
set(CPACK_PACKAGE_CONTACT "The Longwire developers <longwire@localhost>")
# CPack's own default, which it takes for none: each package's first line is its own.
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "longwire built using CMake")
set(CPACK_COMPONENTS_ALL client opencl node)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_SET_DESTDIR ON) # files below /etc
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)

set(CPACK_DEBIAN_CLIENT_PACKAGE_NAME longwire)
set(CPACK_DEBIAN_CLIENT_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_CLIENT_PACKAGE_RECOMMENDS longwire-opencl)
set(CPACK_DEBIAN_CLIENT_PACKAGE_SUGGESTS longwired)
set(CPACK_COMPONENT_CLIENT_DESCRIPTION
    "use accelerators in other machines as if they were plugged in here\n\
The longwire command: pairs with a node, lists its devices, runs programs on\n\
them, measures, and finds what is wrong (longwire doctor).")

set(CPACK_DEBIAN_OPENCL_PACKAGE_NAME longwire-opencl)
set(CPACK_DEBIAN_OPENCL_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_OPENCL_PACKAGE_DEPENDS "ocl-icd-libopencl1 | libopencl1")
set(CPACK_DEBIAN_OPENCL_PACKAGE_RECOMMENDS longwire)
set(CPACK_DEBIAN_OPENCL_PACKAGE_PROVIDES opencl-icd)
set(CPACK_DEBIAN_OPENCL_PACKAGE_CONTROL_EXTRA "${CMAKE_CURRENT_LIST_DIR}/debian/opencl/conffiles")
set(CPACK_COMPONENT_OPENCL_DESCRIPTION
    "OpenCL driver for devices in other machines\n\
An OpenCL driver (ICD) that shows unmodified programs the devices of the nodes\n\
that longwire is configured for. Without one it shows nothing.")

set(CPACK_DEBIAN_NODE_PACKAGE_NAME longwired)
set(CPACK_DEBIAN_NODE_PACKAGE_SECTION net)
set(CPACK_DEBIAN_NODE_PACKAGE_DEPENDS "ocl-icd-libopencl1 | libopencl1, longwire")
set(CPACK_DEBIAN_NODE_PACKAGE_CONTROL_EXTRA "${CMAKE_CURRENT_LIST_DIR}/debian/node/postinst"
    "${CMAKE_CURRENT_LIST_DIR}/debian/node/prerm" "${CMAKE_CURRENT_LIST_DIR}/debian/node/postrm")
set(CPACK_COMPONENT_NODE_DESCRIPTION
    "lend this machine's accelerators to other machines\n\
The node: longwired, a systemd service, which lets paired clients use the\n\
OpenCL devices of this machine, each session in a sandboxed process.")
set(CPACK_PRE_BUILD_SCRIPTS "${CMAKE_CURRENT_LIST_DIR}/compress.cmake")
include(CPack)
