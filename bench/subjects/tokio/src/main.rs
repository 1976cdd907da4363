// SPDX-FileCopyrightText: The rein authors
// SPDX-License-Identifier: MIT

//! The operations of ../../../operations for tokio-util's CancellationToken: `bench OPERATION CASE
//! [N]` prints the lines that the C program of that name would. A token has no deadline: a timeout
//! is a child token beside a Sleep that has been polled once, which puts it into the timing wheel.
mod measure;

use measure::*;
use std::env;
use std::future::Future;
use std::pin::Pin;
use std::process::exit;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{mpsc, Arc, Barrier, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::time::Sleep;
use tokio_util::sync::CancellationToken as Token;

const UNSUPPORTED: i32 = 3;
const MANY: usize = 1_000_000;
const HOUR: Duration = Duration::from_secs(3600);

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}
struct Nobody;
impl Wake for Nobody {
    fn wake(self: Arc<Self>) {}
}
fn nobody() -> Waker {
    Waker::from(Arc::new(Nobody))
}

// ---- Asking, making and ending ----

fn loop_check(asked: &Token, n: usize) {
    for _ in 0..n {
        keep(&asked.is_cancelled());
    }
}
fn check(name: &str, cancelled: bool) {
    let asked = Token::new().child_token();
    if cancelled {
        asked.cancel();
    }
    print(name, time_loop(|n| loop_check(&asked, n)));
}
fn check_threads(threads: usize) {
    let asked = Token::new().child_token();
    print_for("check.threads", threads, time_threads(&vec![asked; threads], loop_check));
}

fn loop_derive(parent: &Token, n: usize) {
    for _ in 0..n {
        parent.child_token().cancel();
    }
}
fn derive(name: &str) {
    let parent = Token::new();
    print(name, time_loop(|n| loop_derive(&parent, n)));
}

/// The nearest thing to a callback: a waiter, registered and taken back.
fn callback() {
    let (watched, waker) = (Token::new(), nobody());
    print(
        "callback",
        time_loop(|n| {
            for _ in 0..n {
                let waiter = watched.cancelled();
                tokio::pin!(waiter);
                assert!(waiter.poll(&mut Context::from_waker(&waker)) == Poll::Pending);
            }
        }),
    );
}

// ---- Families and chains ----

const TOGETHER: usize = 2000;

fn time_cancel(n: usize, families: usize) -> f64 {
    let parents: Vec<_> = (0..families).map(|_| Token::new()).collect();
    let children: Vec<_> =
        parents.iter().flat_map(|parent| (0..n).map(|_| parent.child_token())).collect();
    let start = Instant::now();
    parents.iter().for_each(Token::cancel);
    let took = since(start);
    assert!(children.iter().all(Token::is_cancelled));
    took / (n * families) as f64
}
fn family_cancel(n: usize) {
    let families = TOGETHER / n + 1;
    let start = Instant::now();
    time_cancel(n, families);
    let runs = runs_for(since(start), 41);
    let mut ns: Vec<_> = (0..runs).map(|_| time_cancel(n, families)).collect();
    print_for("family.cancel", n, undisturbed(&mut ns));
}

fn time_life(n: usize, children: &mut Vec<Token>) -> f64 {
    let start = Instant::now();
    let parent = Token::new();
    children.extend((0..n).map(|_| parent.child_token()));
    parent.cancel();
    children.clear();
    since(start)
}
fn family_life(n: usize) {
    let mut children = Vec::with_capacity(n);
    let runs = runs_for(time_life(n, &mut children), 41);
    let mut ns: Vec<_> = (0..runs).map(|_| time_life(n, &mut children) / n as f64).collect();
    print_for("family.life", n, undisturbed(&mut ns));
}

fn time_chain(levels: usize, chains: usize) -> f64 {
    let mut made: Vec<Vec<Token>> = Vec::with_capacity(chains);
    for _ in 0..chains {
        let mut chain = Vec::with_capacity(levels + 1);
        chain.push(Token::new());
        for i in 0..levels {
            chain.push(chain[i].child_token());
        }
        made.push(chain);
    }
    let start = Instant::now();
    made.iter().for_each(|chain| chain[0].cancel());
    let took = since(start);
    for mut chain in made {
        while let Some(lowest) = chain.pop() {
            assert!(lowest.is_cancelled());
        }
    }
    took / (levels * chains) as f64
}
fn chain_cancel(levels: usize) {
    let chains = TOGETHER / levels + 1;
    let start = Instant::now();
    time_chain(levels, chains);
    let runs = runs_for(since(start), 31);
    let mut ns: Vec<_> = (0..runs).map(|_| time_chain(levels, chains)).collect();
    print_for("chain.cancel", levels, undisturbed(&mut ns));
}
fn chain_deep(levels: usize) {
    let small = thread::Builder::new().stack_size(64 * 1024);
    let ns = small.spawn(move || time_chain(levels, 1)).unwrap().join().unwrap();
    print_for("chain.deep", levels, ns);
}

