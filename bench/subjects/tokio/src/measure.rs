// SPDX-FileCopyrightText: The rein authors
// SPDX-License-Identifier: MIT

//! How a time is taken; as ../../../measure.h does.
use std::arch::asm;
use std::fs;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Instant;

pub fn print(name: &str, figure: f64) {
    println!("{name} {figure:.6}");
}
pub fn print_for(name: &str, n: usize, figure: f64) {
    println!("{name}.{n} {figure:.6}");
}

/// The compiler must think that the value is used. (std's black_box is newer than Debian 12's Rust.)
pub fn keep<T>(value: &T) {
    unsafe { asm!("/* {0} */", in(reg) value, options(nostack, preserves_flags)) }
}

pub fn since(start: Instant) -> f64 {
    start.elapsed().as_nanos() as f64
}

#[repr(C)]
struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}
extern "C" {
    fn clock_gettime(clock: i32, ret: *mut Timespec) -> i32;
    fn sched_getaffinity(pid: i32, size: usize, ret: *mut u64) -> i32;
    fn sched_setaffinity(pid: i32, size: usize, set: *const u64) -> i32;
}
const CLOCK_PROCESS_CPUTIME_ID: i32 = 2;

pub fn processor() -> f64 {
    let mut ts = Timespec { seconds: 0, nanoseconds: 0 };
    unsafe { clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &mut ts) };
    ts.seconds as f64 * 1e9 + ts.nanoseconds as f64
}

pub fn resident() -> f64 {
    let statm = fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<f64>().unwrap() * 4096.0
}

/// Keep the calling thread to the nth processor of the machine, or to the last there is.
pub fn stay_on_processor(nth: usize) {
    let (mut all, mut one) = ([0u64; 16], [0u64; 16]);
    unsafe { sched_getaffinity(0, 128, all.as_mut_ptr()) };
    for cpu in (0..1024).filter(|cpu| all[cpu / 64] >> (cpu % 64) & 1 != 0).take(nth + 1) {
        one = [0; 16];
        one[cpu / 64] = 1 << (cpu % 64);
    }
    unsafe { sched_setaffinity(0, 128, one.as_ptr()) };
}

/// The share p of the values lies below the result.
pub fn percentile(values: &mut [f64], p: f64) -> f64 {
    values.sort_by(|a, b| a.partial_cmp(b).unwrap());
    values[(p * (values.len() - 1) as f64 + 0.5) as usize]
}
/// Whatever disturbs a run makes it longer.
pub fn undisturbed(values: &mut [f64]) -> f64 {
    percentile(values, 0.25)
}

/// How many runs of ns each fit into a third of a second.
pub fn runs_for(ns: f64, most: usize) -> usize {
    (3e8 / (ns + 1.0)).clamp(3.0, most as f64) as usize
}

pub fn time_loop(mut run: impl FnMut(usize)) -> f64 {
    const WANTED: f64 = 2e6;
    let mut n = 64;
    loop {
        let start = Instant::now();
        run(n);
        if since(start) > WANTED {
            break;
        }
        n *= 2;
    }
    let mut ns = [0.0; 31];
    for run_ns in ns.iter_mut() {
        let start = Instant::now();
        run(n);
        *run_ns = since(start) / n as f64;
    }
    undisturbed(&mut ns)
}

fn race<T: Clone + Send + 'static>(n: usize, args: &[T], run: fn(&T, usize)) -> f64 {
    let line = Arc::new(Barrier::new(args.len()));
    let base = Instant::now();
    let racers: Vec<_> = args
        .iter()
        .map(|arg| {
            let (arg, line) = (arg.clone(), line.clone());
            thread::spawn(move || {
                line.wait();
                let start = since(base);
                run(&arg, n);
                (start, since(base))
            })
        })
        .collect();
    let times: Vec<_> = racers.into_iter().map(|racer| racer.join().unwrap()).collect();
    let start = times.iter().map(|t| t.0).fold(f64::INFINITY, f64::min);
    times.iter().map(|t| t.1).fold(0.0, f64::max) - start
}

/// Wall-clock ns for each operation over all threads together.
pub fn time_threads<T: Clone + Send + 'static>(args: &[T], run: fn(&T, usize)) -> f64 {
    const WANTED: f64 = 40e6;
    let mut n = 1024;
    let mut took = race(n, args, run);
    while took < WANTED / 4.0 {
        n *= 2;
        took = race(n, args, run);
    }
    n = (n as f64 * WANTED / took) as usize + 1;
    let mut ns = [0.0; 7];
    for run_ns in ns.iter_mut() {
        *run_ns = race(n, args, run) / (n * args.len()) as f64;
    }
    undisturbed(&mut ns)
}
