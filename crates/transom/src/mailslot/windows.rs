//! Mailslots over the real calls. The server's handle is always one for overlapped work (S25), so reads can run out
//! of time and be cancelled as those of pipes can.

use transom_sys::windows::security::{Attributes, Descriptor};
use transom_sys::windows::{mailslot, pipe};

use super::{Info, Options};
use crate::error::{Code, Error, Result};
use crate::handle::Handle;
use crate::handle::imp::{adopt, failed, value};
use crate::wait::Timeout;

/// `MAILSLOT_NO_MESSAGE`.
const NO_MESSAGE: u32 = u32::MAX;

pub(super) fn create(options: &Options) -> Result<Handle> {
    let create = || {
        let descriptor = match &options.security {
            Some(security) => Some(Descriptor::from_sddl(&security.to_sddl())?),
            None => None,
        };
        let attributes = Attributes::new(descriptor.as_ref(), options.inherit);
        let timeout = options.read_timeout.as_millis();
        mailslot::create(&options.name, options.max_message, timeout, &attributes)
    };
    create().map(adopt).map_err(failed("create mailslot"))
}

pub(super) fn open(name: &[u16], inherit: bool) -> Result<Handle> {
    let attributes = Attributes::new(None, inherit);
    mailslot::open(name, &attributes).map(adopt).map_err(failed("open mailslot"))
}

pub(super) fn receive(handle: &Handle, buffer: &mut [u8], timeout: Option<Timeout>) -> Result<usize> {
    let millis = timeout.map_or(pipe::INFINITE, Timeout::as_millis);
    match pipe::read(value(handle), buffer, millis) {
        // A part of a message is not what mailslots give (S12).
        Ok(transfer) if transfer.more => Err(Error::new("read mailslot", Code::INSUFFICIENT_BUFFER)),
        Ok(transfer) => Ok(transfer.count),
        Err(code) => Err(Error::new("read mailslot", Code::new(code))),
    }
}

pub(super) fn receive_many(handle: &Handle, most: usize, each: &mut dyn FnMut(&[u8])) -> Result<usize> {
    let mut buffer = vec![0; 4096];
    let mut count = 0;
    while count < most {
        // For the first as long as the mailslot says; for others only what is there.
        let timeout = if count == 0 { None } else { Some(Timeout::ZERO) };
        match receive(handle, &mut buffer, timeout) {
            Ok(length) => {
                each(&buffer[..length]);
                count += 1;
            }
            Err(error) if error.code() == Code::INSUFFICIENT_BUFFER => {
                let next = info(handle)?.next.unwrap_or(0);
                buffer.resize(next.max(buffer.len()), 0);
                continue;
            }
            Err(_) if count > 0 => break,
            Err(error) => return Err(error),
        }
        if info(handle)?.next.is_none() {
            break;
        }
    }
    Ok(count)
}

pub(super) fn info(handle: &Handle) -> Result<Info> {
    let info = mailslot::info(value(handle)).map_err(failed("get mailslot information"))?;
    Ok(Info {
        max_message: (info.max_message != 0).then_some(info.max_message),
        next: (info.next != NO_MESSAGE).then_some(info.next as usize),
        count: info.count,
        read_timeout: Timeout::millis(info.timeout),
    })
}

pub(super) fn set_timeout(handle: &Handle, timeout: Timeout) -> Result<()> {
    mailslot::set_timeout(value(handle), timeout.as_millis()).map_err(failed("set mailslot information"))
}

pub(super) fn send(handle: &Handle, message: &[u8]) -> Result<()> {
    if u32::try_from(message.len()).is_err() {
        return Err(Error::new("write mailslot", Code::INVALID_PARAMETER));
    }
    pipe::write(value(handle), message, pipe::INFINITE).map(drop).map_err(failed("write mailslot"))
}

pub(super) fn cancel(handle: &Handle) -> Result<()> {
    pipe::cancel(value(handle)).map_err(failed("cancel"))
}