// ---- Waiting ----

fn wake(name: &str, processor: usize) {
    const WAKES: usize = 1000;
    let (leaves, leaf) = mpsc::channel::<Token>();
    let (ran, woke) = mpsc::channel();
    let sleeper = thread::spawn(move || {
        stay_on_processor(processor);
        let runtime = runtime();
        for leaf in leaf {
            runtime.block_on(leaf.cancelled());
            ran.send(Instant::now()).unwrap();
        }
    });
    stay_on_processor(0);
    let mut took = Vec::with_capacity(WAKES);
    for _ in 0..WAKES {
        let top = Token::new();
        leaves.send(top.child_token()).unwrap();
        thread::sleep(Duration::from_micros(200));
        let start = Instant::now();
        top.cancel();
        took.push((woke.recv().unwrap() - start).as_nanos() as f64);
    }
    drop(leaves);
    sleeper.join().unwrap();
    print(&format!("{name}.p50"), percentile(&mut took, 0.5));
    print(&format!("{name}.p99"), percentile(&mut took, 0.99));
}

/// Threads, each with a runtime of its own, as a thread that is not async waits for a token.
fn waiters(n: usize) {
    const RUNS: usize = 9;
    let (mut last, mut busy) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let (awaited, there) = (Token::new(), Arc::new(Barrier::new(n + 1)));
        let running = Arc::new(AtomicUsize::new(0));
        let last_ran = Arc::new(Mutex::new(Instant::now()));
        let threads: Vec<_> = (0..n)
            .map(|_| {
                let (awaited, there) = (awaited.clone(), there.clone());
                let (running, last_ran) = (running.clone(), last_ran.clone());
                let small = thread::Builder::new().stack_size(256 * 1024);
                small
                    .spawn(move || {
                        let runtime = Builder::new_current_thread().build().unwrap();
                        there.wait();
                        runtime.block_on(awaited.cancelled());
                        if running.fetch_add(1, Ordering::AcqRel) + 1 == n {
                            *last_ran.lock().unwrap() = Instant::now();
                        }
                    })
                    .unwrap()
            })
            .collect();
        there.wait();
        thread::sleep(Duration::from_millis(100));
        let start = Instant::now();
        awaited.cancel();
        busy.push(since(start));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        last.push((*last_ran.lock().unwrap() - start).as_nanos() as f64);
    }
    print_for("waiters.last", n, undisturbed(&mut last));
    print_for("waiters.busy", n, undisturbed(&mut busy));
}

// ---- Several threads ----

fn contend_shared(threads: usize) {
    let processors = thread::available_parallelism().map_or(1, |n| n.get());
    let ns = time_threads(&vec![Token::new(); threads], loop_derive);
    print_for("contend.shared", threads, ns);
    print_for("contend.shared.thread", threads, ns * threads.min(processors) as f64);
}
fn contend_own(threads: usize) {
    let mut apart = Vec::new(); // so that parents share no cache line
    let parents: Vec<_> = (0..threads)
        .map(|_| {
            apart.extend((0..16).map(|_| Token::new()));
            Token::new()
        })
        .collect();
    print_for("contend.own", threads, time_threads(&parents, loop_derive));
}

// ---- Memory ----

/// What a Vec's own room takes is not counted, but for what a handle has more than a pointer.
fn memory<T>(name: &str, mut make: impl FnMut(usize) -> T) -> (Vec<T>, f64) {
    let mut live = Vec::with_capacity(MANY);
    let before = resident();
    live.extend((0..MANY).map(&mut make));
    print(name, (resident() - before) / MANY as f64 - 8.0);
    (live, before)
}
fn memory_child() {
    let parent = Token::new();
    let (live, before) = memory("memory.child", |_| parent.child_token());
    drop(live);
    print("memory.left", (resident() - before) / MANY as f64);
}

// ---- Timeouts ----

