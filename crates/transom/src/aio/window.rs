//! What is sent to a window, for tasks.
//!
//! A window belongs to a thread, which must look at its queue: a [`Receiver`] has a hidden thread for that, and hands what
//! comes to whichever task asks for it.
//!
//! ```
//! use transom::aio::window::Receiver;
//! use transom::wait::Timeout;
//! use transom::window::{Class, Sender};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), transom::Error> {
//! # let name = format!("doc-aio-window-{}", std::process::id());
//! let mut receiver = Receiver::spawn(&Class::register(&name)?, "inbox")?;
//! let sending = std::thread::spawn(move || {
//!     Sender::find(name.as_str(), "inbox")?.copydata(7, b"hello", Timeout::INFINITE)
//! });
//! let incoming = receiver.recv().await.expect("the thread lives as long as the receiver");
//! assert_eq!(incoming.bytes(), Some(b"hello".as_slice()));
//! incoming.answer(5);
//! assert_eq!(sending.join().unwrap()?, 5);
//! # Ok(())
//! # }
//! ```

use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::error::Result;
use crate::window::message::WM_USER;
use crate::window::{Class, Sender, Window, WindowHandle, WindowThread, sender_waits};

/// A message-only window on a hidden thread of its own, whose messages are received by tasks. Dropping it answers what
/// waits with 0 and destroys the window.
///
/// What comes is `WM_COPYDATA` and every message from `WM_USER` on; the rest is handled as the system does by default. Sent
/// messages come one after the other: the next is received when the one before is answered (W28). A task that sends to its
/// own receiver before it has answered waits for itself.
#[derive(Debug)]
pub struct Receiver {
    incoming: UnboundedReceiver<Incoming>,
    /// The one for which the thread waits.
    current: Arc<Mutex<Slot>>,
    thread: WindowThread,
}

/// Where an answer goes; nowhere once it has gone, or when nobody will give one.
type Slot = Arc<Mutex<Option<mpsc::Sender<isize>>>>;

/// A message, and the answer that its sender waits for. Dropping it is answering with 0.
#[derive(Debug)]
pub struct Incoming {
    what: What,
    /// `None` for a message that was posted.
    answer: Option<Slot>,
}

/// What came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// `WM_COPYDATA`.
    Copydata {
        /// The window that sends, as it says: any value, unchecked (W24).
        from: WindowHandle,
        /// The number that came with the bytes.
        tag: usize,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// Another message.
    Message {
        /// Its number.
        number: u32,
        /// Its first parameter.
        wparam: usize,
        /// Its second parameter.
        lparam: isize,
    },
}

impl Receiver {
    /// Starts the thread and makes the window there, of this class and title.
    ///
    /// # Errors
    /// As [`WindowOptions::create`](crate::window::WindowOptions::create); `ERROR_NO_SYSTEM_RESOURCES` (1450): no thread.
    ///
    /// # Blocking
    /// Until the window exists, which takes no waiting for others.
    pub fn spawn(class: &Class, title: &str) -> Result<Receiver> {
        let (tell, incoming) = unbounded_channel();
        let current: Arc<Mutex<Slot>> = Arc::default();
        let theirs = Arc::clone(&current);
        let (class, title) = (class.clone(), title.to_owned());
        let thread = Window::spawn(move || {
            let (bytes_to, bytes_current) = (tell.clone(), Arc::clone(&theirs));
            let on_copydata = move |from, tag, bytes: &[u8]| {
                hand_over(&bytes_to, &bytes_current, What::Copydata { from, tag, bytes: bytes.to_vec() })
            };
            let on_any = move |number, wparam, lparam| {
                (number >= WM_USER)
                    .then(|| hand_over(&tell, &theirs, What::Message { number, wparam, lparam }))
            };
            class.window(&title).on_copydata(on_copydata).on_any(on_any).create()
        })?;
        Ok(Receiver { incoming, current, thread })
    }

    /// The next message; `None` if the thread has ended, which it does not by itself.
    ///
    /// # Cancel safety
    /// Nothing is lost: what has come is given to the next call.
    pub async fn recv(&mut self) -> Option<Incoming> {
        self.incoming.recv().await
    }

    /// The same by polling.
    pub fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Option<Incoming>> {
        self.incoming.poll_recv(context)
    }

    /// Which window it is, to be told to others.
    #[must_use]
    pub fn handle(&self) -> WindowHandle {
        self.thread.handle()
    }

    /// A sender to it.
    #[must_use]
    pub fn sender(&self) -> Sender {
        self.thread.sender()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        // Before the thread is waited for it must wait for nobody: not for a task that has a message still. After the
        // first line it hands over nothing more.
        self.incoming.close();
        lock(&lock(&self.current)).take();
    }
}

impl Incoming {
    /// What came.
    #[must_use]
    pub fn what(&self) -> &What {
        &self.what
    }

    /// The bytes, if it is `WM_COPYDATA`.
    #[must_use]
    pub fn bytes(&self) -> Option<&[u8]> {
        match &self.what {
            What::Copydata { bytes, .. } => Some(bytes),
            What::Message { .. } => None,
        }
    }

    /// Whether it was sent, so that an answer means something, and not posted.
    #[must_use]
    pub fn is_sent(&self) -> bool {
        self.answer.is_some()
    }

    /// Lets the sender go on with this result. Nobody knows whether it still waits.
    pub fn answer(self, result: isize) {
        let waits = self.answer.as_ref().and_then(|slot| lock(slot).take());
        if let Some(waits) = waits {
            // If the receiver is gone the sender was answered.
            let _ = waits.send(result);
        }
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if let Some(slot) = &self.answer {
            lock(slot).take();
        }
    }
}

/// Hands a message to the tasks, and waits for the answer if there is a sender that waits.
fn hand_over(to: &UnboundedSender<Incoming>, current: &Mutex<Slot>, what: What) -> isize {
    if !sender_waits() {
        // Nobody receives any more if this fails.
        let _ = to.send(Incoming { what, answer: None });
        return 0;
    }
    let (answer, answered) = mpsc::channel();
    let slot = Arc::new(Mutex::new(Some(answer)));
    *lock(current) = Arc::clone(&slot);
    match to.send(Incoming { what, answer: Some(slot) }) {
        // An error: it was dropped.
        Ok(()) => answered.recv().unwrap_or(0),
        Err(_) => 0,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
