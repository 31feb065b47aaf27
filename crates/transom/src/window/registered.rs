//! Messages with a name, whose parameters have types.

use std::fmt;
use std::marker::PhantomData;

use super::raw::{self, Charset};
use super::{Sender, WindowHandle, units};
use crate::error::Result;
use crate::handle::RawHandle;
use crate::wait::Timeout;

/// A message that all programs know by its name (`RegisterWindowMessage`), and what it carries.
///
/// The number behind a name is the same in every process as long as the desktop lives. What the parameters mean is for the
/// programs to agree on: nothing checks that two of them name the same `T`.
///
/// ```
/// use transom::window::{Class, Registered};
/// # fn main() -> Result<(), transom::Error> {
/// # let name = format!("doc-registered-{}", std::process::id());
/// let progress = Registered::<(u32, u32)>::new(&name)?;
/// let class = Class::register(&name)?;
/// let bar = class.window("bar").on_registered(&progress, |(done, of)| (done * 100 / of) as isize).create()?;
/// assert_eq!(progress.send(bar.sender(), (3, 4), transom::wait::Timeout::INFINITE)?, 75);
/// # Ok(())
/// # }
/// ```
pub struct Registered<T> {
    number: u32,
    carries: PhantomData<fn(T) -> T>,
}

/// What can travel as the two parameters of a message.
pub trait Parameters: Sized + 'static {
    /// `wParam` and `lParam`.
    fn into_parameters(self) -> (usize, isize);

    /// The value again. Every pair of numbers gives one: what does not fit is cut.
    fn from_parameters(wparam: usize, lparam: isize) -> Self;
}

/// What can travel as one parameter.
pub trait Parameter: Sized + 'static {
    /// As a number of pointer width.
    fn into_word(self) -> usize;

    /// The value again; what does not fit is cut.
    fn from_word(word: usize) -> Self;
}

impl<T: Parameters> Registered<T> {
    /// `RegisterWindowMessage`: the message of this name, new or not.
    ///
    /// # Errors
    /// `ERROR_INVALID_PARAMETER` (87): an empty name, or one of more than 255 UTF-16 units; Windows does not document the code.
    /// `ERROR_INVALID_NAME` (123): a zero in it. `ERROR_NOT_ENOUGH_MEMORY` (8): the desktop has 16,384 names.
    #[doc(alias = "RegisterWindowMessage")]
    pub fn new(name: &str) -> Result<Registered<T>> {
        let units = units("register message", name)?;
        let number = raw::register_message(&units).map_err(|error| error.with_name(name))?;
        Ok(Registered { number, carries: PhantomData })
    }

    /// The number of the message, 0xC000 to 0xFFFF.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// [`Sender::send`] with this message.
    ///
    /// # Errors
    /// As [`Sender::send`].
    pub fn send(&self, to: impl Into<Sender>, value: T, timeout: impl Into<Timeout>) -> Result<isize> {
        let (wparam, lparam) = value.into_parameters();
        to.into().send(self.number, wparam, lparam, timeout)
    }

    /// [`Sender::post`] with this message.
    ///
    /// # Errors
    /// As [`Sender::post`].
    pub fn post(&self, to: impl Into<Sender>, value: T) -> Result<()> {
        let (wparam, lparam) = value.into_parameters();
        to.into().post(self.number, wparam, lparam)
    }

    /// [`Sender::notify`] with this message.
    ///
    /// # Errors
    /// As [`Sender::notify`].
    pub fn notify(&self, to: impl Into<Sender>, value: T) -> Result<()> {
        let (wparam, lparam) = value.into_parameters();
        to.into().notify(self.number, wparam, lparam)
    }

    /// `PostMessage` to `HWND_BROADCAST`: posts it to every top-level window of the desktop (W37).
    ///
    /// # Errors
    /// The desktop cannot be reached.
    pub fn broadcast(&self, value: T) -> Result<()> {
        let (wparam, lparam) = value.into_parameters();
        raw::post(WindowHandle::BROADCAST, self.number, wparam, lparam, Charset::Wide)
    }
}

impl<T> fmt::Debug for Registered<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registered").field("number", &self.number).finish()
    }
}

impl<T> Clone for Registered<T> {
    fn clone(&self) -> Registered<T> {
        *self
    }
}

impl<T> Copy for Registered<T> {}

impl Parameters for () {
    fn into_parameters(self) -> (usize, isize) {
        (0, 0)
    }

    fn from_parameters(_wparam: usize, _lparam: isize) {}
}

impl<A: Parameter, B: Parameter> Parameters for (A, B) {
    fn into_parameters(self) -> (usize, isize) {
        (self.0.into_word(), self.1.into_word().cast_signed())
    }

    fn from_parameters(wparam: usize, lparam: isize) -> (A, B) {
        (A::from_word(wparam), B::from_word(lparam.cast_unsigned()))
    }
}

/// A type that is one parameter, and alone is the first of two.
macro_rules! parameter {
    ($type:ty, $into:expr, $from:expr) => {
        impl Parameter for $type {
            fn into_word(self) -> usize {
                let into: fn($type) -> usize = $into;
                into(self)
            }

            fn from_word(word: usize) -> $type {
                let from: fn(usize) -> $type = $from;
                from(word)
            }
        }

        impl Parameters for $type {
            fn into_parameters(self) -> (usize, isize) {
                (self.into_word(), 0)
            }

            fn from_parameters(wparam: usize, _lparam: isize) -> $type {
                <$type>::from_word(wparam)
            }
        }
    };
}

// What does not fit is cut, as documented.
parameter!(u8, |value| value.into(), |word| word as u8);
parameter!(u16, |value| value.into(), |word| word as u16);
parameter!(u32, |value| value as usize, |word| word as u32);
parameter!(i32, |value| value as isize as usize, |word| word as i32);
parameter!(usize, |value| value, |word| word);
parameter!(isize, isize::cast_unsigned, usize::cast_signed);
parameter!(bool, usize::from, |word| word != 0);
parameter!(WindowHandle, WindowHandle::value, WindowHandle::from_raw);
parameter!(RawHandle, RawHandle::value, RawHandle::new);
