//! Writing and reading in place: an extension. What a message is made of is written where the reader will find it,
//! and looked at where the writer put it.

use std::marker::PhantomData;

use super::{Pipe, imp};
use crate::error::{Code, Error, Result};
use crate::wait::Timeout;

/// What is read at first where nothing can be borrowed.
const FIRST_ROOM: usize = 4096;

/// Bytes to be written by [`Loan::commit`]; given up, nothing was written. See [`Pipe::loan`].
///
/// It belongs to the thread that made it.
#[derive(Debug)]
#[must_use = "a loan that is not committed was never written"]
pub struct Loan<'a> {
    pipe: &'a Pipe,
    place: Place<'a>,
    len: usize,
    here: PhantomData<*mut u8>,
}

#[derive(Debug)]
enum Place<'a> {
    Pipe(imp::Loan<'a>),
    Own(Vec<u8>),
}

/// A message, or bytes of a stream, consumed when this is dropped. See [`Pipe::borrow_message`].
///
/// It belongs to the thread that made it.
#[derive(Debug)]
pub struct Borrowed<'a> {
    found: Found<'a>,
    here: PhantomData<*mut u8>,
}

#[derive(Debug)]
enum Found<'a> {
    Pipe(imp::Borrowed<'a>),
    Own { bytes: Vec<u8>, complete: bool },
}

