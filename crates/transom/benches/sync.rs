//! Events, mutexes, semaphores and waits within one process: for a quick look at what a change costs.
//!
//! `cargo bench -p transom --bench sync`. Two processes, and figures that are to be told to anybody:
//! `transom bench map`.

use divan::{Bencher, black_box};
use transom::event::{Event, EventOptions};
use transom::handle::AsHandle;
use transom::mutex::{Mutex, MutexOptions};
use transom::semaphore::Semaphore;
use transom::wait::{self, Timeout, Wait};

fn main() {
    divan::main();
}

fn unique(what: &str) -> String {
    format!("transom-divan-{what}-{}", std::process::id())
}

mod event {
    use super::*;

    #[divan::bench]
    fn create_and_close() -> Event {
        Event::new(false).expect("an event")
    }

    #[divan::bench]
    fn named_create_and_close(bencher: Bencher<'_, '_>) {
        let options = EventOptions::new().name(&unique("event"));
        bencher.bench_local(|| options.create().expect("an event"));
    }

    #[divan::bench]
    fn set_a_set_one(bencher: Bencher<'_, '_>) {
        let event = Event::new(true).expect("an event");
        event.set().expect("the right to");
        bencher.bench_local(|| event.set());
    }

    #[divan::bench]
    fn wait_on_a_set_manual_one(bencher: Bencher<'_, '_>) {
        let event = Event::new(true).expect("an event");
        event.set().expect("the right to");
        bencher.bench_local(|| wait::one(&event, Timeout::INFINITE));
    }

    #[divan::bench]
    fn set_and_wait(bencher: Bencher<'_, '_>) {
        let event = Event::new(false).expect("an event");
        bencher.bench_local(|| {
            event.set().expect("the right to");
            wait::one(&event, Timeout::INFINITE)
        });
    }

    #[divan::bench]
    fn wait_in_vain_for_no_time(bencher: Bencher<'_, '_>) {
        let event = Event::new(false).expect("an event");
        bencher.bench_local(|| wait::one(&event, Timeout::ZERO));
    }
}

mod mutex {
    use super::*;

    #[divan::bench]
    fn create_and_close() -> Mutex {
        Mutex::new().expect("a mutex")
    }

    #[divan::bench]
    fn named_lock_and_unlock(bencher: Bencher<'_, '_>) {
        let mutex = MutexOptions::new().name(&unique("mutex")).create().expect("a mutex").object;
        bencher.bench_local(|| drop(mutex.lock().expect("the right to")));
    }

    #[divan::bench]
    fn lock_again(bencher: Bencher<'_, '_>) {
        let mutex = Mutex::new().expect("a mutex");
        let _guard = mutex.lock().expect("the right to");
        bencher.bench_local(|| drop(mutex.lock().expect("the right to")));
    }

    /// The floor, between threads of one process only.
    #[divan::bench]
    fn std_lock_and_unlock(bencher: Bencher<'_, '_>) {
        let mutex = std::sync::Mutex::new(0);
        bencher.bench_local(|| drop(black_box(&mutex).lock().expect("nobody panicked")));
    }
}

mod semaphore {
    use super::*;

    #[divan::bench]
    fn release_and_wait(bencher: Bencher<'_, '_>) {
        let semaphore = Semaphore::new(0, 1000).expect("a semaphore");
        bencher.bench_local(|| {
            semaphore.release(1).expect("room for one");
            wait::one(&semaphore, Timeout::INFINITE)
        });
    }
}

mod several {
    use super::*;

    const NUMBERS: [usize; 4] = [1, 2, 8, 64];

    fn events(number: usize) -> Vec<Event> {
        (0..number).map(|_| Event::new(false).expect("an event")).collect()
    }

    fn handles(events: &[Event]) -> Vec<&dyn AsHandle> {
        events.iter().map(|event| event as &dyn AsHandle).collect()
    }

    #[divan::bench(args = NUMBERS)]
    fn any_of_which_the_last_is_set(bencher: Bencher<'_, '_>, number: usize) {
        let events = events(number);
        let all = handles(&events);
        bencher.bench_local(|| {
            events[number - 1].set().expect("the right to");
            wait::any(&all, Timeout::INFINITE)
        });
    }

    #[divan::bench(args = NUMBERS)]
    fn all_set(bencher: Bencher<'_, '_>, number: usize) {
        let events = events(number);
        let all = handles(&events);
        bencher.bench_local(|| {
            events.iter().for_each(|event| event.set().expect("the right to"));
            let wait = wait::all(&all, Timeout::ZERO);
            assert_eq!(wait.expect("the right to"), Wait::Object(0));
        });
    }
}

mod handle {
    use super::*;

    #[divan::bench]
    fn duplicate_and_close(bencher: Bencher<'_, '_>) {
        let event = Event::new(false).expect("an event");
        bencher.bench_local(|| event.as_handle().try_clone().expect("a second handle"));
    }
}
