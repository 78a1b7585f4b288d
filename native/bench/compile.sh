#!/usr/bin/env bash
# compile.sh COMPILER OUTPUT: compiles the benchmark for the guest with the kit's cross compiler (gcc 12.2; it needs
# binutils-ia64-linux-gnu). What it leaves is byte for byte the bench.elf of this folder.
set -euo pipefail
compiler=$(realpath "$1")
output=$(realpath -m "$2")
cd "$(dirname "${BASH_SOURCE[0]}")"
export LC_ALL=C
"$compiler" -O2 -Wall -Wextra -Werror -fno-asynchronous-unwind-tables \
    -Wa,-I../startup -static -nostdlib -nostartfiles -s \
    -Wl,-z,max-page-size=4096,--build-id=none,--fatal-warnings,--no-warn-rwx-segments,-T,../startup/guest.ld -o "$output" \
    ../startup/start.s ../startup/vectors.s ../startup/console.s ./*.s ./*.c -lgcc
