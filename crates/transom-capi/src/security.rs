//! Security descriptors: `SECURITY_ATTRIBUTES`, the absolute form that programs fill on their stack, and the
//! form made of SDDL. Both become a [`Security`], which knows owner, group and everyone (M41).
//!
//! ```text
//!   absolute   Revision 1 │ 0 │ Control u16 │ … │ Owner │ Group │ Sacl │ Dacl          pointers, 40 bytes
//!   from text  Revision 1 │ 0 │ Control u16 │ 16 bytes 0 │ "sddl" │ length u32 │ SDDL in UTF-8
//! ```
//! The second one has SE_SELF_RELATIVE set in Control: it holds no pointers, so programs may copy it.
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s.
#![allow(unsafe_code)]

use std::fmt::Write;

use transom::Code;
use transom::security::Security;

use crate::ffi::{Bool, Failure, In, Out, Outcome, Plain, Unit, fail, length, truth};
use crate::memory;

/// What every Create call takes.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct SECURITY_ATTRIBUTES {
    length: u32,
    descriptor: In<u8>,
    inherit: Bool,
}

// SAFETY: integers and a pointer, laid out as C does.
unsafe impl Plain for SECURITY_ATTRIBUTES {}

/// `SECURITY_DESCRIPTOR_REVISION`.
const REVISION: u8 = 1;
/// `SE_DACL_PRESENT`.
const DACL_PRESENT: u16 = 0x0004;
/// `SE_DACL_DEFAULTED`.
const DACL_DEFAULTED: u16 = 0x0008;
/// `SE_SELF_RELATIVE`.
const SELF_RELATIVE: u16 = 0x8000;
/// `ERROR_UNKNOWN_REVISION`.
const UNKNOWN_REVISION: Code = Code::new(1305);

/// Bytes of an absolute descriptor, and where its members are.
const ABSOLUTE_SIZE: usize = 40;
const CONTROL: usize = 2;
const OWNER: usize = 8;
const GROUP: usize = 16;
const DACL: usize = 32;

/// Where the members of a descriptor made of text are.
const MAGIC: usize = 20;
const TEXT_LENGTH: usize = 24;
const TEXT: usize = 28;
const SDDL: u32 = u32::from_le_bytes(*b"sddl");

/// Inheritance and security that a Create call was given.
pub(crate) fn attributes(attributes: In<SECURITY_ATTRIBUTES>) -> Outcome<(bool, Option<Security>)> {
    match attributes.get() {
        None => Ok((false, None)),
        Some(given) => Ok((given.inherit != 0, descriptor(given.descriptor)?)),
    }
}

/// Whether a Create call that knows no security was asked for an inheritable handle.
pub(crate) fn inherit(attributes: In<SECURITY_ATTRIBUTES>) -> bool {
    attributes.get().is_some_and(|given| given.inherit != 0)
}

/// Gives the options of a named object what all Create functions take.
macro_rules! with_attributes {
    ($options:expr, $attributes:expr, $name:expr, $access:expr) => {{
        let (inherit, security) = $crate::security::attributes($attributes)?;
        let mut options = $options.inherit(inherit);
        if let Some(security) = security {
            options = options.security(security);
        }
        if let Some(name) = $name.name()? {
            options = options.name_utf16(&name);
        }
        if let Some(access) = $access {
            options = options.access(access);
        }
        options
    }};
}
pub(crate) use with_attributes;

/// What a descriptor says; `None` for no descriptor, and for one without a list of rights.
fn descriptor(descriptor: In<u8>) -> Outcome<Option<Security>> {
    let Some(revision) = descriptor.get() else { return Ok(None) };
    if revision != REVISION {
        return fail(Code::INVALID_SECURITY_DESCR);
    }
    let control = descriptor.offset::<u16>(CONTROL).required()?;
    if control & SELF_RELATIVE != 0 {
        return from_text(descriptor).map(Some);
    }
    if control & DACL_PRESENT == 0 {
        return Ok(None);
    }
    let list = descriptor.offset::<In<u8>>(DACL).required()?;
    if list.is_null() {
        return Ok(Some(Security::everyone()));
    }
    let mut sddl = String::new();
    for (letter, at) in [("O:", OWNER), ("G:", GROUP)] {
        let sid = descriptor.offset::<In<u8>>(at).required()?;
        if !sid.is_null() {
            sddl.push_str(letter);
            // 15 parts at most, so a sid is no longer than this.
            sddl.push_str(&sid_text(&sid.values(sid_length(sid)?)?)?);
        }
    }
    sddl.push_str(&list_text(list)?);
    Ok(Some(Security::from_sddl(&sddl)?))
}

