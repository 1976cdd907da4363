# SPDX-FileCopyrightText: The rein authors
# SPDX-License-Identifier: MIT
# The front door. Meson does the building; this file only knows what to ask of it.
#
#   make demo      build the search service of examples/docsearch and play it with real clients
#   make serve     the same service, to try by hand (ARGS=--help); stop it with Ctrl-C
#   make test      the whole suite: plain, sanitizers, valgrind, failing memory, seeded mistakes, storms
#   make bench     what rein costs, beside a bare floor and the libraries that are installed; ROUNDS=1
#                  OPS=regex SUBJECTS='rein floor' for less of it, FORMAT=markdown or json
#   make performance  the same with all the libraries that Debian 12 has, which this installs, into
#                  docs/performance.md; make bench-plots draws only its plots, of the last run
#   make stress    the storms alone, SECONDS=60 SEED=0 (0: a new one) for as long as you like
#   make install   the library, headers and pages, to PREFIX=/usr/local (DESTDIR is honoured)
#   make setup     install what the others need, where it is missing; demo, test, bench do it too
#   make clean     remove build/
#
# demo and test work on a bare Debian 12 with git and make: they install the packages they miss.

MESON_SETUP = meson setup --wrap-mode=nodownload
SHIPPED = --buildtype=release -Doptimization=2 # -O3 is a sixth larger, and no faster
PREFIX = /usr/local
SECONDS = 60
SEED = 0
ARGS =
ROUNDS = 5
OPS =
SUBJECTS =
FORMAT = text

.PHONY: all demo serve build-demo test bench bench-plots performance stress install setup clean

all: build/plain/build.ninja
	ninja -C build/plain

build/plain/build.ninja:
	$(MESON_SETUP) build/plain

demo: build-demo
	examples/docsearch/demo build/demo

serve: build-demo
	build/demo/examples/docsearch/docsearch --database build/demo/docsearch.db $(ARGS)

build-demo:
	scripts/setup demo
	test -f build/demo/build.ninja || $(MESON_SETUP) \
	    -Dtests=disabled -Dbench=disabled -Dman=disabled build/demo
	ninja -C build/demo

test:
	scripts/setup test
	scripts/test

stress:
	scripts/setup test
	scripts/test --seconds $(SECONDS) --seed $(SEED) stress-tsan stress-asan

bench: # quietly: FORMAT=json may go down a pipe
	@scripts/setup build
	@bench/run --rounds '$(ROUNDS)' --ops '$(OPS)' --subjects '$(SUBJECTS)' --format '$(FORMAT)' \
	    build/bench

bench-plots:
	test -f build/bench/results.json || $(MAKE) bench OPS='^(contend.shared|timeout.among)'
	bench/plot build/bench docs/performance

performance:
	scripts/setup bench
	bench/run --rounds '$(ROUNDS)' --update docs/performance.md build/bench
	bench/plot build/bench docs/performance

install:
	scripts/setup build
	test -f build/install/build.ninja || $(MESON_SETUP) $(SHIPPED) --strip \
	    -Dtests=disabled -Dexamples=disabled -Dbench=disabled --prefix='$(PREFIX)' build/install
	meson configure build/install -Dprefix='$(PREFIX)'
	meson install -C build/install

setup:
	scripts/setup test

clean:
	rm -rf build
