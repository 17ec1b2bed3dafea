#!/bin/bash
# SPDX-License-Identifier: MIT
# unload.sh CC INCLUDE LIBRARY: a program that is not linked with the library loads and closes it, at work and often.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$1" -Wall -Wextra -Werror "-I$2/ioasid-kernel" "-I$2/ioasid" "$(dirname "$0")/unload.c" -o "$work/unload" -lpthread -ldl
"$work/unload" "$3"
