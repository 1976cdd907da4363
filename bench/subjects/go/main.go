// SPDX-FileCopyrightText: The rein authors
// SPDX-License-Identifier: MIT

// The operations of ../../operations for Go's context package: `bench OPERATION CASE [N]` prints
// the lines that the C program of that name would.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
)

// What the exit status says of a case that Go cannot do.
const unsupported = 3

var operations = map[string]func(n int){
	"check live":        checkLive,
	"check deadline":    checkDeadline,
	"check cancelled":   checkCancelled,
	"check threads":     checkThreads,
	"derive end":        deriveEnd,
	"derive cancel":     deriveCancel,
	"timeout among":     timeoutAmong,
	"family cancel":     familyCancel,
	"family life":       familyLife,
	"chain cancel":      chainCancel,
	"callback on_off":   callback,
	"value hit":         valueHit,
	"value miss":        valueMiss,
	"value bind":        valueBind,
	"value check":       checkUnder,
	"value derive":      deriveUnder,
	"wake one":          wakeOne,
	"wake two":          wakeTwo,
	"waiters broadcast": waiters,
	"contend shared":    contendShared,
	"contend own":       contendOwn,
	"contend timeout":   contendTimeout,
	"memory child":      memoryChild,
	"memory timeout":    memoryTimeout,
	"memory value":      memoryValue,
	"lateness timers":   lateness,
	"fire many":         fire,
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "version" {
		fmt.Println(runtime.Version()[len("go"):])
		return
	}
	if len(os.Args) < 3 {
		os.Exit(unsupported)
	}
	measure, known := operations[os.Args[1]+" "+os.Args[2]]
	if !known {
		os.Exit(unsupported)
	}
	n := 0
	if len(os.Args) > 3 {
		n, _ = strconv.Atoi(os.Args[3])
	}
	measure(n)
}