fn timeout(parent: &Token, waker: &Waker, after: Duration) -> (Token, Pin<Box<Sleep>>) {
    let mut sleep = Box::pin(tokio::time::sleep(after));
    assert!(sleep.as_mut().poll(&mut Context::from_waker(waker)) == Poll::Pending);
    (parent.child_token(), sleep)
}
fn timeout_among(n: usize) {
    let (runtime, parent, waker) = (runtime(), Token::new(), nobody());
    let _inside = runtime.enter();
    let mut random = 1u32;
    let others: Vec<_> = (0..n)
        .map(|_| {
            random = random.wrapping_mul(1664525).wrapping_add(1013904223);
            let more = Duration::from_millis((random >> 8) as u64 % 3_600_000);
            timeout(&parent, &waker, HOUR / 2 + more)
        })
        .collect();
    let ns = time_loop(|n| {
        for _ in 0..n {
            let (child, sleep) = timeout(&parent, &waker, HOUR);
            child.cancel();
            drop((child, sleep));
        }
    });
    print_for("timeout.among", n, ns);
    keep(&others);
    exit(0); // the others go with the process
}
fn memory_timeout() {
    let (runtime, parent, waker) = (runtime(), Token::new(), nobody());
    let _inside = runtime.enter();
    let (live, _) = memory("memory.timeout", |i| {
        timeout(&parent, &waker, HOUR + Duration::from_millis((i * 7919 % MANY) as u64))
    });
    keep(&live);
    exit(0);
}

/// One task for each, as a program has. Resolves to how late it was.
async fn shot(child: Token, due: tokio::time::Instant) -> f64 {
    tokio::select! {
        biased;
        _ = child.cancelled() => 0.0,
        _ = tokio::time::sleep_until(due) => {
            child.cancel();
            due.elapsed().as_nanos() as f64
        }
    }
}
/// Fires n shots: what making took, what firing took of the processors, and how late each was.
fn shoot(n: usize, ahead: Duration, offset: impl Fn(usize) -> Duration) -> (f64, f64, Vec<f64>) {
    runtime().block_on(async {
        let (parent, start) = (Token::new(), Instant::now());
        let base = tokio::time::Instant::from_std(start) + ahead;
        let tasks: Vec<_> =
            (0..n).map(|i| tokio::spawn(shot(parent.child_token(), base + offset(i)))).collect();
        tokio::task::yield_now().await; // they arm their timers
        let (made, busy) = (since(start), processor());
        let mut late = Vec::with_capacity(n);
        for task in tasks {
            late.push(task.await.unwrap());
        }
        (made, processor() - busy, late)
    })
}
fn lateness() {
    let (_, _, mut late) = shoot(1000, Duration::from_millis(100), |i| {
        Duration::from_micros((i * 1000 + i * 7919 % 1000) as u64)
    });
    print("lateness.min", percentile(&mut late, 0.0));
    print("lateness.p50", percentile(&mut late, 0.5));
    print("lateness.p99", percentile(&mut late, 0.99));
}
fn fire(n: usize) {
    let ahead = Duration::from_millis(500) + Duration::from_micros(8) * n as u32;
    let (made, busy, mut late) =
        shoot(n, ahead, |i| Duration::from_nanos((2e9 * i as f64 / n as f64) as u64));
    print_for("fire.make", n, made / n as f64);
    print_for("fire.processor", n, busy / n as f64);
    print_for("fire.p50", n, percentile(&mut late, 0.5));
    print_for("fire.p99", n, percentile(&mut late, 0.99));
}

fn main() {
    let args: Vec<_> = env::args().skip(1).collect();
    let n = args.get(2).map_or(0, |n| n.parse().unwrap());
    thread::spawn(|| loop {
        thread::park(); // a second thread, as everywhere
    });
    match args[..args.len().min(2)].join(" ").as_str() {
        "check live" => check("check.live", false),
        "check cancelled" => check("check.cancelled", true),
        "check threads" => check_threads(n),
        "derive end" => derive("derive.end"),
        "derive cancel" => derive("derive.cancel"),
        "callback on_off" => callback(),
        "family cancel" => family_cancel(n),
        "family life" => family_life(n),
        "chain cancel" => chain_cancel(n),
        "chain deep" => chain_deep(n),
        "wake one" => wake("wake.one", 0),
        "wake two" => wake("wake.two", 1),
        "waiters broadcast" => waiters(n),
        "contend shared" => contend_shared(n),
        "contend own" => contend_own(n),
        "memory child" => memory_child(),
        "memory timeout" => memory_timeout(),
        "timeout among" => timeout_among(n),
        "lateness timers" => lateness(),
        "fire many" => fire(n),
        _ => exit(UNSUPPORTED),
    }
}
