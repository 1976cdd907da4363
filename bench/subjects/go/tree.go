// SPDX-FileCopyrightText: The rein authors
// SPDX-License-Identifier: MIT

package main

import (
	"context"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// A context with what ends it: the two are kept together, as C programs keep a pointer.
type node struct {
	context.Context
	cancel context.CancelFunc
}

func derive(parent context.Context) node {
	ctx, cancel := context.WithCancel(parent)
	return node{ctx, cancel}
}
func newRoot() node { return derive(context.Background()) }

var kept any // what the compiler must not see through, or the collector not take

// ---- Asking ----

func loopCheck(asked context.Context) func(int) {
	return func(n int) {
		done := 0
		for i := 0; i < n; i++ {
			if asked.Err() != nil {
				done++
			}
		}
		kept = done
	}
}
func checkLive(int) { print("check.live", timeLoop(loopCheck(derive(newRoot())))) }
func checkDeadline(int) {
	print("check.deadline", timeLoop(loopCheck(deriveTimeout(newRoot(), time.Hour))))
}
func checkCancelled(int) {
	asked := derive(newRoot())
	asked.cancel()
	print("check.cancelled", timeLoop(loopCheck(asked)))
}
func checkThreads(n int) {
	asked := derive(newRoot())
	printFor("check.threads", n, timeThreads(n, func(int) func(int) {
		return func(n int) {
			for i := 0; i < n; i++ {
				if asked.Err() != nil {
					panic("cancelled")
				}
			}
		}
	}))
}

// ---- Making and ending ----

func loopDerive(parent context.Context) func(int) {
	return func(n int) {
		for i := 0; i < n; i++ {
			derive(parent).cancel()
		}
	}
}
func deriveEnd(int)    { print("derive.end", timeLoop(loopDerive(newRoot()))) }
func deriveCancel(int) { print("derive.cancel", timeLoop(loopDerive(newRoot()))) }

func callback(int) {
	watched, nothing := newRoot(), func() {}
	print("callback", timeLoop(func(n int) {
		for i := 0; i < n; i++ {
			context.AfterFunc(watched, nothing)()
		}
	}))
}

// ---- Families and chains ----

const together = 2000

func timeCancel(n, families int, parents, children []node) float64 {
	for f := range parents {
		parents[f] = newRoot()
		for i := 0; i < n; i++ {
			children[f*n+i] = derive(parents[f])
		}
	}
	start := now()
	for f := range parents {
		parents[f].cancel()
	}
	took := now() - start
	for i := range children {
		if children[i].Err() == nil {
			panic("live")
		}
	}
	return float64(took) / float64(n*families)
}
func familyCancel(n int) {
	families := together/n + 1
	parents, children := make([]node, families), make([]node, n*families)
	start := now()
	timeCancel(n, families, parents, children)
	ns := make([]float64, runsFor(float64(now()-start), 41))
	for i := range ns {
		ns[i] = timeCancel(n, families, parents, children)
	}
	printFor("family.cancel", n, undisturbed(ns))
}

func timeLife(children []node) float64 {
	start := now()
	parent := newRoot()
	for i := range children {
		children[i] = derive(parent)
	}
	parent.cancel()
	for i := range children {
		children[i] = node{}
	}
	return float64(now() - start)
}
func familyLife(n int) {
	children := make([]node, n)
	ns := make([]float64, runsFor(timeLife(children), 41))
	for i := range ns {
		ns[i] = timeLife(children) / float64(n)
	}
	printFor("family.life", n, undisturbed(ns))
}

func timeChain(levels, chains int, nodes []node) float64 {
	for c := 0; c < chains; c++ {
		at := nodes[c*(levels+1):]
		at[0] = newRoot()
		for i := 1; i <= levels; i++ {
			at[i] = derive(at[i-1])
		}
	}
	start := now()
	for c := 0; c < chains; c++ {
		nodes[c*(levels+1)].cancel()
	}
	took := now() - start
	for i := range nodes {
		if nodes[i].Err() == nil {
			panic("live")
		}
	}
	return float64(took) / float64(levels*chains)
}
func chainCancel(levels int) {
	chains := together/levels + 1
	nodes := make([]node, (levels+1)*chains)
	start := now()
	timeChain(levels, chains, nodes)
	ns := make([]float64, runsFor(float64(now()-start), 31))
	for i := range ns {
		ns[i] = timeChain(levels, chains, nodes)
	}
	printFor("chain.cancel", levels, undisturbed(ns))
}

// ---- Waiting ----

// On threads of their own, as the C programs do.
func wake(name string, processor int) {
	const wakes = 1000
	leaves, woke := make(chan node), make(chan int64)
	go func() {
		stayOnProcessor(processor)
		for leaf := range leaves {
			<-leaf.Done()
			woke <- now()
		}
	}()
	stayOnProcessor(0)
	took := make([]float64, wakes)
	for i := range took {
		top := newRoot()
		leaves <- derive(top)
		time.Sleep(200 * time.Microsecond)
		start := now()
		top.cancel()
		took[i] = float64(<-woke - start)
	}
	print(name+".p50", percentile(took, 0.5))
	print(name+".p99", percentile(took, 0.99))
}
func wakeOne(int) { wake("wake.one", 0) }
func wakeTwo(int) { wake("wake.two", 1) }

// Goroutines, not threads: that is what waits in Go.
func waiters(n int) {
	const runs = 9
	last, busy := make([]float64, runs), make([]float64, runs)
	for run := range last {
		var there, gone sync.WaitGroup
		var running atomic.Int64
		var lastRan int64
		awaited := newRoot()
		there.Add(n)
		gone.Add(n)
		for i := 0; i < n; i++ {
			go func() {
				there.Done()
				<-awaited.Done()
				if running.Add(1) == int64(n) {
					lastRan = now()
				}
				gone.Done()
			}()
		}
		there.Wait()
		time.Sleep(100 * time.Millisecond)
		start := now()
		awaited.cancel()
		busy[run] = float64(now() - start)
		gone.Wait()
		last[run] = float64(lastRan - start)
	}
	printFor("waiters.last", n, undisturbed(last))
	printFor("waiters.busy", n, undisturbed(busy))
}

// ---- Several threads ----

func contendShared(threads int) {
	parent := newRoot()
	ns := timeThreads(threads, func(int) func(int) { return loopDerive(parent) })
	printFor("contend.shared", threads, ns)
	printFor("contend.shared.thread", threads, ns*float64(min(threads, runtime.NumCPU())))
}
func contendOwn(threads int) {
	var apart []node // so that parents share no cache line
	printFor("contend.own", threads, timeThreads(threads, func(int) func(int) {
		for i := 0; i < 16; i++ {
			apart = append(apart, newRoot())
		}
		return loopDerive(newRoot())
	}))
	kept = apart
}
func contendTimeout(threads int) {
	parent := newRoot()
	printFor("contend.timeout", threads,
		timeThreads(threads, func(int) func(int) { return loopTimeout(parent) }))
}

// ---- Memory ----

const many = 1000000

func memory(name string, n int, make1 func(i int) node) {
	nodes := make([]node, n)
	for i := range nodes {
		nodes[i].Context = context.Background() // touched
	}
	debug.FreeOSMemory()
	before := resident()
	for i := range nodes {
		nodes[i] = make1(i)
	}
	debug.FreeOSMemory() // what lives, not what the collector has yet to find
	// The interface and the function are more than a pointer: the rest of the handle counts.
	print(name, (resident()-before)/float64(n)+16)
	kept = nodes
}
func memoryChild(int) {
	parent := newRoot()
	memory("memory.child", many, func(int) node { return derive(parent) })
}
func memoryTimeout(int) {
	parent := newRoot()
	memory("memory.timeout", many, func(i int) node {
		return deriveTimeout(parent, time.Hour+time.Duration(i*7919%many)*time.Millisecond)
	})
}
