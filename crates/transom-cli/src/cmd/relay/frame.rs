//! Messages in a stream of bytes.

use std::io::{self, BufRead, BufReader, Read, Write};

use super::side::{Sink, Source, Taken};
use crate::args::Frame;

/// Bytes read at once where no message says how many.
pub const CHUNK: usize = 64 << 10;

/// The longest message that is taken: a length that says more is not one.
pub const LONGEST: usize = 1 << 30;

/// A stream that bytes or framed messages come out of.
pub struct StreamSource<R> {
    input: BufReader<R>,
    frame: Frame,
}

impl<R: Read + Send> StreamSource<R> {
    /// Reads `input` as `frame` says.
    pub fn new(input: R, frame: Frame) -> StreamSource<R> {
        StreamSource { input: BufReader::with_capacity(CHUNK, input), frame }
    }

    fn chunk(&mut self, buffer: &mut Vec<u8>) -> io::Result<Taken> {
        let found = loop {
            match self.input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                found => break found?,
            }
        };
        buffer.extend_from_slice(found);
        let length = found.len();
        self.input.consume(length);
        Ok(if length == 0 { Taken::End } else { Taken::Bytes })
    }

    fn line(&mut self, buffer: &mut Vec<u8>) -> io::Result<Taken> {
        // A line without an end may be anything; it is not read for ever.
        let read = (&mut self.input).take(LONGEST as u64 + 1).read_until(b'\n', buffer)?;
        if read == 0 {
            return Ok(Taken::End);
        }
        if buffer.len() > LONGEST {
            return Err(too_long());
        }
        if buffer.last() == Some(&b'\n') {
            buffer.pop();
            if buffer.last() == Some(&b'\r') {
                buffer.pop();
            }
        }
        Ok(Taken::Message)
    }

    fn counted(&mut self, buffer: &mut Vec<u8>) -> io::Result<Taken> {
        let mut header = Vec::with_capacity(4);
        (&mut self.input).take(4).read_to_end(&mut header)?;
        let length = match header.as_slice().try_into().map(u32::from_le_bytes) {
            Ok(length) => length as usize,
            Err(_) if header.is_empty() => return Ok(Taken::End),
            Err(_) => return Err(cut_short()),
        };
        if length > LONGEST {
            return Err(too_long());
        }
        let read = (&mut self.input).take(length as u64).read_to_end(buffer)?;
        if read < length { Err(cut_short()) } else { Ok(Taken::Message) }
    }
}

fn too_long() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a message is longer than 1 GiB")
}

fn cut_short() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the input ends in the middle of a message")
}

impl<R: Read + Send> Source for StreamSource<R> {
    fn next(&mut self, buffer: &mut Vec<u8>) -> io::Result<Taken> {
        buffer.clear();
        match self.frame {
            Frame::None => self.chunk(buffer),
            Frame::Lines => self.line(buffer),
            Frame::Length => self.counted(buffer),
        }
    }
}

/// Writes a message as `frame` says.
fn write_framed(output: &mut dyn Write, frame: Frame, message: &[u8]) -> io::Result<()> {
    match frame {
        Frame::None => output.write_all(message)?,
        Frame::Lines => {
            output.write_all(message)?;
            output.write_all(b"\n")?;
        }
        Frame::Length => {
            let length = u32::try_from(message.len()).map_err(|_| too_long())?;
            output.write_all(&length.to_le_bytes())?;
            output.write_all(message)?;
        }
    }
    output.flush()
}

/// A stream that bytes or framed messages go into; `end` says what to do when nothing more comes.
pub struct StreamSink<W, E> {
    pub output: W,
    pub frame: Frame,
    pub end: E,
}

impl<W: Write + Send, E: FnMut(&mut W) -> io::Result<bool> + Send> Sink for StreamSink<W, E> {
    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.output.write_all(bytes)?;
        self.output.flush()
    }

    fn message(&mut self, message: &[u8]) -> io::Result<()> {
        write_framed(&mut self.output, self.frame, message)
    }

    fn end(&mut self) -> io::Result<bool> {
        (self.end)(&mut self.output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(input: &[u8], frame: Frame) -> io::Result<Vec<Vec<u8>>> {
        let mut source = StreamSource::new(input, frame);
        let (mut messages, mut buffer) = (Vec::new(), Vec::new());
        while source.next(&mut buffer)? != Taken::End {
            messages.push(buffer.clone());
        }
        Ok(messages)
    }

    #[test]
    fn lines_lose_their_ends_and_the_last_may_have_none() {
        let messages = all(b"a\r\n\nlast", Frame::Lines).unwrap();
        assert_eq!(messages, [b"a".to_vec(), b"".to_vec(), b"last".to_vec()]);
    }

    #[test]
    fn counted_messages_come_back_as_they_were_written() {
        let mut stream = Vec::new();
        for message in [&b"one"[..], b"", b"three"] {
            write_framed(&mut stream, Frame::Length, message).unwrap();
        }
        assert_eq!(all(&stream, Frame::Length).unwrap(), [b"one".to_vec(), b"".to_vec(), b"three".to_vec()]);
    }

    #[test]
    fn input_that_ends_within_a_message_is_an_error_and_a_huge_length_too() {
        assert_eq!(all(&[1, 0], Frame::Length).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(all(&[4, 0, 0, 0, 1], Frame::Length).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(all(&[255; 4], Frame::Length).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
