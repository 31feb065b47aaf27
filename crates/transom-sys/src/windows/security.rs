//! `SECURITY_ATTRIBUTES`: who may open a new object, and whether its handle is inheritable.
//!
//! # Safety
//! A [`Descriptor`] owns memory of the system; [`Attributes`] borrows it for as long as a call needs it.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use windows_sys::Win32::Foundation::LocalFree;
use windows_sys::Win32::Security::Authorization::{
    ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1,
};
use windows_sys::Win32::Security::SECURITY_ATTRIBUTES;

use super::{Result, Wide, check};

/// A security descriptor in the form the API takes.
#[derive(Debug)]
pub struct Descriptor(NonNull<c_void>);

// SAFETY: the descriptor is plain memory that nothing changes between its making and its freeing, and
// LocalFree may be called by any thread.
unsafe impl Send for Descriptor {}
// SAFETY: as above; through a shared reference it is only read.
unsafe impl Sync for Descriptor {}

impl Descriptor {
    /// `ConvertStringSecurityDescriptorToSecurityDescriptor`: the descriptor that `sddl` describes.
    ///
    /// # Errors
    /// `ERROR_INVALID_SID` (1337), `ERROR_INVALID_PARAMETER` (87) and others: not a description.
    pub fn from_sddl(sddl: &str) -> Result<Descriptor> {
        let units: Vec<u16> = sddl.encode_utf16().collect();
        let text = Wide::new(Some(&units))?;
        let mut descriptor = ptr::null_mut();
        // SAFETY: `text` is terminated and outlives the call; `descriptor` is a local for the result; the
        // size may be NULL.
        check(unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                text.as_ptr(),
                SDDL_REVISION_1,
                &raw mut descriptor,
                ptr::null_mut(),
            )
        })?;
        NonNull::new(descriptor).map(Descriptor).ok_or_else(super::last_error)
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        // SAFETY: the pointer came from the conversion, whose documentation says to free it with LocalFree,
        // and nobody else has it.
        unsafe { LocalFree(self.0.as_ptr()) };
    }
}

/// `SECURITY_ATTRIBUTES` of a new object or handle.
pub struct Attributes<'a> {
    value: SECURITY_ATTRIBUTES,
    descriptor: PhantomData<&'a Descriptor>,
}

impl<'a> Attributes<'a> {
    /// `descriptor` `None` is the default descriptor of the process's token.
    #[must_use]
    pub fn new(descriptor: Option<&'a Descriptor>, inherit: bool) -> Attributes<'a> {
        Attributes {
            value: SECURITY_ATTRIBUTES {
                // A structure of 12 or 24 bytes.
                nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
                lpSecurityDescriptor: descriptor.map_or(ptr::null_mut(), |descriptor| descriptor.0.as_ptr()),
                bInheritHandle: inherit.into(),
            },
            descriptor: PhantomData,
        }
    }

    /// The structure, valid as long as `self`; its descriptor lives at least as long.
    pub(super) fn as_ptr(&self) -> *const SECURITY_ATTRIBUTES {
        &raw const self.value
    }
}
