//! Classes, creation, destruction.
//!
//! # Safety
//! Procedures of the tests pass their parameters on as they came.
#![allow(unsafe_code)]

use super::super::message::{
    GWLP_USERDATA, GWLP_WNDPROC, WM_CREATE, WM_DESTROY, WM_NCCREATE, WM_NCDESTROY, WS_CHILD,
};
use super::*;
use crate::differs_under_wine;
use crate::support::{in_thread, limit};

unsafe extern "system-unwind" fn plain(window: usize, message: u32, wparam: usize, lparam: isize) -> isize {
    let window = WindowHandle::from_raw(window);
    // SAFETY: passed on as they came.
    unsafe { raw::default_procedure(window, message, wparam, lparam, Charset::Wide) }
}

/// W1.
#[test]
fn class_names_compare_without_case_and_keep_their_first_spelling() {
    let _limit = limit();
    let name = unique("First-Spelling");
    let class = Class::register(&name).unwrap();
    assert_eq!(class.name(), name);
    assert_eq!(code(Class::register(&name.to_uppercase())), 1410);
    assert_eq!(code(Class::register(&name)), 1410);
    let window = class.window("").create().unwrap();
    assert_eq!(window.sender().class_name().unwrap(), name);
    let shouted = Sender::find(name.to_uppercase().as_str(), "").unwrap();
    assert_eq!(shouted.handle(), window.handle());
    assert_eq!(raw::class(Name::Text(&wide(&name.to_lowercase()))).unwrap().0, class.number());
    assert!(class.number() >= 0xC000);
}

#[test]
fn a_class_needs_a_name_of_1_to_255_units() {
    let _limit = limit();
    assert_eq!(code(Class::register("")), 87);
    assert_eq!(code(Class::register(&"n".repeat(256))), 87);
    assert_eq!(code(Class::register("a\0b")), 123);
    let long = format!("{:n<255}", unique("long"));
    assert_eq!(Class::register(&long).unwrap().window("").create().unwrap().class().name(), long);
}

#[test]
fn a_class_ends_with_its_last_clone_and_its_last_window() {
    let _limit = limit();
    let name = unique("ends");
    let class = Class::register(&name).unwrap();
    let window = class.window("").create().unwrap();
    drop(class);
    assert_eq!(code(Class::register(&name)), 1410, "its window keeps it");
    drop(window);
    Class::register(&name).unwrap();
    Class::register(&name).unwrap();
}

#[test]
fn classes_are_told_and_unregistered_by_name_or_number() {
    let _limit = limit();
    let name = unique("Told");
    let mut definition = definition(&name, Charset::Wide, plain);
    definition.window_extra = 16;
    let number = raw::register_class(&definition).unwrap();
    let (told, what) = raw::class(Name::Text(&wide(&name.to_uppercase()))).unwrap();
    assert_eq!((told, what.window_extra, what.charset), (number, 16, Charset::Wide));
    assert_eq!(what.procedure as usize, plain as *const () as usize);
    assert_eq!(raw::class(Name::Atom(number)).unwrap().0, number);
    let units = wide(&name);
    let window = raw::create(&creation(&units, &[], WindowHandle::MESSAGE)).unwrap();
    assert_eq!(code(raw::unregister_class(Name::Text(&units))), 1412, "there is a window");
    raw::destroy(window).unwrap();
    raw::unregister_class(Name::Text(&wide(&name.to_uppercase()))).unwrap();
    assert_eq!(code(raw::unregister_class(Name::Text(&units))), 1411);
    assert_eq!(code(raw::class(Name::Text(&units))), 1411);
}

/// W2.
#[test]
fn a_procedure_can_refuse_its_window() {
    let _limit = limit();
    let class = class("refuse");
    for (message, answer) in [(WM_NCCREATE, 0), (WM_CREATE, -1)] {
        let refused = class.window("refused").on_message(message, move |_, _| answer).create();
        assert!(refused.is_err());
        assert_eq!(code(Sender::find(class.name(), None)), 2, "there is no window");
    }
    class.window("taken").create().unwrap();
}

#[test]
fn a_class_that_nobody_registered_has_no_windows() {
    let _limit = limit();
    let name = wide(&unique("unknown"));
    let made = raw::create(&creation(&name, &[], WindowHandle::MESSAGE));
    differs_under_wine!("W2", code(made) == 1407);
}

