// SPDX-FileCopyrightText: The rein authors
// SPDX-License-Identifier: MIT

package main

import (
	"context"
	"sync"
	"time"
)

func deriveTimeout(parent context.Context, timeout time.Duration) node {
	ctx, cancel := context.WithTimeout(parent, timeout)
	return node{ctx, cancel}
}
func deriveDeadline(parent context.Context, due time.Time) node {
	ctx, cancel := context.WithDeadline(parent, due)
	return node{ctx, cancel}
}

func loopTimeout(parent context.Context) func(int) {
	return func(n int) {
		for i := 0; i < n; i++ {
			deriveTimeout(parent, time.Hour).cancel()
		}
	}
}
func timeoutAmong(n int) {
	parent, others := newRoot(), make([]node, n)
	random := uint32(1)
	for i := range others {
		random = random*1664525 + 1013904223
		others[i] = deriveTimeout(parent,
			30*time.Minute+time.Duration((random>>8)%3600000)*time.Millisecond)
	}
	printFor("timeout.among", n, timeLoop(loopTimeout(parent)))
	kept = others
}

func lateness(int) {
	const shots = 1000
	late := make([]float64, shots)
	var fired sync.WaitGroup
	fired.Add(shots)
	parent, base := newRoot(), time.Now().Add(100*time.Millisecond)
	for i := range late {
		i := i
		due := base.Add(time.Duration(i)*time.Millisecond +
			time.Duration(i*7919%1000)*time.Microsecond)
		context.AfterFunc(deriveDeadline(parent, due), func() {
			late[i] = float64(time.Since(due))
			fired.Done()
		})
	}
	fired.Wait()
	print("lateness.min", percentile(late, 0))
	print("lateness.p50", percentile(late, 0.5))
	print("lateness.p99", percentile(late, 0.99))
}

func fire(n int) {
	const samples, batches, batch, within = 1000, 10, 500, 2 * time.Second
	parent, nodes := newRoot(), make([]node, n)
	quickest := time.Second // to make one, in batches of which the quickest counts
	for b := 0; b < batches; b++ {
		began := time.Now()
		for i := 0; i < batch; i++ {
			deriveDeadline(parent, began.Add(time.Hour))
		}
		quickest = min(quickest, time.Since(began)/batch)
	}
	ahead := 500*time.Millisecond + 4*quickest*time.Duration(n)

	late := make([]float64, samples)
	var fired sync.WaitGroup
	fired.Add(samples)
	start := time.Now()
	base := start.Add(ahead)
	for i := range nodes {
		due := base.Add(time.Duration(float64(within) * float64(i) / float64(n)))
		nodes[i] = deriveDeadline(parent, due)
		if every := n / samples; i%every == every-1 { // the last is one of them
			shot := i / every
			context.AfterFunc(nodes[i], func() {
				late[shot] = float64(time.Since(due))
				fired.Done()
			})
		}
	}
	printFor("fire.make", n, float64(time.Since(start))/float64(n))
	busy := processor()
	time.Sleep(time.Until(base.Add(within)))
	fired.Wait()
	printFor("fire.processor", n, float64(processor()-busy)/float64(n))
	printFor("fire.p50", n, percentile(late, 0.5))
	printFor("fire.p99", n, percentile(late, 0.99))
}
