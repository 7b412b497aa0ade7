//! How long the parts of the hot path take: `cargo bench -p gateway --features benching`.
//!
//! Deliveries are written to real sockets, so most of their time is the kernel's.

use std::cell::RefCell;

use bytes::BytesMut;
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gateway::{
    benching::{Stand, frames, ping, token},
    delivery::Delivery,
};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Members of the room: enough that what an event costs once is little.
const MEMBERS: usize = 100;
/// Events that come together: where few do, and where many do.
const TOGETHER: [usize; 2] = [1, 10];

fn events(criterion: &mut Criterion) {
    let mut stand = Stand::new(MEMBERS);
    let records = [stand.next_record()];
    criterion.bench_function("record to frame", |bench| bench.iter(|| Delivery::announced(records[0].as_bytes())));
    stand.carry(&records);
    let stand = RefCell::new(stand);
    let mut group = criterion.benchmark_group("records to sockets");
    for together in TOGETHER {
        group.throughput(Throughput::Elements((MEMBERS * together) as u64));
        group.bench_function(BenchmarkId::from_parameter(together), |bench| {
            bench.iter_batched(
                || {
                    let mut stand = stand.borrow_mut();
                    stand.drain();
                    (0..together).map(|_| stand.next_record()).collect::<Vec<_>>()
                },
                |records| stand.borrow_mut().carry(&records),
                BatchSize::PerIteration,
            );
        });
    }
}

fn door(criterion: &mut Criterion) {
    let (verifier, token) = token();
    criterion.bench_function("token", |bench| bench.iter(|| verifier.verify(&token)));
    let ping = ping();
    criterion.bench_function("client frame", |bench| {
        bench.iter_batched_ref(|| BytesMut::from(&ping[..]), frames, BatchSize::SmallInput);
    });
}

criterion_group!(benches, events, door);
criterion_main!(benches);
