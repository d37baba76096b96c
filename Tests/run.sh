#!/usr/bin/env bash
# Sets up what the tests need, builds, and runs everything: a minute of fuzzing, then the tests.
#
#   Tests/run.sh                          everything
#   Tests/run.sh --filter ExampleTests    only these; whatever is given goes to `swift test`, and nothing is fuzzed
#
# ROUSE_FUZZ_SECONDS=0 leaves the fuzzing out.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '== %s\n' "$*"; }

# --- set-up --------------------------------------------------------------------------------------------------------

command -v swift >/dev/null || {
    echo "There is no Swift toolchain (6.3 or later): https://www.swift.org/install/linux/" >&2
    exit 69
}

is_installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }
# Whether a program is there; how it came does not matter.
is_there() { command -v "$1" >/dev/null; }
can_validate() { python3 -c 'import jsonschema; jsonschema.Draft202012Validator' 2>/dev/null; }

missing=()
for package in libinotifytools0-dev libsqlite3-dev; do is_installed "$package" || missing+=("$package"); done
for program in git strace tmux python3; do is_there "$program" || missing+=("$program"); done
can_validate || missing+=(python3-jsonschema)

if [ ${#missing[@]} -gt 0 ]; then
    root=()
    [ "$(id -u)" = 0 ] || root=(sudo -n)
    if ! is_there apt-get || { [ "$(id -u)" != 0 ] && ! sudo -n true 2>/dev/null; }; then
        echo "Not installed, as this is not root and sudo wants a password or is not there: ${missing[*]}" >&2
    else
        say "installing ${missing[*]}"
        "${root[@]}" apt-get -qq update </dev/null >/dev/null || echo "apt-get update failed; going on with the lists that are there" >&2
        for package in "${missing[@]}"; do
            "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$package" </dev/null >/dev/null ||
                echo "could not install $package" >&2
        done
    fi
fi
# Debian's module is for Debian's python3, and may be too old; one for the first python3 in PATH lives in .build/.
if is_there python3 && ! can_validate; then
    export PYTHONPATH=$PWD/.build/python${PYTHONPATH:+:$PYTHONPATH}
    can_validate || python3 -m pip install --quiet --disable-pip-version-check --target .build/python jsonschema </dev/null >/dev/null 2>&1 ||
        echo "could not install the Python module jsonschema (4.0 or later): the tests of the schemas will fail" >&2
fi
# The example agents of the Agent Client Protocol's Python package, to be talked to; the package itself has no examples.
acp=agent-client-protocol==0.12.1
if is_there python3 && [ ! -e .build/python/acp/examples ]; then
    parts=$(mktemp -d)
    if python3 -m pip install --quiet --disable-pip-version-check --target .build/python/acp "$acp" </dev/null >/dev/null 2>&1 &&
        python3 -m pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: --dest "$parts" "$acp" </dev/null >/dev/null 2>&1 &&
        tar -xzf "$parts"/*.tar.gz -C "$parts" --strip-components=1; then
        mv "$parts/examples" .build/python/acp/examples
    else
        echo "could not install the Python package $acp: the tests with its example agents are left out" >&2
    fi
    rm -rf "$parts"
fi
for package in libinotifytools0-dev libsqlite3-dev; do
    is_installed "$package" || echo "$package seems to be missing; the build may fail" >&2
done
for program in git strace tmux python3; do
    is_there "$program" || echo "$program is missing; the tests that use it will fail" >&2
done

# --- build ---------------------------------------------------------------------------------------------------------

say "building"
swift build --build-tests --quiet </dev/null

# --- fuzz ----------------------------------------------------------------------------------------------------------

seconds=${ROUSE_FUZZ_SECONDS:-60}
fuzzed=0
if [ $# = 0 ] && [ "$seconds" -gt 0 ]; then
    say "fuzzing the readers for $seconds s"
    "$(swift build --show-bin-path)/rouse-fuzz" --seconds "$seconds" --seed "$(date +%s)" --corpus Tests/Fixtures || fuzzed=$?
    [ "$fuzzed" = 0 ] || echo "the fuzzer found something (exit code $fuzzed); the input is in fuzz-find-*.json" >&2
fi

# --- test ----------------------------------------------------------------------------------------------------------

say "testing"
swift test --skip-build --disable-xctest "$@" </dev/null
exit "$fuzzed"
