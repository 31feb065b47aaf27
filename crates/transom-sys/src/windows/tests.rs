//! What these functions add to the calls: refusals of arguments that would be cut off or read beyond, and
//! reads that end when the kernel is done.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::overlapped::{OnSignal, Operation};
use super::security::{Attributes, Descriptor};
use super::{Handle, event, handle, mapping, mutex, pipe, process, semaphore, system, thread, wait};

const CURRENT_PROCESS: Handle = usize::MAX;
const CURRENT_THREAD: Handle = usize::MAX - 1;
const ALL_ACCESS: u32 = 0x001F_0003;
const FOREVER: u32 = u32::MAX;

fn plain() -> Attributes<'static> {
    Attributes::new(None, false)
}

fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

fn new_event() -> Handle {
    event::create(&plain(), None, true, false, event::ALL_ACCESS).unwrap().handle
}

#[test]
fn a_name_with_a_nul_is_refused_and_not_cut_off() {
    let name = units("a\0b");
    assert_eq!(event::create(&plain(), Some(&name), true, false, event::ALL_ACCESS), Err(123));
    assert_eq!(event::open(event::ALL_ACCESS, false, Some(&name)), Err(123));
    assert_eq!(mutex::create(&plain(), Some(&name), false, 0x001F_0001), Err(123));
    assert_eq!(semaphore::create(&plain(), Some(&name), 0, 1, ALL_ACCESS), Err(123));
    assert_eq!(mapping::create(usize::MAX, &plain(), 4, 4096, Some(&name)), Err(123));
}

#[test]
fn a_name_without_a_terminator_gets_one() {
    let both = units("transom-sys-terminated-and-more");
    let name = &both[..22];
    let created = event::create(&plain(), Some(name), true, false, event::ALL_ACCESS).unwrap();
    assert!(!created.existed);
    let again = event::create(&plain(), Some(&both[..22].to_vec()), true, false, event::ALL_ACCESS).unwrap();
    assert!(again.existed);
    assert!(handle::same_object(created.handle, again.handle));
    assert_eq!(event::open(event::ALL_ACCESS, false, Some(&both)), Err(2));
    handle::close(created.handle).unwrap();
    handle::close(again.handle).unwrap();
}

fn creation<'a>() -> process::Creation<'a> {
    process::Creation {
        application: None,
        command_line: None,
        process_attributes: plain(),
        thread_attributes: plain(),
        inherit: false,
        handles: None,
        flags: 0,
        environment: None,
        directory: None,
        standard: None,
        title: None,
        startup_flags: 0,
        show_window: 0,
    }
}

#[test]
fn a_process_needs_a_program_or_a_command_line() {
    assert_eq!(process::create(&creation()), Err(87));
}

#[test]
fn an_environment_that_breaks_off_is_refused() {
    let program = units("missing.exe");
    for block in [&[][..], &[0], &[65, 61, 66], &[65, 61, 66, 0]] {
        let creation =
            process::Creation { application: Some(&program), environment: Some(block), ..creation() };
        assert_eq!(process::create(&creation), Err(87), "{block:?}");
    }
}

#[test]
fn a_program_that_is_missing_is_2_and_the_handle_list_is_given_back() {
    let program = units("C:\\missing.exe");
    let event = new_event();
    handle::set_information(event, handle::INHERIT, handle::INHERIT).unwrap();
    for _ in 0..100 {
        let creation = process::Creation {
            application: Some(&program),
            handles: Some(&[event]),
            inherit: true,
            ..creation()
        };
        assert_eq!(process::create(&creation), Err(2));
    }
    handle::close(event).unwrap();
}