impl Pipe {
    /// Lends `len` bytes to be written in place, in the pipe's own memory, and committed as one write. An extension.
    ///
    /// ```
    /// use transom::pipe::{ClientOptions, ServerOptions};
    /// # let name = format!(r"\\.\pipe\doc-loan-{}", std::process::id());
    /// let server = ServerOptions::new(&name).message(true).out_size(1 << 20).create()?;
    /// let client = ClientOptions::new(&name).message_read(true).open()?;
    ///
    /// let mut picture = server.pipe().loan(300_000)?;
    /// picture.write_at(0, b"header")?;
    /// picture.write_at(299_994, b"footer")?;
    /// picture.commit()?;
    ///
    /// let message = client.pipe().borrow_message()?;
    /// assert_eq!(message.len(), 300_000);
    /// let mut footer = [0; 6];
    /// message.read_at(299_994, &mut footer)?;
    /// assert_eq!(&footer, b"footer");
    /// # Ok::<(), transom::Error>(())
    /// ```
    ///
    /// The other process can write this memory at any moment, so there are no slices of it. Bytes are copied in and out,
    /// as few as the caller needs; whoever trusts the other side, or can live with bytes that change under its hands, takes
    /// the raw pointers.
    ///
    /// Where that is not possible, everything works the same with ordinary memory of this process, which is copied:
    /// `is_in_place` tells. So it is on Windows, on anonymous pipes, and with what does not lie in one piece in the
    /// pipe: as a rule of thumb, more than the quota.
    ///
    /// What the bytes are at first is not said. Until the loan is committed or dropped no other thread or process
    /// writes at this end: they wait. A process that is killed meanwhile has written nothing.
    ///
    /// # Errors
    /// As [`Pipe::send`]. `ERROR_POSSIBLE_DEADLOCK` (1131): this thread has a loan of this end already; also from
    /// every other call by which it would write here.
    ///
    /// # Blocking
    /// Until so many bytes are free in the pipe; not in `PIPE_NOWAIT` mode.
    ///
    /// # Differs from Windows
    /// There is no such call. There the memory is the process's own and `commit` is a [`Pipe::send`]; nobody waits for a
    /// loan, and 1131 is not given.
    pub fn loan(&self, len: usize) -> Result<Loan<'_>> {
        self.loan_timeout(len, Timeout::INFINITE)
    }

    /// [`Pipe::loan`], waiting for room at most for `timeout`.
    ///
    /// # Errors
    /// As [`Pipe::loan`]; `ERROR_SEM_TIMEOUT` (121).
    pub fn loan_timeout(&self, len: usize, timeout: impl Into<Timeout>) -> Result<Loan<'_>> {
        let place = match imp::lend(&self.0, len, timeout.into())? {
            Some(loan) => Place::Pipe(loan),
            None => Place::Own(vec![0; len]),
        };
        Ok(Loan { pipe: self, place, len, here: PhantomData })
    }

    /// Waits for a message and shows it where it lies; on a pipe of bytes, those that are there. An extension.
    ///
    /// It is consumed when the result is dropped. Until then nobody else reads at this end, [`Pipe::peek`] still
    /// sees it, and a process that is killed has read nothing. An empty message is 0 bytes (P28).
    ///
    /// Of a message of which the pipe does not hold everything yet, this is what there is, and the next call shows
    /// what follows: [`Borrowed::is_complete`] tells.
    ///
    /// # Errors
    /// As [`Pipe::receive`]. `ERROR_POSSIBLE_DEADLOCK` (1131): this thread has borrowed from this end already; also
    /// from every other call by which it would read here.
    ///
    /// # Blocking
    /// As [`Pipe::receive`].
    ///
    /// # Differs from Windows
    /// There is no such call. There the message is read by this call, in full, into memory of the process, 1131 is not
    /// given, and in byte read mode one call may show bytes of several messages.
    pub fn borrow_message(&self) -> Result<Borrowed<'_>> {
        self.borrow_message_timeout(Timeout::INFINITE)
    }

    /// [`Pipe::borrow_message`], waiting at most for `timeout`.
    ///
    /// # Errors
    /// As [`Pipe::borrow_message`]; `ERROR_SEM_TIMEOUT` (121).
    pub fn borrow_message_timeout(&self, timeout: impl Into<Timeout>) -> Result<Borrowed<'_>> {
        let timeout = timeout.into();
        let found = match imp::borrow_next(&self.0, timeout)? {
            Some(borrowed) => Found::Pipe(borrowed),
            None => self.receive_whole(timeout)?,
        };
        Ok(Borrowed { found, here: PhantomData })
    }

    /// Reads a message whose length is not known.
    fn receive_whole(&self, timeout: Timeout) -> Result<Found<'_>> {
        // A read of no bytes would wait for some.
        let seen = self.peek(&mut []).map_or(0, |peek| peek.available);
        let mut bytes = vec![0; seen.max(FIRST_ROOM)];
        let mut message = self.receive_message_timeout(&mut bytes, timeout)?;
        let mut len = message.len;
        while !message.complete {
            bytes.resize(len * 2, 0);
            // The rest is there already, or on its way.
            match self.receive_message_timeout(&mut bytes[len..], timeout) {
                Ok(rest) => message = rest,
                Err(_) => break,
            }
            len += message.len;
        }
        bytes.truncate(len);
        Ok(Found::Own { bytes, complete: message.complete })
    }
}

