#!/bin/sh
# SPDX-FileCopyrightText: The rein authors
# SPDX-License-Identifier: MIT
# names.sh: for every page of section 3 here, a line with the page's own name and then the other names
# under its NAME, which become links to it.
for page in *.3; do
    awk -v page="${page%.3}" '
        /^\.Sh/ { in_name = $2 == "NAME" }
        in_name && $1 == ".Nm" && $2 != page { others = others " " $2 }
        END { print page others }' "$page"
done