#[test]
fn the_kernel_tells_the_types_of_objects() {
    let event = new_event();
    let mutex = mutex::create(&plain(), None, false, 0x001F_0001).unwrap().handle;
    let semaphore = semaphore::create(&plain(), None, 0, 1, ALL_ACCESS).unwrap().handle;
    let section = mapping::create(usize::MAX, &plain(), 4, 4096, None).unwrap().handle;
    let (read, write) = pipe::create(&plain(), 0).unwrap();
    let made = [event, mutex, semaphore, section, read, write];
    let names = made.map(|handle| handle::type_name(handle, String::from_utf16_lossy).unwrap());
    assert_eq!(names, ["Event", "Mutant", "Semaphore", "Section", "File", "File"]);
    assert_eq!(handle::type_name(CURRENT_PROCESS, String::from_utf16_lossy).unwrap(), "Process");
    assert_eq!(handle::type_name(CURRENT_THREAD, String::from_utf16_lossy).unwrap(), "Thread");
    for handle in made {
        handle::close(handle).unwrap();
    }
    assert_eq!(handle::type_name(0, String::from_utf16_lossy), Err(6));
}

#[test]
fn a_descriptor_has_to_make_sense() {
    assert!(Descriptor::from_sddl("D:(A;;GA;;;WD)").is_ok());
    assert!(Descriptor::from_sddl("nonsense").is_err());
    let everyone = Descriptor::from_sddl("D:(A;;GA;;;WD)").unwrap();
    let attributes = Attributes::new(Some(&everyone), true);
    let event = event::create(&attributes, None, true, false, event::ALL_ACCESS).unwrap().handle;
    assert_eq!(handle::information(event).unwrap(), handle::INHERIT);
    handle::close(event).unwrap();
}

#[test]
fn a_thread_runs_its_body_once_and_ends_with_its_value() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let body = move || {
        sender.send(thread::current_id()).unwrap();
        0xC000_0005
    };
    let thread = thread::create(&plain(), 1 << 20, true, Box::new(body)).unwrap();
    assert!(receiver.try_recv().is_err(), "it is suspended");
    assert_eq!(thread::resume(thread).unwrap(), 1);
    assert_eq!(wait::one(thread, FOREVER).unwrap(), 0);
    assert_eq!(receiver.recv().unwrap(), thread::id(thread).unwrap());
    assert!(receiver.recv().is_err(), "the body is gone");
    assert_eq!(thread::exit_code(thread).unwrap(), 0xC000_0005);
    handle::close(thread).unwrap();
}

/// The two ends of an inbound pipe, for overlapped work.
fn overlapped_pipe() -> (Handle, Handle) {
    const GENERIC_WRITE: u32 = 0x4000_0000;
    const INBOUND: u32 = 1;
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let name = units(&format!(r"\\.\pipe\transom-sys-test-{}-{number}", std::process::id()));
    let blueprint = pipe::Blueprint {
        open_mode: INBOUND | pipe::FILE_FLAG_OVERLAPPED,
        pipe_mode: 0,
        max_instances: 1,
        out_size: 4096,
        in_size: 4096,
        default_timeout: 0,
    };
    let read = pipe::create_named(&name, &plain(), &blueprint).unwrap();
    assert_eq!(pipe::connect(read, 20), Err(121));
    let flags = pipe::FILE_FLAG_OVERLAPPED | pipe::SECURITY_SQOS_PRESENT | pipe::SECURITY_IDENTIFICATION;
    let write = pipe::open_named(&name, GENERIC_WRITE, &plain(), flags).unwrap();
    assert_eq!(pipe::connect(read, FOREVER), Err(535));
    (read, write)
}

/// Two reads of one overlapped handle at once: each returns with its own bytes, and not before they are
/// there.
#[test]
fn reads_of_an_overlapped_handle_end_when_their_bytes_are_there() {
    let (read, write) = overlapped_pipe();
    let reader = move || {
        let mut bytes = Vec::new();
        let mut buffer = [0; 4];
        loop {
            match pipe::read(read, &mut buffer, pipe::INFINITE).map(|transfer| transfer.count) {
                Ok(count) => bytes.extend_from_slice(&buffer[..count]),
                Err(code) => return (bytes, code),
            }
            buffer = [0; 4];
        }
    };
    let readers = [std::thread::spawn(reader), std::thread::spawn(reader)];
    for number in 1..=1000u32 {
        assert_eq!(pipe::write(write, &number.to_le_bytes(), pipe::INFINITE), Ok(4));
    }
    pipe::flush(write, pipe::INFINITE).unwrap();
    handle::close(write).unwrap();
    let mut numbers = Vec::new();
    for reader in readers {
        let (bytes, code) = reader.join().unwrap();
        assert_eq!(code, 109);
        numbers.extend(bytes.chunks_exact(4).map(|bytes| u32::from_le_bytes(bytes.try_into().unwrap())));
    }
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(1..=1000));
    handle::close(read).unwrap();
}