impl Loan<'_> {
    /// How many bytes it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether it lies in the pipe: nothing is copied when it is committed.
    #[must_use]
    pub fn is_in_place(&self) -> bool {
        matches!(self.place, Place::Pipe(_))
    }

    /// Copies `bytes` in, from its byte `at` on.
    ///
    /// # Errors
    /// `ERROR_INVALID_PARAMETER` (87): they do not fit there; nothing was copied.
    pub fn write_at(&mut self, at: usize, bytes: &[u8]) -> Result<()> {
        let end = at.checked_add(bytes.len()).filter(|end| *end <= self.len);
        let written = match (&mut self.place, end) {
            (Place::Pipe(loan), Some(_)) => loan.write(at, bytes),
            (Place::Own(own), Some(end)) => {
                own[at..end].copy_from_slice(bytes);
                true
            }
            (_, None) => false,
        };
        if written { Ok(()) } else { Err(Error::new("write loan", Code::INVALID_PARAMETER)) }
    }

    /// Where the bytes are: good for reads and writes of [`Loan::len`] bytes as long as this lives. The other process
    /// can read and write them at the same time.
    #[must_use]
    pub fn as_mut_ptr(&mut self) -> *mut u8 {
        match &mut self.place {
            Place::Pipe(loan) => loan.as_ptr(),
            Place::Own(own) => own.as_mut_ptr(),
        }
    }

    /// Makes it shorter: what is behind the first `len` bytes is not written.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Writes it: what [`Pipe::send`] does with a slice.
    ///
    /// # Errors
    /// As [`Pipe::send`].
    ///
    /// # Blocking
    /// As [`Pipe::send`].
    pub fn commit(self) -> Result<usize> {
        self.commit_timeout(Timeout::INFINITE)
    }

    /// [`Loan::commit`], at most for `timeout`, as [`Pipe::send_timeout`].
    ///
    /// # Errors
    /// As [`Pipe::send_timeout`].
    pub fn commit_timeout(self, timeout: impl Into<Timeout>) -> Result<usize> {
        let Loan { pipe, place, len, .. } = self;
        match place {
            Place::Pipe(loan) => imp::commit(&pipe.0, loan, len, timeout.into()),
            Place::Own(own) => pipe.send_timeout(&own[..len], timeout),
        }
    }
}

impl Borrowed<'_> {
    /// How many bytes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.found {
            Found::Pipe(borrowed) => borrowed.len(),
            Found::Own { bytes, .. } => bytes.len(),
        }
    }

    /// Whether there are none: an empty message.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the message ends with them; if not, the next call brings what follows. Always in byte read mode.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        match &self.found {
            Found::Pipe(borrowed) => borrowed.is_complete(),
            Found::Own { complete, .. } => *complete,
        }
    }

    /// Whether they lie in the pipe: they have not been copied.
    #[must_use]
    pub fn is_in_place(&self) -> bool {
        matches!(self.found, Found::Pipe(_))
    }

    /// Copies bytes out, from byte `at` on, until `buffer` is full.
    ///
    /// # Errors
    /// `ERROR_INVALID_PARAMETER` (87): there are not so many; nothing was copied.
    pub fn read_at(&self, at: usize, buffer: &mut [u8]) -> Result<()> {
        let end = at.checked_add(buffer.len()).filter(|end| *end <= self.len());
        let read = match (&self.found, end) {
            (Found::Pipe(borrowed), Some(_)) => borrowed.read(at, buffer),
            (Found::Own { bytes, .. }, Some(end)) => {
                buffer.copy_from_slice(&bytes[at..end]);
                true
            }
            (_, None) => false,
        };
        if read { Ok(()) } else { Err(Error::new("read borrowed message", Code::INVALID_PARAMETER)) }
    }

    /// A copy of all of them.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        match &self.found {
            Found::Pipe(borrowed) => {
                let mut bytes = vec![0; borrowed.len()];
                borrowed.read(0, &mut bytes);
                bytes
            }
            Found::Own { bytes, .. } => bytes.clone(),
        }
    }

    /// Where they are: two pieces, pointer and length, the second empty unless they lie across the end of the pipe's
    /// memory. Good for reads as long as this lives. The other process can write them at the same time.
    #[must_use]
    pub fn parts(&self) -> [(*const u8, usize); 2] {
        match &self.found {
            Found::Pipe(borrowed) => borrowed.parts(),
            Found::Own { bytes, .. } => [(bytes.as_ptr(), bytes.len()), (bytes.as_ptr(), 0)],
        }
    }

    /// Consumes them, as dropping this does, and says whether what was seen counts: false if its writer took it back
    /// meanwhile (P38).
    ///
    /// # Errors
    /// `ERROR_BROKEN_PIPE` (109): the other side wrote nonsense into the pipe's memory.
    pub fn consume(self) -> Result<bool> {
        match self.found {
            Found::Pipe(borrowed) => borrowed.consume(),
            Found::Own { .. } => Ok(true),
        }
    }
}
