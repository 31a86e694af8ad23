# SPDX-License-Identifier: Apache-2.0
# The release runs on many distributions: what differs between them is linked static, what their security updates and FIPS
# providers must reach stays shared (docs/packages.md, checked by tests/e2e/packages).
include_guard()

# hostward_archive(TARGET NAMES...): the imported library TARGET is linked as libNAME.a, with what that archive needs.
function(hostward_archive target)
  set(archives "")
  foreach(name ${ARGN})
    find_library(HOSTWARD_ARCHIVE_${name} lib${name}.a REQUIRED)
    list(APPEND archives ${HOSTWARD_ARCHIVE_${name}})
  endforeach()
  set_target_properties(${target} PROPERTIES INTERFACE_LINK_LIBRARIES "${archives}")
endfunction()

hostward_archive(PkgConfig::LIBBPF bpf elf z)
hostward_archive(PkgConfig::LIBCAP cap)
hostward_archive(PkgConfig::RE2 re2)
hostward_archive(PkgConfig::SQLITE sqlite3)
set_target_properties(ZLIB::ZLIB PROPERTIES IMPORTED_LOCATION "${HOSTWARD_ARCHIVE_z}")
set_target_properties(ZLIB::ZLIB PROPERTIES IMPORTED_LOCATION_RELEASE "${HOSTWARD_ARCHIVE_z}")

# Half the size of -O3's: what costs time is the kernel's work and that of the archives.
set(CMAKE_C_FLAGS_RELEASE "-Os -DNDEBUG")
set(CMAKE_CXX_FLAGS_RELEASE "-Os -DNDEBUG")

# libgcc stays shared: its archive asks for _dl_find_object, which glibc has since 2.35.
target_link_options(hostward_flags INTERFACE -static-libstdc++
  # An archive's functions are nobody else's: libsystemd has a libcap of its own.
  -Wl,--exclude-libs,ALL -Wl,--as-needed -Wl,--gc-sections)
target_compile_options(hostward_flags INTERFACE -ffunction-sections -fdata-sections)
