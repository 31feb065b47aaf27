//! How does a child process tell the main window something, when it knows only a name?
//!
//! The main process leaves its window's handle in typed shared memory. Its children, as the processes of a browser's
//! pages, read it there, notify the window and ask it.
//!
//! `cargo run --example browser_host`

use std::cell::Cell;
use std::time::Duration;

use transom::mapping::Shared;
use transom::process::Command;
use transom::window::{Class, MessageLoop, Registered, Sender, WindowHandle};

const PAGES: u32 = 3;
/// What the bytes of a question are.
const TITLE: usize = 1;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, name, page] = arguments.as_slice() {
        return Ok(load_page(name, page.parse()?)?);
    }
    let name = format!("browser-host-{}", std::process::id());
    let loaded = Registered::<(u32, u32)>::new("browser_host: page loaded")?;
    let pages_left = Cell::new(PAGES);
    let main_window = Class::register(&name)?
        .window("main")
        .on_copydata(|_, tag, title| {
            println!("question {tag}: may I be called {:?}?", String::from_utf8_lossy(title));
            isize::from(!title.is_empty())
        })
        .on_registered(&loaded, move |(page, milliseconds)| {
            println!("page {page} was loaded in {milliseconds} ms");
            pages_left.set(pages_left.get() - 1);
            if pages_left.get() == 0 {
                MessageLoop::quit(0);
            }
            0
        })
        .create()?;

    let handle = Shared::<u64>::create(&name)?.object;
    handle.store(&(main_window.handle().value() as u64))?;
    for page in 1..=PAGES {
        Command::new(std::env::current_exe()?).arg(&name).arg(page.to_string()).spawn()?;
    }
    MessageLoop::new()?.run()?;
    Ok(())
}

fn load_page(name: &str, page: u32) -> transom::Result<()> {
    let began = std::time::Instant::now();
    let handle = Shared::<u64>::open(name)?.load()?;
    let main_window = Sender::new(WindowHandle::from_raw(handle as usize));

    // A call: waits for the answer, but not for ever.
    let title = format!("page {page}");
    let may = main_window.copydata(TITLE, title.as_bytes(), Duration::from_secs(10))?;
    assert_eq!(may, 1);

    // A notice: nobody waits.
    let loaded = Registered::<(u32, u32)>::new("browser_host: page loaded")?;
    loaded.post(main_window, (page, began.elapsed().as_millis() as u32))
}
