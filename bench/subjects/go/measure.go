// SPDX-FileCopyrightText: The rein authors
// SPDX-License-Identifier: MIT

package main

import (
	"fmt"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

func print(name string, figure float64)           { fmt.Printf("%s %.6g\n", name, figure) }
func printFor(name string, n int, figure float64) { print(fmt.Sprintf("%s.%d", name, n), figure) }

var epoch = time.Now()

func now() int64 { return int64(time.Since(epoch)) }

func processor() int64 {
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return usage.Utime.Nano() + usage.Stime.Nano()
}

func resident() float64 {
	statm, _ := os.ReadFile("/proc/self/statm")
	pages, _ := strconv.ParseFloat(strings.Fields(string(statm))[1], 64)
	return pages * float64(os.Getpagesize())
}

func percentile(values []float64, share float64) float64 {
	sort.Float64s(values)
	return values[int(share*float64(len(values)-1)+0.5)]
}

// Whatever disturbs a run makes it longer.
func undisturbed(values []float64) float64 { return percentile(values, 0.25) }

// How many runs of ns each fit into a third of a second.
func runsFor(ns float64, most int) int {
	fit := int(3e8 / (ns + 1))
	return min(max(fit, 3), most)
}

// As measure.h's time_loop, but in runs so long that the garbage collector, which is part of what
// an operation costs, has its turns in each.
func timeLoop(loop func(n int)) float64 {
	const runs, wanted = 7, 40e6
	n := 64
	var took int64
	for {
		start := now()
		loop(n)
		if took = now() - start; took > wanted/8 {
			break
		}
		n *= 2
	}
	n = int(float64(n)*wanted/float64(took)) + 1
	ns := make([]float64, runs)
	for i := range ns {
		start := now()
		loop(n)
		ns[i] = float64(now()-start) / float64(n)
	}
	return undisturbed(ns)
}

func race(n int, loops []func(n int)) int64 {
	var group sync.WaitGroup
	line := make(chan struct{})
	for i := range loops {
		loop := loops[i]
		group.Add(1)
		go func() {
			defer group.Done()
			<-line
			loop(n)
		}()
	}
	start := now()
	close(line)
	group.Wait()
	return now() - start
}

// Wall-clock ns for each operation over all goroutines together.
func timeThreads(threads int, loopOf func(i int) func(n int)) float64 {
	const runs, wanted = 7, 40e6
	loops := make([]func(int), threads)
	for i := range loops {
		loops[i] = loopOf(i)
	}
	n := 1024
	var took int64
	for took = race(n, loops); took < wanted/4; took = race(n, loops) {
		n *= 2
	}
	n = int(float64(n)*wanted/float64(took)) + 1
	ns := make([]float64, runs)
	for i := range ns {
		ns[i] = float64(race(n, loops)) / float64(n*threads)
	}
	return undisturbed(ns)
}

// Keep the calling goroutine to a thread of its own, and that to the nth processor of the machine.
func stayOnProcessor(nth int) {
	runtime.LockOSThread()
	var all, one [16]uint64
	size := unsafe.Sizeof(all)
	syscall.RawSyscall(syscall.SYS_SCHED_GETAFFINITY, 0, size, uintptr(unsafe.Pointer(&all)))
	for cpu := 0; cpu < 1024 && nth >= 0; cpu++ {
		if all[cpu/64]>>(cpu%64)&1 != 0 {
			one = [16]uint64{}
			one[cpu/64] = 1 << (cpu % 64)
			nth--
		}
	}
	syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, 0, size, uintptr(unsafe.Pointer(&one)))
}
