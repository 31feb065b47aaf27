//! A typed mapping: one value of plain data at the beginning of a section, as `CAtlFileMapping<T>` has it.

use std::fmt;
use std::fs::File;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64};

use transom_core::access::{FILE_MAP_READ, FILE_MAP_WRITE};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::{Mapping, MappingOptions, View, ViewOptions};
use crate::error::Result;
use crate::handle::Created;

/// A value of plain data shared between processes: a section of the value's size and a view of it.
///
/// The value's bytes lie at offset 0 as they are in memory, without anything of ours: a C or C++ program that
/// maps the same name sees its own `struct` (A11). A new section is all zeroes (A6), and nothing is ever
/// constructed or destroyed.
///
/// There is no locking (M58). [`Shared::load`] and [`Shared::store`] copy the whole value, and a reader may
/// meet a half written one; single fields can be accessed atomically by their offset
/// ([`std::mem::offset_of`]). [`Guarded`](super::Guarded) is the one whose readers see whole values.
///
/// # Example
/// ```
/// use transom::mapping::Shared;
/// use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};
///
/// #[derive(FromBytes, IntoBytes, Immutable, KnownLayout)]
/// #[repr(C)]
/// struct Position {
///     x: f64,
///     y: f64,
/// }
///
/// # fn main() -> Result<(), transom::Error> {
/// # let name = format!("doc-shared-{}", std::process::id());
/// let ours = Shared::<Position>::create(&name)?.object;
/// ours.store(&Position { x: 3.0, y: 4.0 })?;
///
/// let theirs = Shared::<Position>::open(&name)?;
/// assert_eq!(theirs.load()?.y, 4.0);
/// # Ok(())
/// # }
/// ```
#[doc(alias = "CAtlFileMapping")]
pub struct Shared<T> {
    mapping: Mapping,
    view: View,
    /// The value is in the section, not in here; this type neither owns nor drops a T.
    value: PhantomData<fn() -> T>,
}

impl<T: FromBytes + IntoBytes + Immutable + KnownLayout> Shared<T> {
    /// Bytes of the value; a type without any is refused when the program is compiled.
    const SIZE: usize = {
        assert!(size_of::<T>() > 0, "a shared value needs at least one byte");
        size_of::<T>()
    };

    /// `CreateFileMapping` and `MapViewOfFile`: the section `name`, or the existing one, whose value stays.
    ///
    /// # Errors
    /// As [`MappingOptions::create`]; `ERROR_ACCESS_DENIED` (5) also if the existing section is smaller than
    /// the value (A6).
    pub fn create(name: &str) -> Result<Created<Shared<T>>> {
        let created = Mapping::create(name, Self::SIZE as u64)?;
        Ok(Created { object: Self::from_mapping(created.object)?, existed: created.existed })
    }

    /// An unnamed section: shared by inheritance or duplication of its handle (A7).
    ///
    /// # Errors
    /// As [`MappingOptions::create`].
    pub fn anonymous() -> Result<Shared<T>> {
        Self::from_mapping(Mapping::anonymous(Self::SIZE as u64)?)
    }

    /// `OpenFileMapping` and `MapViewOfFile`: the section `name`, for reading and writing.
    ///
    /// # Errors
    /// As [`MappingOptions::open`]; `ERROR_ACCESS_DENIED` (5) also if the section is smaller than the value.
    pub fn open(name: &str) -> Result<Shared<T>> {
        Self::from_mapping(Mapping::open(name)?)
    }

    /// As [`Shared::open`], for reading only: stores then fail with `ERROR_ACCESS_DENIED` (5).
    ///
    /// # Errors
    /// As [`Shared::open`].
    pub fn open_read_only(name: &str) -> Result<Shared<T>> {
        Self::from_mapping_read_only(Mapping::open_read_only(name)?)
    }

    /// The value at the beginning of `file`, which grows to the value's size if it is shorter (A3).
    ///
    /// # Errors
    /// As [`MappingOptions::create`].
    pub fn of_file(file: &File) -> Result<Shared<T>> {
        let created = MappingOptions::of_file(file, Self::SIZE as u64).create()?;
        Self::from_mapping(created.object)
    }

    /// The value at the beginning of any section, such as one whose handle was inherited.
    ///
    /// # Errors
    /// `ERROR_ACCESS_DENIED` (5): the section is smaller than the value, or its handle cannot write.
    pub fn from_mapping(mapping: Mapping) -> Result<Shared<T>> {
        Self::over(mapping, FILE_MAP_WRITE)
    }

    /// As [`Shared::from_mapping`], for reading only.
    ///
    /// # Errors
    /// `ERROR_ACCESS_DENIED` (5): the section is smaller than the value, or its handle cannot read.
    pub fn from_mapping_read_only(mapping: Mapping) -> Result<Shared<T>> {
        Self::over(mapping, FILE_MAP_READ)
    }

    fn over(mapping: Mapping, access: u32) -> Result<Shared<T>> {
        let view = ViewOptions::new().access(access).length(Self::SIZE as u64).map(&mapping)?;
        Ok(Shared { mapping, view, value: PhantomData })
    }

    /// A copy of the value as it is now. If somebody writes meanwhile, parts of it may be newer than others.
    ///
    /// # Errors
    /// `ERROR_FILE_INVALID` (1006): the file behind it was cut short.
    pub fn load(&self) -> Result<T> {
        self.view.read_value(0)
    }

    /// Replaces the value, byte after byte.
    ///
    /// # Errors
    /// `ERROR_ACCESS_DENIED` (5): opened for reading only. `ERROR_FILE_INVALID` (1006): the file behind it
    /// was cut short.
    pub fn store(&self, value: &T) -> Result<()> {
        self.view.write_value(0, value)
    }

    /// Loads the value, lets `change` work on the copy and stores it: *not* in one step. What others store in
    /// between is lost; hold a [`Mutex`](crate::mutex::Mutex) that all writers use, or see
    /// [`Guarded::update`](super::Guarded::update).
    ///
    /// # Errors
    /// As [`Shared::load`] and [`Shared::store`].
    pub fn update<R>(&self, change: impl FnOnce(&mut T) -> R) -> Result<R> {
        let mut value = self.load()?;
        let result = change(&mut value);
        self.store(&value)?;
        Ok(result)
    }

    /// The byte at `offset` in the value as an atomic.
    ///
    /// # Errors
    /// As [`View::atomic_u8`].
    pub fn atomic_u8(&self, offset: usize) -> Result<&AtomicU8> {
        self.view.atomic_u8(offset)
    }

    /// The field of 4 bytes at `offset` in the value as an atomic: `offset_of!(T, field)`.
    ///
    /// # Errors
    /// As [`View::atomic_u32`].
    pub fn atomic_u32(&self, offset: usize) -> Result<&AtomicU32> {
        self.view.atomic_u32(offset)
    }

    /// The field of 8 bytes at `offset` in the value as an atomic: `offset_of!(T, field)`.
    ///
    /// # Errors
    /// As [`View::atomic_u64`].
    pub fn atomic_u64(&self, offset: usize) -> Result<&AtomicU64> {
        self.view.atomic_u64(offset)
    }
}

impl<T> Shared<T> {
    /// The section, to be duplicated, inherited or closed elsewhere.
    #[must_use]
    pub fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// The view of the value's bytes.
    #[must_use]
    pub fn view(&self) -> &View {
        &self.view
    }
}

impl<T> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("mapping", &self.mapping).field("view", &self.view).finish()
    }
}
