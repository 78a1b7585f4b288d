#!/usr/bin/env bash
# compile.sh COMPILER OUTPUT: compiles the kernel with the kit's cross compiler (gcc 12.2; it needs binutils-ia64-linux-gnu). What it
# leaves is byte for byte the xenguest.elf of this folder.
set -euo pipefail
compiler=$(realpath "$1")
output=$(realpath -m "$2")
cd "$(dirname "${BASH_SOURCE[0]}")"
export LC_ALL=C
# Interruptions keep f6 to f11 only, so the compiler may use no other floating-point registers.
"$compiler" -Os -Wall -Wextra -Werror -ffreestanding -fno-asynchronous-unwind-tables -fno-strict-aliasing -fno-common \
    -mfixed-range=f12-f15,f32-f127 -static -nostdlib -nostartfiles -s \
    -Wl,-z,max-page-size=4096,--build-id=none,--fatal-warnings,--no-warn-rwx-segments,-T,guest.ld -o "$output" \
    ./*.s ./*.c -lgcc