/// A descriptor that [`from_sddl`] made.
fn from_text(descriptor: In<u8>) -> Outcome<Security> {
    if descriptor.offset::<u32>(MAGIC).required()? != SDDL {
        return fail(Code::INVALID_SECURITY_DESCR);
    }
    let length = descriptor.offset::<u32>(TEXT_LENGTH).required()?;
    let text = descriptor.offset::<u8>(TEXT).values(length as usize)?;
    let text = String::from_utf8(text).map_err(|_| Failure(Code::INVALID_SECURITY_DESCR))?;
    Ok(Security::from_sddl(&text)?)
}

/// Bytes of a binary sid: 8, and 4 for each part.
fn sid_length(sid: In<u8>) -> Outcome<usize> {
    match sid.offset::<u8>(1).required()? {
        parts @ 0..=15 => Ok(8 + 4 * usize::from(parts)),
        _ => fail(Code::INVALID_SID),
    }
}

/// A binary sid as text: `S-1-authority-part-part…`.
fn sid_text(sid: &[u8]) -> Outcome<String> {
    let [1, parts, a, b, c, d, e, f, rest @ ..] = sid else { return fail(Code::INVALID_SID) };
    if rest.len() < 4 * usize::from(*parts) || *parts > 15 {
        return fail(Code::INVALID_SID);
    }
    let mut text = format!("S-1-{}", u64::from_be_bytes([0, 0, *a, *b, *c, *d, *e, *f]));
    for part in rest.chunks_exact(4).take(usize::from(*parts)) {
        let part = u32::from_le_bytes([part[0], part[1], part[2], part[3]]);
        // Writing to a string does not fail.
        let _ = write!(text, "-{part}");
    }
    Ok(text)
}

/// A binary list of rights as SDDL.
fn list_text(list: In<u8>) -> Outcome<String> {
    const HEADER: usize = 8;
    let size = usize::from(list.offset::<u16>(2).required()?);
    let count = list.offset::<u16>(4).required()?;
    let bytes = list.values(size)?;
    let mut entries = bytes.get(HEADER..).ok_or(Failure(Code::INVALID_ACL))?;
    let mut text = String::from("D:");
    for _ in 0..count {
        let [kind, flags, low, high, m0, m1, m2, m3, ..] = entries else { return fail(Code::INVALID_ACL) };
        let size = usize::from(u16::from_le_bytes([*low, *high]));
        let mask = u32::from_le_bytes([*m0, *m1, *m2, *m3]);
        let sid = entries.get(8..size).ok_or(Failure(Code::INVALID_ACL))?;
        let letter = match kind {
            0 => 'A',
            1 => 'D',
            _ => return fail(Code::NOT_SUPPORTED),
        };
        let only_for_contents = if flags & 0x08 != 0 { "IO" } else { "" };
        let sid = sid_text(sid)?;
        let _ = write!(text, "({letter};{only_for_contents};0x{mask:X};;;{sid})");
        entries = &entries[size..];
    }
    Ok(text)
}

