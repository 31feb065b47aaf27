//! Window messages between two processes.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::Ordering;

use transom::wait::Timeout;
use transom::window::message::WM_APP;
use transom::window::{Class, MessageLoop, Sender, Window};

use super::Stage;
use super::floors::{signal, sleep};
use super::mapping::unique;
use super::partner::{Partner, Shared, Work};
use crate::error::{Error, Result};
use crate::sample::{each, row, serve, stretch};

/// A message whose answer is its parameter, plus one.
const PLUS_ONE: u32 = WM_APP;
/// A message that is counted.
const COUNTED: u32 = WM_APP + 1;
/// Word of the role: the partner has got all.
const DONE: usize = 0;
/// So many posted messages are on their way at the most: a queue holds 10,000.
const UNREAD: u64 = 5000;

/// Starts the partner, which has a window.
fn start(stage: &Stage<'_>) -> Result<(Partner, Sender)> {
    let name = unique("window");
    let partner = Partner::start(stage, stage.role, std::slice::from_ref(&name), 0)?;
    let sender = Sender::find(name.as_str(), None)?;
    Ok((partner, sender))
}

pub(super) fn send(stage: &Stage<'_>) -> Result<()> {
    let (mut partner, to) = start(stage)?;
    serve(&mut |count| {
        partner.begin(count)?;
        let mut number = 0;
        each(count, || {
            number += 1;
            right(to.send(PLUS_ONE, number, 0, Timeout::INFINITE)?, number as isize + 1)
        })
    })
}

pub(super) fn copydata(stage: &Stage<'_>) -> Result<()> {
    let bytes = vec![7; stage.number(0)?];
    let (mut partner, to) = start(stage)?;
    serve(&mut |count| {
        partner.begin(count)?;
        each(count, || right(to.copydata(1, &bytes, Timeout::INFINITE)?, bytes.len() as isize + 1))
    })
}

pub(super) fn post(stage: &Stage<'_>) -> Result<()> {
    let (mut partner, to) = start(stage)?;
    serve(&mut |count| {
        partner.shared().word(DONE).store(0, Ordering::Relaxed);
        partner.begin(count)?;
        let (mut posted, mut waits) = (0, 0);
        stretch(count, || {
            to.post(COUNTED, 0, 0)?;
            posted += 1;
            if u64::is_multiple_of(posted, UNREAD) || posted == count {
                waits += 1;
                sleep(partner.shared().word(DONE), waits);
            }
            Ok(())
        })
    })
}

fn right(answer: isize, expected: isize) -> Result<()> {
    if answer == expected { Ok(()) } else { Err(Error::new(format!("a window answered {answer}"))) }
}

/// A window that answers so many times for each request.
pub(super) fn partner(shared: Shared, arguments: &[String]) -> Result<Work> {
    let name = arguments.first().ok_or_else(|| Error::new("a partner lacks its name"))?;
    let left = Rc::new(Cell::new(0_u64));
    let answered = {
        let left = Rc::clone(&left);
        move || {
            left.set(left.get().saturating_sub(1));
            if left.get() == 0 {
                MessageLoop::quit(0);
            }
        }
    };
    let window = window(name, answered.clone())?;
    let posted = Cell::new(0_u64);
    let (shared, all) = (Rc::new(shared), Rc::new(Cell::new(0_u64)));
    let (to, count) = (Rc::clone(&shared), Rc::clone(&all));
    window.on_message(COUNTED, move |_, _| {
        posted.set(posted.get() + 1);
        if posted.get().is_multiple_of(UNREAD) || posted.get() == count.get() {
            signal(to.word(DONE), posted.get().div_ceil(UNREAD) as u32);
        }
        if posted.get() == count.get() {
            posted.set(0);
        }
        answered();
        0
    });
    let messages = MessageLoop::new()?;
    Ok(Box::new(move |count| {
        let _ = &window;
        left.set(count);
        all.set(count);
        messages.run()?;
        Ok(())
    }))
}

fn window(name: &str, answered: impl Fn() + Clone + 'static) -> Result<Window> {
    let again = answered.clone();
    let plus_one = move |value: usize, _: isize| {
        again();
        value as isize + 1
    };
    let length = move |_, tag: usize, bytes: &[u8]| {
        answered();
        (bytes.len() + tag) as isize
    };
    Ok(Class::register(name)?.window(name).on_copydata(length).on_message(PLUS_ONE, plus_one).create()?)
}

pub(super) fn send_own(_: &Stage<'_>) -> Result<()> {
    let own = window(&unique("own"), || {})?;
    let to = own.sender();
    serve(&mut |count| {
        let mut number = 0;
        row(count, || {
            number += 1;
            right(to.send(PLUS_ONE, number, 0, Timeout::INFINITE)?, number as isize + 1)
        })
    })
}

pub(super) fn find(_: &Stage<'_>) -> Result<()> {
    let class = Class::register(&unique("found"))?;
    let others = (0..99).map(|index| class.window(&format!("other {index}")).create());
    let _others = others.collect::<transom::Result<Vec<_>>>()?;
    let wanted = class.window("wanted").create()?;
    serve(&mut |count| {
        row(count, || {
            let found = Sender::find(class.name(), "wanted")?;
            if found.handle() == wanted.handle() {
                Ok(())
            } else {
                Err(Error::new("another window was found"))
            }
        })
    })
}