#[test]
fn a_child_needs_a_parent() {
    let _limit = limit();
    let class = class("orphan");
    let name = wide(class.name());
    let mut orphan = creation(&name, &[], WindowHandle::NULL);
    orphan.style = WS_CHILD;
    assert_eq!(code(raw::create(&orphan)), 1406);
    assert_eq!(code(class.window("").child(NO_WINDOW).create()), 1400);
}

/// W3: from parent to child, each hearing WM_DESTROY before its children and WM_NCDESTROY after them.
#[test]
fn children_are_destroyed_with_their_parent() {
    let _limit = limit();
    let class = class("family");
    let heard = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let make = |who: &'static str, options: super::super::WindowOptions| {
        let heard = std::rc::Rc::clone(&heard);
        let note = move |message, _, _| {
            if matches!(message, WM_DESTROY | WM_NCDESTROY) {
                heard.borrow_mut().push((who, message));
            }
            None
        };
        options.on_any(note).create().unwrap()
    };
    let parent = make("parent", class.window("parent"));
    let child = make("child", class.window("child").child(parent.handle()));
    let grandchild = make("grandchild", class.window("grandchild").child(child.handle()));
    assert_eq!(raw::parent(child.handle()).unwrap(), parent.handle());
    assert_eq!(raw::children(parent.handle()).unwrap(), [child.handle(), grandchild.handle()]);
    drop(parent);
    assert!(!child.is_alive() && !grandchild.is_alive());
    assert!(!raw::is_window(child.handle()) && !raw::is_window(grandchild.handle()));
    let expected = [
        ("parent", WM_DESTROY),
        ("child", WM_DESTROY),
        ("grandchild", WM_DESTROY),
        ("grandchild", WM_NCDESTROY),
        ("child", WM_NCDESTROY),
        ("parent", WM_NCDESTROY),
    ];
    assert_eq!(*heard.borrow(), expected);
}

/// W3: without a word to anybody.
#[test]
fn windows_end_with_their_thread() {
    let _limit = limit();
    let class = class("thread-end");
    let theirs = class.clone();
    let handle = in_thread(move || {
        let window = theirs.window("left").create().unwrap();
        let handle = window.handle();
        std::mem::forget(window);
        handle
    });
    assert!(!raw::is_window(handle));
    assert_eq!(code(Sender::find(class.name(), None)), 2);
    assert_eq!(code(Sender::new(handle).post(WM_USER, 0, 0)), 1400);
}

/// W4.
#[test]
fn a_window_is_destroyed_once_and_by_its_thread() {
    let _limit = limit();
    let class = class("destroy");
    let window = class.window("").create().unwrap();
    let handle = window.handle();
    assert_eq!(in_thread(move || code(raw::destroy(handle))), 5, "it is another thread's");
    assert!(raw::is_window(handle));
    raw::destroy(handle).unwrap();
    assert!(!window.is_alive() && !raw::is_window(handle));
    differs_under_wine!("W4", code(raw::destroy(handle)) == 1400);
    differs_under_wine!("W4", code(raw::destroy(WindowHandle::NULL)) == 1400);
    let other = class.window("").create().unwrap();
    drop(window);
    assert!(other.is_alive(), "dropping the first destroys no other window");
}

/// Messages.md, section 2: WM_CLOSE destroys by default.
#[test]
fn closing_a_window_destroys_it() {
    let _limit = limit();
    let window = class("close").window("").create().unwrap();
    window.sender().send(super::super::message::WM_CLOSE, 0, 0, PATIENCE).unwrap();
    assert!(!window.is_alive());
    assert_eq!(code(window.sender().send(WM_USER, 0, 0, PATIENCE)), 1400);
    assert_eq!(code(window.set_title("x")), 1400);
}

