#!/usr/bin/env bash
# Builds Rouse, serves a spool for a moment, drops some tasks of examples/tasks/ into it, and shows what came of them.
#
#   examples/quickstart.sh
#
# ROUSE_SPOOL=DIR       the spool (default: ./spool of this repository)
# ROUSE_BUILD=release   an optimised build, which takes a few minutes longer (default: debug)
set -euo pipefail
spool=$(realpath -m -- "${ROUSE_SPOOL:-$(dirname "$0")/../spool}")
cd "$(dirname "$0")/.."
build=${ROUSE_BUILD:-debug}
unset ROUSE_SPOOL ROUSE_JOB_ID

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || say() { printf '\n%s\n' "$*"; }
show() { printf '$ %s\n' "$*"; "$@"; }
fail() { printf 'quickstart: %s\n' "$*" >&2; exit 1; }

# --- what it needs -------------------------------------------------------------------------------------------------

command -v swift >/dev/null || fail "there is no Swift toolchain (6.3 or later): https://www.swift.org/install/linux/"

install_missing() {
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    say "Installing ${missing[*]}"
    local root=()
    [ "$(id -u)" = 0 ] || root=(sudo)
    { [ ${#root[@]} = 0 ] || command -v sudo >/dev/null; } && command -v apt-get >/dev/null ||
        fail "please install these packages, then start this again: ${missing[*]}"
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive sh -c 'apt-get -qq update && apt-get -qq install -y --no-install-recommends "$@"' sh "${missing[@]}" \
        </dev/null >/dev/null || fail "apt-get could not install ${missing[*]}"
}
install_missing libinotifytools0-dev libsqlite3-dev

# --- build ---------------------------------------------------------------------------------------------------------

say "Building rouse, rouse-runner and rouse-agent ($build; the first time takes some minutes)"
for product in rouse-runner rouse-agent rouse; do
    swift build --configuration "$build" --product "$product" --quiet </dev/null || fail "the build failed"
done
PATH=$(swift build --configuration "$build" --show-bin-path):$PATH
show rouse --version

# --- serve ---------------------------------------------------------------------------------------------------------

temporary=$(mktemp -d)
daemon=
stop() {
    [ -z "$daemon" ] || { kill -TERM "$daemon" 2>/dev/null && wait "$daemon"; } || true
    daemon=
    rm -rf "$temporary"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say "A spool is a directory, and one service serves it"
rouse init --quiet "$spool" 2>/dev/null
chmod go-rwx "$spool" "$spool/inbox"
export ROUSE_SPOOL=$spool
cd "$(dirname "$spool")"
s=$(basename "$spool")
show ls "$s"

# The service says "serving" when it begins; its words also go to daemon/daemon.log. Jobs are ended with it if this
# script is stopped early.
mkfifo "$temporary/words"
echo "$ rouse serve &"
rouse serve --kill 2>"$temporary/words" &
daemon=$!
exec 3<"$temporary/words"
serving=
while read -r line <&3; do
    case $line in *" serving "*) serving=yes; break ;; esac
    last=$line
done
[ -n "$serving" ] || fail "the service did not start: ${last:-it said nothing}"
cat <&3 >/dev/null &
exec 3<&-

# --- drop ----------------------------------------------------------------------------------------------------------

examples=$OLDPWD/examples/tasks
# Names of this run, so that it can be run again beside the results of the last time.
run=$(date +%H%M%S)-$$

# By hand: written under a name that is never taken, then renamed.
drop() {
    cp "$examples/$1.json" "$s/inbox/.$1-$run.tmp"
    mv "$s/inbox/.$1-$run.tmp" "$s/inbox/$1-$run.json"
}

say "Dropping a file makes a job of it"
show cat "$examples/hello.json"
echo "$ mv hello.json $s/inbox/hello-$run.json"
drop hello
show rouse wait "hello-$run"
show cat "$s/done/hello-$run/log"
show cat "$s/done/hello-$run/result.json"

say "More of them: output as data, retries with backoff, a time limit, a failure"
for task in result-output retries timeout fails; do drop "$task"; done
rouse wait --quiet "result-output-$run" "retries-$run" "timeout-$run" "fails-$run" && fail "two of them should have failed"
show ls "$s/done" "$s/failed"
show grep -A3 '"output"' "$s/done/result-output-$run/result.json"
show ls "$s/done/retries-$run/attempts"
show grep -A4 '"error"' "$s/failed/timeout-$run/result.json"

say "A failed job is retried by moving it back"
show mv "$s/failed/fails-$run" "$s/inbox/"
show rouse wait "fails-$run"
show cat "$s/done/fails-$run/log"

say "The command line does the same with the same files"
echo "$ rouse drop --wait -- sh -c 'echo from a command; pwd'"
id=$(rouse drop --wait -- sh -c 'echo from a command; pwd')
show rouse log "$id"
rouse list

say "Agents are spoken to by files, too. This one is a script; examples/agents/ has others"
cp "$examples/../agents/script.json" "$s/config/agents/script.json"
show cat "$s/config/agents/script.json"
put() {
    echo "$2" >"$s/inbox/.$1-$run.tmp"
    echo "$ echo '$2' > $s/inbox/$1-$run.json"
    mv "$s/inbox/.$1-$run.tmp" "$s/inbox/$1-$run.json"
}
put open "{\"open\": \"helper-$run\", \"agent\": \"script\"}"
put prompt "{\"session\": \"helper-$run\", \"prompt\": \"Say hello.\"}"
show rouse wait "prompt-$run"
show grep -A3 '"output"' "$s/done/prompt-$run/result.json"

say "A session is woken when something has happened, with one prompt for all of it"
put wake "{\"wake\": \"helper-$run\", \"reason\": \"the roof is on fire\"}"
put work "{\"run\": [\"true\"], \"notify\": \"helper-$run\"}"
show rouse wait "wake-$run"
show grep '"role":"user"' "$s/sessions/helper-$run/transcript.jsonl"
show cat "$s/sessions/helper-$run/state.json"

say "Stopping the service"
kill -TERM "$daemon"
wait "$daemon" || fail "the service ended with $?"
daemon=
show tail -n 2 "$s/daemon/daemon.log"
say "All is well. The results stay in $spool; rouse is in ${PATH%%:*}"
