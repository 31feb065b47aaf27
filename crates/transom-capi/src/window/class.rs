//! Classes: `RegisterClass`, `UnregisterClass`, `GetClassInfo`, `GetClassName`.
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s.
#![allow(unsafe_code)]

use transom::Code;
use transom::window::raw::{self, ClassDefinition, Procedure};

use crate::ffi::{Bool, In, Out, Outcome, Plain, Unit, fail, guard, truth};

use super::{HWND, Named, charset, handle, put_cut, wide};

/// `WNDCLASSA` and `WNDCLASSW`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct WNDCLASS<U> {
    style: u32,
    procedure: Option<Procedure>,
    class_extra: i32,
    window_extra: i32,
    instance: usize,
    icon: usize,
    cursor: usize,
    background: usize,
    menu_name: usize,
    name: In<U>,
}

/// `WNDCLASSEXA` and `WNDCLASSEXW`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct WNDCLASSEX<U> {
    size: u32,
    style: u32,
    procedure: Option<Procedure>,
    class_extra: i32,
    window_extra: i32,
    instance: usize,
    icon: usize,
    cursor: usize,
    background: usize,
    menu_name: usize,
    name: In<U>,
    small_icon: usize,
}

// SAFETY: integers and pointers; NULL is no procedure.
unsafe impl<U: Plain> Plain for WNDCLASS<U> {}
// SAFETY: as above.
unsafe impl<U: Plain> Plain for WNDCLASSEX<U> {}

fn register<U: Unit>(class: WNDCLASS<U>, small_icon: usize) -> Outcome<u16> {
    let (Some(procedure), None) = (class.procedure, class.name.number()) else {
        return fail(Code::INVALID_PARAMETER);
    };
    let definition = ClassDefinition {
        name: wide(&class.name.units().unwrap_or_default()),
        charset: charset::<U>(),
        procedure,
        style: class.style,
        class_extra: class.class_extra,
        window_extra: class.window_extra,
        instance: class.instance,
        icon: class.icon,
        cursor: class.cursor,
        background: class.background,
        menu_name: class.menu_name,
        small_icon,
    };
    Ok(raw::register_class(&definition)?)
}

fn register_plain<U: Unit>(class: In<WNDCLASS<U>>) -> u16 {
    guard(0, || register(class.required()?, 0))
}

fn register_ex<U: Unit>(class: In<WNDCLASSEX<U>>) -> u16 {
    guard(0, || {
        let class = class.required()?;
        if class.size as usize != size_of::<WNDCLASSEX<U>>() {
            return fail(Code::INVALID_PARAMETER);
        }
        let plain = WNDCLASS {
            style: class.style,
            procedure: class.procedure,
            class_extra: class.class_extra,
            window_extra: class.window_extra,
            instance: class.instance,
            icon: class.icon,
            cursor: class.cursor,
            background: class.background,
            menu_name: class.menu_name,
            name: class.name,
        };
        register(plain, class.small_icon)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn RegisterClassA(class: In<WNDCLASS<u8>>) -> u16 {
    register_plain(class)
}

#[unsafe(no_mangle)]
pub extern "C" fn RegisterClassW(class: In<WNDCLASS<u16>>) -> u16 {
    register_plain(class)
}

#[unsafe(no_mangle)]
pub extern "C" fn RegisterClassExA(class: In<WNDCLASSEX<u8>>) -> u16 {
    register_ex(class)
}

#[unsafe(no_mangle)]
pub extern "C" fn RegisterClassExW(class: In<WNDCLASSEX<u16>>) -> u16 {
    register_ex(class)
}

fn unregister<U: Unit>(name: In<U>) -> Bool {
    truth(|| Ok(raw::unregister_class(Named::of(name).name())?))
}

#[unsafe(no_mangle)]
pub extern "C" fn UnregisterClassA(name: In<u8>, _instance: usize) -> Bool {
    unregister(name)
}

#[unsafe(no_mangle)]
pub extern "C" fn UnregisterClassW(name: In<u16>, _instance: usize) -> Bool {
    unregister(name)
}

/// Fills both records alike; the name is the pointer that was given.
fn info<U: Unit>(name: In<U>) -> Outcome<(u16, WNDCLASS<U>, usize)> {
    let (atom, class) = raw::class(Named::of(name).name())?;
    let record = WNDCLASS {
        style: class.style,
        procedure: Some(class.procedure),
        class_extra: class.class_extra,
        window_extra: class.window_extra,
        instance: class.instance,
        icon: class.icon,
        cursor: class.cursor,
        background: class.background,
        menu_name: class.menu_name,
        name,
    };
    Ok((atom, record, class.small_icon))
}

fn info_plain<U: Unit>(name: In<U>, record: Out<WNDCLASS<U>>) -> Bool {
    truth(|| {
        let record = record.required()?;
        record.put(info(name)?.1);
        Ok(())
    })
}

fn info_ex<U: Unit>(name: In<U>, record: Out<WNDCLASSEX<U>>) -> Bool {
    guard(0, || {
        let record = record.required()?;
        let (atom, class, small_icon) = info(name)?;
        record.put(WNDCLASSEX {
            // As it was: the caller filled it in.
            size: record.reader().cast::<u32>().required()?,
            style: class.style,
            procedure: class.procedure,
            class_extra: class.class_extra,
            window_extra: class.window_extra,
            instance: class.instance,
            icon: class.icon,
            cursor: class.cursor,
            background: class.background,
            menu_name: class.menu_name,
            name: class.name,
            small_icon,
        });
        Ok(Bool::from(atom))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn GetClassInfoA(_instance: usize, name: In<u8>, record: Out<WNDCLASS<u8>>) -> Bool {
    info_plain(name, record)
}

#[unsafe(no_mangle)]
pub extern "C" fn GetClassInfoW(_instance: usize, name: In<u16>, record: Out<WNDCLASS<u16>>) -> Bool {
    info_plain(name, record)
}

#[unsafe(no_mangle)]
pub extern "C" fn GetClassInfoExA(_instance: usize, name: In<u8>, record: Out<WNDCLASSEX<u8>>) -> Bool {
    info_ex(name, record)
}

#[unsafe(no_mangle)]
pub extern "C" fn GetClassInfoExW(_instance: usize, name: In<u16>, record: Out<WNDCLASSEX<u16>>) -> Bool {
    info_ex(name, record)
}

fn name<U: Unit>(window: HWND, buffer: Out<U>, size: i32) -> i32 {
    guard(0, || {
        let name = raw::class_name(handle(window))?;
        if size < 1 {
            return fail(Code::INSUFFICIENT_BUFFER);
        }
        Ok(put_cut(&name, buffer.required()?, size))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn GetClassNameA(window: HWND, buffer: Out<u8>, size: i32) -> i32 {
    name(window, buffer, size)
}

#[unsafe(no_mangle)]
pub extern "C" fn GetClassNameW(window: HWND, buffer: Out<u16>, size: i32) -> i32 {
    name(window, buffer, size)
}
