// SPDX-FileCopyrightText: The rein authors
// SPDX-License-Identifier: MIT

package main

import (
	"context"
	"runtime/debug"
)

type key int

// Boxed once: a program's keys are variables of a package.
var topmost, absent any = key(0), key(-1)

func lineUnder(below context.Context, n int) context.Context {
	for i := 0; i < n; i++ {
		below = context.WithValue(below, key(i), i)
	}
	return below
}
func loopLookup(at context.Context, key any) func(int) {
	return func(n int) {
		for i := 0; i < n; i++ {
			kept = at.Value(key)
		}
	}
}
func valueHit(depth int) {
	printFor("value.hit", depth, timeLoop(loopLookup(lineUnder(newRoot(), depth), topmost)))
}
func valueMiss(depth int) {
	printFor("value.miss", depth, timeLoop(loopLookup(lineUnder(newRoot(), depth), absent)))
}
func valueBind(depth int) {
	at := lineUnder(newRoot(), depth)
	printFor("value.bind", depth, timeLoop(func(n int) {
		for i := 0; i < n; i++ {
			kept = context.WithValue(at, absent, i)
		}
	}))
}
func checkUnder(depth int) {
	printFor("check.under", depth, timeLoop(loopCheck(lineUnder(newRoot(), depth))))
}
func deriveUnder(depth int) {
	printFor("derive.under", depth, timeLoop(loopDerive(lineUnder(newRoot(), depth))))
}
func memoryValue(depth int) {
	lines := many / 2 / depth
	lowest := make([]context.Context, lines)
	for i := range lowest {
		lowest[i] = context.Background() // touched
	}
	parent := newRoot()
	debug.FreeOSMemory()
	before := resident()
	for i := range lowest {
		lowest[i] = lineUnder(parent, depth)
	}
	debug.FreeOSMemory()
	printFor("memory.value", depth, (resident()-before)/float64(lines*depth))
	kept = lowest
}
