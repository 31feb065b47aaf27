//! Finding windows.

use super::*;
use crate::differs_under_wine;
use crate::support::{in_thread, limit};

fn found(parent: WindowHandle, class: &Class, title: &str) -> Option<WindowHandle> {
    let (class, title) = (wide(class.name()), wide(title));
    raw::find(parent, WindowHandle::NULL, Some(Name::Text(&class)), Some(&title)).unwrap()
}

/// W5.
#[test]
fn where_one_looks_decides_what_one_finds() {
    let _limit = limit();
    let class = class("where");
    let message_only = class.window("both").create().unwrap();
    let top = class.window("both").top_level().create().unwrap();
    let child = class.window("child").child(message_only.handle()).create().unwrap();
    let desktop = raw::desktop().unwrap();
    assert_eq!(found(WindowHandle::NULL, &class, "both"), Some(top.handle()), "top-level windows come first");
    assert_eq!(found(desktop, &class, "both"), Some(top.handle()));
    assert_eq!(found(WindowHandle::MESSAGE, &class, "both"), Some(message_only.handle()));
    assert_eq!(found(WindowHandle::NULL, &class, "child"), None, "children are found at their parent");
    assert_eq!(found(message_only.handle(), &class, "child"), Some(child.handle()));
    drop(top);
    assert_eq!(found(WindowHandle::NULL, &class, "both"), Some(message_only.handle()));
    assert_eq!(found(desktop, &class, "both"), None);
}

/// W6.
#[test]
fn titles_match_in_full_and_without_case() {
    let _limit = limit();
    let class = class("match");
    let named = class.window("A Title").create().unwrap();
    let empty = class.window("").create().unwrap();
    let find = |title| Sender::find(class.name(), title).map(Sender::handle);
    assert_eq!(find(Some("a tITLE")).unwrap(), named.handle());
    assert_eq!(code(find(Some("A Titl"))), 2);
    assert_eq!(code(find(Some("A Title "))), 2);
    assert_eq!(find(Some("")).unwrap(), empty.handle());
    assert!([named.handle(), empty.handle()].contains(&find(None).unwrap()));
    let number = Name::Atom(class.number());
    let by_number = raw::find(WindowHandle::NULL, WindowHandle::NULL, Some(number), Some(&wide("a title")));
    assert_eq!(by_number.unwrap(), Some(named.handle()));
    let title = unique("Only-Title");
    let other = class.window(&title).create().unwrap();
    assert_eq!(Sender::find(None, title.to_lowercase().as_str()).unwrap().handle(), other.handle());
}

/// W7.
#[test]
fn a_walk_visits_every_window_once() {
    let _limit = limit();
    let class = class("walk");
    let windows: Vec<Window> = (0..10)
        .map(|number| {
            let options = class.window("same");
            if number % 2 == 0 { options.top_level() } else { options }.create().unwrap()
        })
        .collect();
    class.window("other").create().unwrap();
    let mut all: Vec<_> =
        Sender::all(class.name(), "SAME").unwrap().into_iter().map(Sender::handle).collect();
    let top_level =
        |handle: &WindowHandle| windows.iter().step_by(2).any(|window| window.handle() == *handle);
    assert!(all[..5].iter().all(top_level) && !all[5..].iter().any(top_level), "Z order: W5");
    all.sort();
    let mut expected: Vec<_> = windows.iter().map(Window::handle).collect();
    expected.sort();
    assert_eq!(all, expected);
    drop(windows);
    assert_eq!(Sender::all(class.name(), None).unwrap(), []);
}

/// W8.
#[test]
fn the_stored_title_is_compared() {
    let _limit = limit();
    let class = class("stored");
    let asked = super::super::message::WM_GETTEXTLENGTH;
    let window = class.window("stored").on_message(asked, |_, _| 0).create().unwrap();
    assert_eq!(Sender::find(class.name(), "stored").unwrap().handle(), window.handle());
    window.set_title("changed").unwrap();
    assert_eq!(Sender::find(class.name(), "changed").unwrap().handle(), window.handle());
    assert_eq!(code(Sender::find(class.name(), "stored")), 2);
    // The closure takes the text, and stores nothing.
    window.on_message(super::super::message::WM_SETTEXT, |_, _| 1);
    window.set_title("not stored").unwrap();
    assert_eq!(Sender::find(class.name(), "changed").unwrap().handle(), window.handle());
}

/// W9.
#[test]
fn looking_below_or_behind_no_window_is_1400() {
    let _limit = limit();
    let find = |parent, after| raw::find(parent, after, None, None);
    differs_under_wine!("W9", code(find(NO_WINDOW, WindowHandle::NULL)) == 1400);
    differs_under_wine!("W9", code(find(WindowHandle::NULL, NO_WINDOW)) == 1400);
    assert_eq!(code(Sender::find(unique("nobody").as_str(), None)), 2);
}

/// W5 for lists.
#[test]
fn lists_have_the_windows_they_are_of() {
    let _limit = limit();
    let class = class("lists");
    let message_only = class.window("m").create().unwrap();
    let top = class.window("t").top_level().create().unwrap();
    let child = class.window("c").child(top.handle()).create().unwrap();
    let all = raw::top_level().unwrap();
    assert!(all.contains(&top.handle()));
    assert!(!all.contains(&message_only.handle()) && !all.contains(&child.handle()));
    let (thread, process) = raw::owner(top.handle()).unwrap();
    assert_eq!(process, std::process::id());
    assert_eq!(top.sender().thread_id().unwrap(), thread);
    // Windows may add one of its own to a thread with top-level windows.
    let of_thread = in_thread(move || raw::of_thread(thread).unwrap());
    assert!(of_thread.contains(&top.handle()));
    assert!(!of_thread.contains(&message_only.handle()) && !of_thread.contains(&child.handle()));
    assert_eq!(raw::children(top.handle()).unwrap(), [child.handle()]);
    assert_eq!(raw::children(child.handle()).unwrap(), []);
    assert!(raw::children(WindowHandle::MESSAGE).unwrap().contains(&message_only.handle()));
    assert!(!raw::children(WindowHandle::MESSAGE).unwrap().contains(&top.handle()));
    assert_eq!(code(raw::children(NO_WINDOW)), 1400);
}

/// Messages.md, section 2.
#[test]
fn a_top_level_window_can_become_message_only() {
    let _limit = limit();
    let class = class("becomes");
    let window = class.window("w").top_level().create().unwrap();
    assert_eq!(raw::parent(window.handle()).unwrap(), WindowHandle::NULL);
    raw::set_parent(window.handle(), WindowHandle::MESSAGE).unwrap();
    assert!(!raw::top_level().unwrap().contains(&window.handle()));
    assert_eq!(found(WindowHandle::MESSAGE, &class, "w"), Some(window.handle()));
    assert_eq!(found(raw::desktop().unwrap(), &class, "w"), None);
}
