#!/bin/sh
# SPDX-FileCopyrightText: The rein authors
# SPDX-License-Identifier: MIT
# check.sh mandoc compiler [options]: every page here passes mandoc's lint, and every example on one
# compiles. An example is what stands literally under EXAMPLES; pages of adapters are only linted,
# since their libraries' headers may not be here.
set -u
mandoc=$1
shift
bad=0
example() {
    awk '/^\.Sh/ { examples = /EXAMPLES/ } /^\.Ed/ { code = 0 }
        examples && code { gsub(/\\e/, "\\"); print } /^\.Bd -literal/ { code = 1 }' "$1"
}
for page in *.[37]; do
    "$mandoc" -T lint -W warning "$page" || bad=1
    case $page in
    rein_microhttpd.3 | rein_sqlite3.3) continue ;;
    esac
    if [ -z "$(example "$page")" ]; then
        echo "$page: no example" >&2
        bad=1
    fi
    example "$page" | "$@" -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -fsyntax-only -x c - || {
        echo "$page: its example does not compile" >&2
        bad=1
    }
done
exit $bad
