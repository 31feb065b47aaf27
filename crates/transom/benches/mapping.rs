//! Mappings within one process: for a quick look at what a change costs.
//!
//! `cargo bench -p transom --bench mapping`. Figures that are to be told to anybody come from
//! `transom bench map`, which measures processes apart, beside bare system calls, and judges the ratios.

use std::sync::RwLock;
use std::sync::atomic::{AtomicU64, Ordering};

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use transom::mapping::{Guarded, Mapping, Shared};

const SIZE: u64 = 64 * 1024;

fn main() {
    divan::main();
}

fn unique(what: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("transom-divan-{what}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

#[divan::bench(args = [4096, SIZE, 1 << 20, 64 << 20])]
fn anonymous_create_and_close(size: u64) -> Mapping {
    Mapping::anonymous(size).expect("a mapping")
}

#[divan::bench]
fn map_and_unmap(bencher: Bencher<'_, '_>) {
    let mapping = Mapping::anonymous(SIZE).expect("a mapping");
    bencher.bench_local(|| mapping.view().expect("a view"));
}

/// A page is given by the kernel when it is first touched.
#[divan::bench]
fn create_map_and_touch_each_page(bencher: Bencher<'_, '_>) {
    bencher.bench_local(|| {
        let mapping = Mapping::anonymous(SIZE).expect("a mapping");
        let view = mapping.view().expect("a view");
        for page in (0..view.len()).step_by(4096) {
            view.store_u32(page, 1).expect("inside the view");
        }
    });
}

#[divan::bench]
fn named_create_map_and_close(bencher: Bencher<'_, '_>) {
    let name = unique("create");
    bencher.bench_local(|| {
        let created = Mapping::create(&name, SIZE).expect("a mapping");
        assert!(!created.existed);
        drop(created.object.view().expect("a view"));
    });
}

#[divan::bench]
fn named_open_map_and_close(bencher: Bencher<'_, '_>) {
    let name = unique("open");
    let _held = Mapping::create(&name, SIZE).expect("a mapping");
    bencher.bench_local(|| drop(Mapping::open(&name).expect("the mapping").view().expect("a view")));
}

mod copy {
    use super::*;

    const LENGTHS: [usize; 6] = [8, 64, 1024, 4096, 64 * 1024, 1 << 20];

    #[divan::bench(args = LENGTHS)]
    fn view_write(bencher: Bencher<'_, '_>, length: usize) {
        let view = Mapping::anonymous(1 << 20).and_then(|mapping| mapping.view()).expect("a view");
        let bytes = vec![1; length];
        bencher.counter(BytesCount::new(length)).bench_local(|| view.write(0, black_box(&bytes)));
    }

    #[divan::bench(args = LENGTHS)]
    fn view_read(bencher: Bencher<'_, '_>, length: usize) {
        let view = Mapping::anonymous(1 << 20).and_then(|mapping| mapping.view()).expect("a view");
        view.fill(0, 1 << 20, 1).expect("the whole view");
        let mut bytes = vec![0; length];
        bencher.counter(BytesCount::new(length)).bench_local(|| view.read(0, black_box(&mut bytes)));
    }
}

mod value {
    use super::*;

    type Value = [u64; 8];

    #[divan::bench]
    fn guarded_load(bencher: Bencher<'_, '_>) {
        let value = Guarded::<Value>::anonymous().expect("a guarded value");
        bencher.bench_local(|| black_box(&value).load());
    }

    #[divan::bench]
    fn guarded_store(bencher: Bencher<'_, '_>) {
        let value = Guarded::<Value>::anonymous().expect("a guarded value");
        bencher.bench_local(|| black_box(&value).store(black_box(&[1; 8])));
    }

    #[divan::bench]
    fn shared_load(bencher: Bencher<'_, '_>) {
        let value = Shared::<Value>::anonymous().expect("a shared value");
        bencher.bench_local(|| black_box(&value).load());
    }

    #[divan::bench]
    fn shared_store(bencher: Bencher<'_, '_>) {
        let value = Shared::<Value>::anonymous().expect("a shared value");
        bencher.bench_local(|| black_box(&value).store(black_box(&[1; 8])));
    }

    /// The floor for loads, between threads of one process only.
    #[divan::bench]
    fn std_rwlock_read(bencher: Bencher<'_, '_>) {
        let value = RwLock::new([0_u64; 8]);
        bencher.bench_local(|| *black_box(&value).read().expect("nobody panicked"));
    }

    /// The floor for stores.
    #[divan::bench]
    fn std_rwlock_write(bencher: Bencher<'_, '_>) {
        let value = RwLock::new([0_u64; 8]);
        bencher.bench_local(|| *black_box(&value).write().expect("nobody panicked") = black_box([1; 8]));
    }
}
