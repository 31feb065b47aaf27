//! How launches and answers travel.
//!
//! ```text
//!  launch   [magic][directory][bytes][number of arguments][argument]…      each item: its length, then its bytes
//!  answer   [magic][code][bytes]                                           numbers: 32 bits, little-endian
//! ```
//!
//! The magic names the form; another form gets another one. Whoever reads checks every length against what is there.

use super::{Answer, Launch, imp};
use crate::error::{Code, Error, Result};

const LAUNCH_MAGIC: u32 = u32::from_le_bytes(*b"TSl1");
const ANSWER_MAGIC: u32 = u32::from_le_bytes(*b"TSa1");

pub(super) fn encode_launch(launch: &Launch) -> Result<Vec<u8>> {
    let mut out = LAUNCH_MAGIC.to_le_bytes().to_vec();
    put(&mut out, &imp::to_bytes(launch.directory.as_os_str()))?;
    put(&mut out, &launch.bytes)?;
    out.extend_from_slice(&length(launch.arguments.len())?.to_le_bytes());
    for argument in &launch.arguments {
        put(&mut out, &imp::to_bytes(argument))?;
    }
    // As a whole it must be what one message can carry.
    length(out.len())?;
    Ok(out)
}

/// `None` if it is no launch, or a broken one.
pub(super) fn decode_launch(bytes: &[u8]) -> Option<Launch> {
    let mut left = bytes;
    (number(&mut left)? == LAUNCH_MAGIC).then_some(())?;
    let directory = imp::from_bytes(item(&mut left)?)?.into();
    let bytes = item(&mut left)?.to_vec();
    let count = number(&mut left)?;
    let arguments = (0..count).map(|_| imp::from_bytes(item(&mut left)?)).collect::<Option<_>>()?;
    left.is_empty().then_some(Launch { arguments, directory, bytes })
}

pub(super) fn encode_answer(answer: &Answer) -> Result<Vec<u8>> {
    let mut out = ANSWER_MAGIC.to_le_bytes().to_vec();
    out.extend_from_slice(&answer.code.to_le_bytes());
    put(&mut out, &answer.bytes)?;
    length(out.len())?;
    Ok(out)
}

pub(super) fn decode_answer(bytes: &[u8]) -> Option<Answer> {
    let mut left = bytes;
    (number(&mut left)? == ANSWER_MAGIC).then_some(())?;
    let code = number(&mut left)?.cast_signed();
    let bytes = item(&mut left)?.to_vec();
    left.is_empty().then_some(Answer { code, bytes })
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) -> Result<()> {
    out.extend_from_slice(&length(bytes.len())?.to_le_bytes());
    out.extend_from_slice(bytes);
    Ok(())
}

fn length(length: usize) -> Result<u32> {
    u32::try_from(length).map_err(|_| Error::new("hand over", Code::INVALID_PARAMETER))
}

fn number(left: &mut &[u8]) -> Option<u32> {
    let (number, rest) = left.split_first_chunk()?;
    *left = rest;
    Some(u32::from_le_bytes(*number))
}

fn item<'a>(left: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(number(left)?).ok()?;
    let (item, rest) = left.split_at_checked(length)?;
    *left = rest;
    Some(item)
}