/// A read that runs out of time has taken nothing, and the kernel has let go of the buffer.
#[test]
fn a_read_that_ran_out_of_time_takes_nothing() {
    let (read, write) = overlapped_pipe();
    let mut buffer = [0; 4];
    for _ in 0..50 {
        assert_eq!(pipe::read(read, &mut buffer, 0), Err(121));
    }
    assert_eq!(pipe::write(write, b"abcd", FOREVER), Ok(4));
    assert_eq!(pipe::read(read, &mut buffer, FOREVER), Ok(pipe::Transfer { count: 4, more: false }));
    assert_eq!(&buffer, b"abcd");
    handle::close(read).unwrap();
    handle::close(write).unwrap();
}

/// An operation tells its end once, by its event too; what is dropped before is cancelled.
#[test]
fn an_operation_ends_by_itself_or_with_its_value() {
    let (read, write) = overlapped_pipe();
    drop(Operation::read(read, 100).unwrap());
    let mut reading = Operation::read(read, 100).unwrap();
    assert!(reading.result().is_none());
    let (tell, told) = std::sync::mpsc::channel();
    let signalled = OnSignal::new(reading.event(), Box::new(move || tell.send(()).unwrap())).unwrap();
    let mut writing = Operation::write(write, b"hello".to_vec()).unwrap();
    assert!(matches!(writing.result(), Some(Ok((pipe::Transfer { count: 5, more: false }, _)))));
    told.recv().unwrap();
    drop(signalled);
    let (transfer, bytes) = reading.result().unwrap().unwrap();
    assert_eq!((transfer.count, bytes.as_slice()), (5, &b"hello"[..]));
    let mut waiting = Operation::read(read, 100).unwrap();
    assert!(matches!(waiting.cancel(), Err(995)));
    handle::close(write).unwrap();
    assert!(matches!(Operation::read(read, 1), Err(109)));
    handle::close(read).unwrap();
}

/// Nothing is called once it was taken back.
#[test]
fn a_signal_that_nobody_waits_for_any_more_calls_nothing() {
    let event = new_event();
    let calls = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&calls);
    let count = move || {
        counter.fetch_add(1, Ordering::Relaxed);
    };
    drop(OnSignal::new(event, Box::new(count)).unwrap());
    event::set(event).unwrap();
    assert_eq!(Arc::strong_count(&calls), 1, "and what it kept is freed");
    assert_eq!(calls.load(Ordering::Relaxed), 0);
    handle::close(event).unwrap();
}

#[test]
fn the_system_says_what_it_is() {
    assert!(system::version().0 >= 6);
    assert_eq!(system::granularity(), (4096, 65536));
    assert_ne!(system::wine().as_deref(), Some(""));
}

#[test]
fn the_environment_is_entries_with_terminators() {
    let entries = process::environment().unwrap();
    assert_eq!(entries.last(), Some(&0));
    assert!(!entries.windows(2).any(|pair| pair == [0, 0]), "no empty entry");
    let path = units("PATH=");
    let upper = |unit: &u16| u8::try_from(*unit).map_or(*unit, |byte| byte.to_ascii_uppercase().into());
    assert!(
        entries
            .split(|&unit| unit == 0)
            .any(|entry| { entry.iter().map(upper).take(path.len()).eq(path.iter().copied()) })
    );
}
