#!/usr/bin/env bash
# FastXen's build: everything a machine needs to build, run and test FastXen. `./build.sh help` lists the commands.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=$root/out
configuration=Release
cd "$root"

export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
export LC_ALL=C.UTF-8

say() { printf 'build.sh: %s\n' "$*"; }
fail() { printf 'build.sh: %s\n' "$*" >&2; exit 1; }

usage() {
    cat <<'TEXT'
usage: ./build.sh COMMAND

  run        build the executable and the guests, then boot guests/xen.json: a dom0 and two domUs, which show what they
             can and end; with --stay dom0 stays, with a prompt (guests/xen-stay.json)
  test       check the formatting, build everything, run every test
  bench      measure the engines' speed against this host; results in perf/results. --gate compares with
             perf/baseline.json; --code, --kernel, --counted measure a part (perf/README.md); --scheduler first
             measures the scheduler instead, --tracing first what tracing costs, --domains first 200 idle domains,
             --xen first the Xen interface
  publish    build the NativeAOT executable out/fastxen
  guests     assemble the guests of native/ to out/guests
  help       this text

What a Debian machine lacks for a command is installed with apt-get (the .NET 10 SDK excepted).
FASTXEN_KIT names the guest kit (default: ../shared/kit); without it the tests that need it are skipped.
TEXT
}

# --- what the machine must have -----------------------------------------------------------------------------------

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else fail "not root and no sudo: run as root: $*"
    fi
}

# Installs those of the named Debian packages that are missing.
need_packages() {
    local missing=() package
    for package in "$@"; do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null || fail "this machine lacks ${missing[*]} (names of Debian packages) and has no apt-get: install them by hand"
    if [ -z "${apt_updated:-}" ]; then
        say "apt-get update"
        as_root apt-get update -qq
        apt_updated=1
    fi
    say "installing ${missing[*]}"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

need_dotnet() {
    command -v dotnet >/dev/null || fail "the .NET 10 SDK is missing ('dotnet' is not in PATH): see https://dotnet.microsoft.com/download/dotnet/10.0"
    dotnet --version >/dev/null 2>&1 || fail "the .NET SDK here does not satisfy global.json: $(dotnet --version 2>&1 | head -n 3 | tr '\n' ' ')"
    # The SDK's own culture data; FastXen itself needs none.
    if ! compgen -G '/usr/lib/*/libicuuc.so.*' >/dev/null; then export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1; fi
}

# --- things that are built ------------------------------------------------------------------------------------------

# Digest of the files below the given paths: their names and contents, build products left out.
digest() {
    find "$@" -type d \( -name bin -o -name obj \) -prune -o -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1
}

# up_to_date PRODUCT DIGEST: whether PRODUCT was made from sources with this digest.
up_to_date() { [ -e "$1" ] && [ "$(cat "$1.sources" 2>/dev/null || true)" = "$2" ]; }

publish() {
    need_packages clang zlib1g-dev binutils
    need_dotnet
    local sources
    sources=$(digest src Directory.Build.props Directory.Packages.props global.json .editorconfig build.sh)
    if up_to_date "$out/fastxen" "$sources"; then say "out/fastxen is up to date"; return; fi
    say "publishing out/fastxen (NativeAOT, a minute or two)"
    local directory=$out/publish
    rm -rf "$directory"
    dotnet publish src/FastXen/FastXen.csproj -c $configuration -r linux-x64 -o "$directory" -v quiet --nologo
    mv -f "$directory/fastxen" "$out/fastxen"
    rm -rf "$directory"
    echo "$sources" > "$out/fastxen.sources"
    say "out/fastxen: $(du -h --apparent-size "$out/fastxen" | cut -f1)"
}

# The executable without the emit sites of traces: the other side of what tracing costs.
publish_untraced() {
    if up_to_date "$out/fastxen-untraced" "$(cat "$out/fastxen.sources")"; then return; fi
    say "publishing out/fastxen-untraced"
    local directory=$out/untraced
    # With intermediate files of its own: the constants differ.
    dotnet publish src/FastXen/FastXen.csproj -c $configuration -r linux-x64 -p:FastXenTracing=false --artifacts-path "$directory" -o "$directory/publish" -v quiet --nologo
    mv -f "$directory/publish/fastxen" "$out/fastxen-untraced"
    rm -rf "$directory"
    cp "$out/fastxen.sources" "$out/fastxen-untraced.sources"
}

guests() {
    need_packages binutils-ia64-linux-gnu
    mkdir -p "$out/guests"
    local guest name sources objects source object
    for guest in native/*/main.s; do
        guest=$(dirname "$guest")
        name=$(basename "$guest")
        sources=$(digest native/startup "$guest" build.sh)
        if up_to_date "$out/guests/$name" "$sources"; then continue; fi
        say "assembling out/guests/$name"
        objects=()
        mkdir -p "$out/obj/$name"
        for source in native/startup/*.s "$guest"/*.s; do
            object=$out/obj/$name/$(basename "$source" .s).o
            ia64-linux-gnu-as -xexplicit --fatal-warnings -I native/startup -I "$guest" -o "$object" "$source"
            objects+=("$object")
        done
        ia64-linux-gnu-ld --no-warn-rwx-segments --fatal-warnings -static -nostdlib -T native/startup/guest.ld -o "$out/guests/$name" "${objects[@]}"
        echo "$sources" > "$out/guests/$name.sources"
    done
    # Guests in C are in the repository as the kit's compiler made them (native/bench/compile.sh).
    for guest in native/*/*.elf; do
        cp -u "$guest" "$out/guests/$(basename "$guest" .elf)"
    done
}

# --- commands ---------------------------------------------------------------------------------------------------------

run() {
    local config=guests/xen.json
    case ${1:-} in
        '') ;;
        --stay) config=guests/xen-stay.json ;;
        *) fail "run: there is no option $1, only --stay" ;;
    esac
    publish
    guests
    say "out/fastxen run $config"
    exec "$out/fastxen" run "$config"
}

