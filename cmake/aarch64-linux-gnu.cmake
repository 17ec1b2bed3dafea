# SPDX-License-Identifier: MIT
# Toolchain file: builds for 64-bit Arm on another machine with Debian's packages, and runs tests under
# qemu-user. docs/aarch64.md has the packages and what is checked so.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
find_program(CMAKE_CROSSCOMPILING_EMULATOR NAMES qemu-aarch64 qemu-aarch64-static)

# Libraries and pkg-config files of arm64 packages only; headers that have no architecture are shared.
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig)