#[unsafe(no_mangle)]
pub extern "C" fn InitializeSecurityDescriptor(descriptor: Out<u8>, revision: u32) -> Bool {
    truth(|| {
        let descriptor = descriptor.required()?;
        if revision != u32::from(REVISION) {
            return fail(UNKNOWN_REVISION);
        }
        descriptor.put_all(&[0; ABSOLUTE_SIZE]);
        descriptor.put(REVISION);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn SetSecurityDescriptorDacl(
    descriptor: Out<u8>,
    present: Bool,
    list: In<u8>,
    defaulted: Bool,
) -> Bool {
    truth(|| {
        if descriptor.reader().required()? != REVISION {
            return fail(UNKNOWN_REVISION);
        }
        let before = descriptor.reader().offset::<u16>(CONTROL).required()?;
        if before & SELF_RELATIVE != 0 {
            return fail(Code::INVALID_SECURITY_DESCR);
        }
        let mut control = before & !(DACL_PRESENT | DACL_DEFAULTED);
        let place = descriptor.offset::<In<u8>>(DACL);
        if present != 0 {
            control |= DACL_PRESENT | if defaulted != 0 { DACL_DEFAULTED } else { 0 };
            place.put(list);
        } else {
            descriptor.offset::<usize>(DACL).put(0);
        }
        descriptor.offset::<u16>(CONTROL).put(control);
        Ok(())
    })
}

fn from_sddl<U: Unit>(
    text: In<U>,
    revision: u32,
    descriptor: Out<*mut std::ffi::c_void>,
    size: Out<u32>,
) -> Bool {
    truth(|| {
        let (Some(text), false) = (text.text(), descriptor.is_null()) else {
            return fail(Code::INVALID_PARAMETER);
        };
        if revision != u32::from(REVISION) {
            return fail(UNKNOWN_REVISION);
        }
        let text = String::from_utf8(text).map_err(|_| Failure(Code::INVALID_PARAMETER))?;
        Security::from_sddl(&text)?;
        let mut bytes = vec![0_u8; TEXT];
        bytes[0] = REVISION;
        bytes[CONTROL..][..2].copy_from_slice(&(SELF_RELATIVE | DACL_PRESENT).to_ne_bytes());
        bytes[MAGIC..][..4].copy_from_slice(&SDDL.to_ne_bytes());
        bytes[TEXT_LENGTH..][..4].copy_from_slice(&length(text.len()).to_ne_bytes());
        bytes.extend_from_slice(text.as_bytes());
        descriptor.put(memory::local(&bytes)?);
        size.put(length(bytes.len()));
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn ConvertStringSecurityDescriptorToSecurityDescriptorA(
    text: In<u8>,
    revision: u32,
    descriptor: Out<*mut std::ffi::c_void>,
    size: Out<u32>,
) -> Bool {
    from_sddl(text, revision, descriptor, size)
}

#[unsafe(no_mangle)]
pub extern "C" fn ConvertStringSecurityDescriptorToSecurityDescriptorW(
    text: In<u16>,
    revision: u32,
    descriptor: Out<*mut std::ffi::c_void>,
    size: Out<u32>,
) -> Bool {
    from_sddl(text, revision, descriptor, size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi::tests::{given, taken};
    use transom::handle::Kind;

    /// S-1-1-0, everyone.
    const EVERYONE: [u8; 12] = [1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];

    /// An absolute descriptor with this list.
    fn absolute(list: Option<&[u8]>) -> [u8; ABSOLUTE_SIZE] {
        let mut bytes = [0xCC; ABSOLUTE_SIZE];
        assert_eq!(InitializeSecurityDescriptor(taken(&mut bytes), 1), 1);
        let list = list.map_or(given::<u8>(&[]), given);
        assert_eq!(SetSecurityDescriptorDacl(taken(&mut bytes), 1, list, 0), 1);
        bytes
    }

    /// M41: no descriptor and no list are the default, a NULL list is everyone.
    #[test]
    fn a_descriptor_without_a_list_is_the_default() {
        let mut bytes = [0; ABSOLUTE_SIZE];
        assert_eq!(InitializeSecurityDescriptor(taken(&mut bytes), 1), 1);
        assert_eq!(descriptor(given(&bytes)), Ok(None));
        assert_eq!(SetSecurityDescriptorDacl(taken(&mut bytes), 1, null(), 0), 1);
        assert_eq!(descriptor(given(&bytes)), Ok(Some(Security::everyone())));
        assert_eq!(SetSecurityDescriptorDacl(taken(&mut bytes), 0, null(), 0), 1);
        assert_eq!(descriptor(given(&bytes)), Ok(None));
    }

    fn null() -> In<u8> {
        let mut pointer = [0_usize];
        taken(&mut pointer).cast::<In<u8>>().reader().get().expect("a pointer to a pointer")
    }

    /// M41
    #[test]
    fn a_binary_list_means_what_its_text_means() {
        let mut list = vec![2, 0, 28, 0, 1, 0, 0, 0, 0, 0, 20, 0];
        list.extend_from_slice(&0x0010_0002_u32.to_le_bytes());
        list.extend_from_slice(&EVERYONE);
        let bytes = absolute(Some(&list));
        let security = descriptor(given(&bytes)).expect("a good list").expect("a list");
        assert_eq!(security.granted(Kind::Event, false, false), 0x0010_0002);
        // An empty list lets nobody in.
        let bytes = absolute(Some(&[2, 0, 8, 0, 0, 0, 0, 0]));
        assert_eq!(descriptor(given(&bytes)), Ok(Some(Security::nobody())));
        // One that says it has more entries than bytes is refused.
        let bytes = absolute(Some(&[2, 0, 8, 0, 9, 0, 0, 0]));
        assert_eq!(descriptor(given(&bytes)), fail(Code::INVALID_ACL));
    }

    /// M41
    #[test]
    fn a_descriptor_of_text_can_be_copied_and_read() {
        let mut pointer = [std::ptr::null_mut()];
        let mut size = [0];
        let text = b"D:(A;;GA;;;WD)\0";
        let made = ConvertStringSecurityDescriptorToSecurityDescriptorA(
            given(text),
            1,
            taken(&mut pointer),
            taken(&mut size),
        );
        assert_eq!(made, 1);
        let at = taken(&mut pointer).cast::<In<u8>>().reader().get().expect("a pointer to a pointer");
        let copy = at.values(size[0] as usize).expect("the block is as long as it says");
        let security = descriptor(given(&copy)).expect("a good descriptor").expect("a list");
        assert!(security.admits_others());
        let mut copy = copy;
        assert_eq!(SetSecurityDescriptorDacl(taken(&mut copy), 1, null(), 0), 0);
        assert_eq!(crate::last_error::GetLastError(), 1338);
        memory::local_free(pointer[0].addr());
    }
}