/// Messages.md, section 3.
#[test]
fn windows_have_values_and_extra_bytes() {
    let _limit = limit();
    let name = unique("extra");
    let mut definition = definition(&name, Charset::Wide, plain);
    definition.window_extra = 16;
    raw::register_class(&definition).unwrap();
    let units = wide(&name);
    let window = raw::create(&creation(&units, &[], WindowHandle::MESSAGE)).unwrap();
    let set = |index, value| {
        // SAFETY: not the procedure.
        unsafe { raw::set_long(window, index, value, Charset::Wide) }
    };
    assert_eq!(raw::long(window, 8).unwrap(), 0);
    assert_eq!(set(8, isize::MIN + 3).unwrap(), 0);
    assert_eq!(set(8, 4).unwrap(), isize::MIN + 3);
    assert_eq!((raw::long(window, 0).unwrap(), raw::long(window, 8).unwrap()), (0, 4));
    assert_eq!(set(GWLP_USERDATA, -9).unwrap(), 0);
    assert_eq!(raw::long(window, GWLP_USERDATA).unwrap(), -9);
    assert_eq!(code(raw::long(window, 16)), 1413);
    assert_eq!(code(set(9, 0)), 1413);
    assert_eq!(code(raw::long(window, -100)), 1413);
    assert_eq!(code(raw::long(NO_WINDOW, GWLP_USERDATA)), 1400);
    raw::destroy(window).unwrap();
    raw::unregister_class(Name::Text(&units)).unwrap();
}

unsafe extern "system-unwind" fn doubling(
    window: usize,
    message: u32,
    wparam: usize,
    lparam: isize,
) -> isize {
    if message == WM_USER {
        return 2 * lparam;
    }
    let window = WindowHandle::from_raw(window);
    // SAFETY: the one that was set before, and the parameters as they came.
    unsafe { raw::call_procedure(plain, window, message, wparam, lparam, Charset::Wide) }
}

#[test]
fn a_windows_procedure_can_be_replaced() {
    let _limit = limit();
    let name = unique("replaced");
    raw::register_class(&definition(&name, Charset::Wide, plain)).unwrap();
    let units = wide(&name);
    let window = raw::create(&creation(&units, &wide("kept"), WindowHandle::MESSAGE)).unwrap();
    assert_eq!(raw::long(window, GWLP_WNDPROC).unwrap(), plain as *const () as isize);
    // SAFETY: a procedure.
    let before =
        unsafe { raw::set_long(window, GWLP_WNDPROC, doubling as *const () as isize, Charset::Wide) };
    assert_eq!(before.unwrap(), plain as *const () as isize);
    assert_eq!(Sender::new(window).send(WM_USER, 0, 21, PATIENCE).unwrap(), 42);
    assert_eq!(Sender::new(window).title().unwrap(), "kept", "the old one is called");
    raw::destroy(window).unwrap();
    raw::unregister_class(Name::Text(&units)).unwrap();
}

#[test]
fn windows_have_properties() {
    let _limit = limit();
    let window = class("props").window("").create().unwrap();
    let handle = window.handle();
    let (name, shouted) = (wide("transom-test-property"), wide("TRANSOM-TEST-PROPERTY"));
    assert_eq!(raw::property(handle, Name::Text(&name)).unwrap(), None);
    raw::set_property(handle, Name::Text(&name), 77).unwrap();
    assert_eq!(raw::property(handle, Name::Text(&shouted)).unwrap(), Some(77));
    raw::set_property(handle, Name::Text(&shouted), 78).unwrap();
    assert_eq!(in_thread(move || raw::property(handle, Name::Text(&name)).unwrap()), Some(78));
    assert_eq!(raw::remove_property(handle, Name::Text(&shouted)).unwrap(), Some(78));
    assert_eq!(raw::remove_property(handle, Name::Text(&shouted)).unwrap(), None);
    assert_eq!(code(raw::property(NO_WINDOW, Name::Text(&shouted))), 1400);
    assert_eq!(code(raw::set_property(NO_WINDOW, Name::Text(&shouted), 1)), 1400);
}

#[test]
fn what_is_no_window_is_1400() {
    let _limit = limit();
    for window in [NO_WINDOW, WindowHandle::NULL] {
        assert!(!raw::is_window(window));
        assert_eq!(code(raw::owner(window)), 1400);
        assert_eq!(code(raw::text(window)), 1400);
        assert_eq!(code(raw::charset(window)), 1400);
        assert_eq!(code(raw::parent(window)), 1400);
        assert_eq!(code(Sender::new(window).send(WM_USER, 0, 0, PATIENCE)), 1400);
    }
    assert_eq!(code(raw::class_name(NO_WINDOW)), 1400);
}