# The counters of a test project's .trx file, as "passed failed skipped".
counters() {
    sed -n 's/.*<Counters total="\([0-9]*\)" executed="\([0-9]*\)" passed="\([0-9]*\)".*/\1 \2 \3/p' "$1" | {
        read -r total executed passed
        echo "$passed $((executed - passed)) $((total - executed))"
    }
}

# Runs a step of the tests in a process of its own, so that its failure is counted and the rest still runs.
step() {
    "$@" && return
    say "FAILED: $*"
    failed=$((failed + 1))
}

run_tests() {
    need_packages spin gcc libc6-dev
    need_dotnet
    local results=$out/test-results project name passed=0 failed=0 skipped=0 p f s status
    step "$root/build.sh" publish
    step "$root/build.sh" guests
    say "checking the formatting"
    step dotnet format FastXen.sln --verify-no-changes -v quiet
    say "building"
    step dotnet build FastXen.sln -c $configuration -v quiet --nologo

    say "counted work against perf/baseline.json"
    step "$root/build.sh" bench --counted --gate --output "$out/counted.json"

    rm -rf "$results"
    mkdir -p "$results"
    for project in tests/*/*.csproj; do
        name=$(basename "$project" .csproj)
        say "$name"
        status=0
        dotnet test "$project" -c $configuration --no-build --nologo --results-directory "$results" \
            --logger "trx;LogFileName=$name.trx" --logger "console;verbosity=${FASTXEN_TEST_VERBOSITY:-minimal}" || status=$?
        p=0 f=0 s=0
        if [ -f "$results/$name.trx" ]; then
            read -r p f s < <(counters "$results/$name.trx")
        fi
        # A build that is missing, or a test host that died, has counted no failure of its own.
        if [ $status -ne 0 ] && [ "$f" = 0 ]; then
            f=1
            say "FAILED: $name ended with status $status"
        fi
        passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    done
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" = 0 ]
}

# The program that measures a kernel's paths: for the host's Linux, and for the kit's with the kit's compiler.
kernel_paths() {
    local kit=${FASTXEN_KIT:-$root/../shared/kit} sources
    gcc -O2 -static -o "$out/kernelpaths.native" native/kernelpaths/kernelpaths.c
    if [ ! -f "$kit/toolchain.tar.xz" ]; then say "no guest kit: kernel paths are left out"; return; fi
    need_packages xz-utils binutils-ia64-linux-gnu
    sources=$(digest "$kit/toolchain.tar.xz")
    if ! up_to_date "$out/toolchain" "$sources"; then
        say "unpacking out/toolchain"
        rm -rf "$out/toolchain"
        mkdir -p "$out/toolchain"
        tar -xJf "$kit/toolchain.tar.xz" -C "$out/toolchain"
        echo "$sources" > "$out/toolchain.sources"
    fi
    "$out/toolchain/bin/ia64-linux-gnu-gcc" -O2 -static -s -o "$out/kernelpaths.guest" native/kernelpaths/kernelpaths.c
}

# The program of perf/, in one of its modes.
measure() { dotnet run --project perf/FastXen.Perf -c $configuration -v quiet -- "$@"; }

bench() {
    local mode=${1:-}
    case $mode in
        --scheduler | --domains | --xen)
            shift
            publish
            guests
            measure "${mode#--}" "$@"
            return ;;
        --tracing)
            shift
            need_packages valgrind
            publish
            publish_untraced
            guests
            measure tracing "$out/fastxen-untraced" "$@"
            return ;;
    esac
    need_packages gcc libc6-dev
    publish
    guests
    say "compiling the host's programs"
    gcc -O2 -o "$out/bench.native" native/bench/*.c
    kernel_paths
    measure measure "$@"
}

command=${1:-help}
[ $# -eq 0 ] || shift
case $command in
    run) run "$@" ;;
    test) run_tests ;;
    bench) bench "$@" ;;
    publish) publish ;;
    guests) guests ;;
    help|-h|--help) usage ;;
    *) printf 'build.sh: no command "%s"\n\n' "$command" >&2; usage >&2; exit 2 ;;
esac
