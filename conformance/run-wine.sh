#!/usr/bin/env bash
# Runs the programs of this folder under Wine and compares them with expected/*.txt.
#
#   conformance/run-wine.sh              all programs
#   conformance/run-wine.sh PROGRAM...   some of them
#
# A line that deviations.toml lists must differ; once it no longer does, the row has to go ("check..." stands for that
# check and all behind it). Exit code 0 only if everything is as expected; what is not is run once more. The prefix is
# WINEPREFIX, or one of its own below the temporary folder. Windows that are not message-only need a display under Wine:
# DISPLAY, or one of its own (xvfb-run).
set -uo pipefail
if [ -z "${DISPLAY:-}" ] && command -v xvfb-run > /dev/null; then
    exec xvfb-run --auto-servernum "$0" "$@"
fi
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 2
compiler=x86_64-w64-mingw32-gcc
for tool in "$compiler" wine timeout; do
    command -v "$tool" > /dev/null || { echo "run-wine: $tool is missing"; exit 2; }
done
built=$(mktemp -d) || exit 2
trap 'rm -rf "$built"' EXIT
export WINEDEBUG=-all
export WINEPREFIX="${WINEPREFIX:-${TMPDIR:-/tmp}/transom-wine-$(id -u)}"
mkdir -p "$WINEPREFIX"
wine wineboot -i > /dev/null 2>&1

# The lines of a program that are known to differ.
known() {
    awk -v program="$1" '
        /^\[\[/ { mine = 0 }
        $1 == "program" { mine = ($3 == "\"" program "\"") }
        $1 == "line" && mine { gsub(/"/, "", $3); print $3 }
    ' deviations.toml
}

# Runs a program; its complaints, if what it prints is not what is expected of it here.
complaints_of() {
    local source=$1 name=$2 from
    rm -rf "${built:?}/$name"
    mkdir -p "$built/$name"
    (cd "$built/$name" && timeout 120 wine "../$name.exe" 2> /dev/null < /dev/null | tr -d '\r' > "$built/$name.txt")
    # Names of the checks whose lines differ.
    diff "$(dirname "$source")/expected/$name.txt" "$built/$name.txt" | sed -n 's/^[<>] \([^:]*\):.*/\1/p' | sort -u > "$built/differ"
    known "$name" | sort -u > "$built/known"
    # A row for "check..." stands for that check and all behind it.
    from=$(sed -n 's/\.\.\.$//p' "$built/known" | head -n 1)
    if [ -n "$from" ] && grep -qx "$from" "$built/differ"; then
        sed -n "/^$from:/,\$ s/^\([^:]*\):.*/\1/p" "$(dirname "$source")/expected/$name.txt" | sort -u > "$built/behind"
        { comm -23 "$built/differ" "$built/behind"; echo "$from..."; } | sort -u > "$built/left"
        mv "$built/left" "$built/differ"
    fi
    diff "$built/known" "$built/differ" | sed -n 's/^< /  no longer differs: /p; s/^> /  differs: /p'
}

failed=0
for source in */*.c; do
    name=$(basename "$source" .c)
    if [ $# -gt 0 ] && [[ " $* " != *" $name "* ]]; then
        continue
    fi
    if ! "$compiler" -std=c99 -Wall -Werror -D_WIN32_WINNT=0x0A00 "$source" -o "$built/$name.exe" -lshell32 -ladvapi32; then
        echo "$name: does not compile"
        failed=1
        continue
    fi
    complaints=$(complaints_of "$source" "$name")
    if [ -n "$complaints" ]; then
        # Once more, as `cargo xtask windows` does: now and then Wine does not start a program at all.
        echo "$name: failed, with $(wc -l < "$built/$name.txt") lines; runs again"
        echo "$complaints"
        complaints=$(complaints_of "$source" "$name")
    fi
    if [ -z "$complaints" ]; then
        echo "$name: ok ($(wc -l < "$built/$name.txt") lines, $(wc -l < "$built/known") known to differ)"
    else
        echo "$name: FAILED"
        echo "$complaints"
        failed=1
    fi
done
exit "$failed"
