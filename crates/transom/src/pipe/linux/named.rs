//! Named pipes by their name: creating, opening, waiting, calling.

use std::sync::Arc;

use transom_core::access::{GENERIC_READ, GENERIC_WRITE};
use transom_core::code::Code;
use transom_core::name::{PipeName, Purpose};
use transom_core::pipe::{Modes, PIPE_READMODE_MESSAGE, Plan};
use transom_sys::linux::{futex, host};

use super::super::{ClientOptions, Message, ServerOptions, Spin};
use super::NamedEnd;
use crate::engine::instance::{Blueprint, Instance};
use crate::engine::table::{self, Object};
use crate::engine::{known, record, spin, visit};
use crate::handle::Handle;
use crate::wait::Timeout;

type Coded<T> = std::result::Result<T, Code>;

fn name(units: &[u16], purpose: Purpose) -> Coded<PipeName> {
    // A plain fork has no handles, and must not meet the namespace as its parent left it in the middle of a call.
    record::own()?;
    // What this computer is called matters only where a name says it.
    let is_slash = |unit: &u16| matches!(*unit, 0x2F | 0x5C);
    let is_local = units.len() > 3 && units[2] == 0x2E && is_slash(&units[3]);
    let computer = if is_local { String::new() } else { host::computer() };
    PipeName::parse_utf16(units, &computer, purpose)
}

/// How the engine is told it.
pub(super) fn spin(spin: Spin) -> spin::Spin {
    match spin {
        Spin::Never => spin::Spin::Never,
        Spin::Adaptive => spin::Spin::Adaptive,
        Spin::Always => spin::Spin::Always,
    }
}

fn handle(raw: crate::handle::RawHandle) -> Coded<Handle> {
    Handle::from_raw(raw).map_err(|error| error.code())
}

pub(super) fn create_server(options: &ServerOptions) -> Coded<Handle> {
    let name = name(&options.name, Purpose::Create)?;
    let plan = Plan::check(options.open_mode, options.pipe_mode, options.max_instances)?;
    let instance = Instance::create(Blueprint {
        name: &name,
        plan,
        quota_in: options.in_size,
        quota_out: options.out_size,
        default_timeout: options.default_timeout,
        security: options.security.clone().unwrap_or_default(),
        spin: spin(options.spin),
    })?;
    let hold = instance.served().map(|served| Arc::clone(served.hold()));
    let object = Object::Server(Arc::new(instance));
    handle(table::insert(object, plan.rights(), hold, options.inherit)?)
}

pub(super) fn open_client(options: &ClientOptions) -> Coded<Handle> {
    let name = name(&options.name, Purpose::Open)?;
    let (visit, rights) = visit::open(&name, options.access, spin(options.spin), options.overlapped)?;
    handle(table::insert(Object::Client(Arc::new(visit)), rights, None, options.inherit)?)
}

pub(super) fn wait(units: &[u16], milliseconds: u32) -> Coded<()> {
    known::wait(&name(units, Purpose::Wait)?, milliseconds)
}

/// CreateFile; if that fails, WaitNamedPipe and CreateFile once more, as long as there is time (P66, P67).
pub(super) fn call(units: &[u16], request: &[u8], reply: &mut [u8], milliseconds: u32) -> Coded<Message> {
    let name = name(units, Purpose::Open)?;
    let begun = futex::now();
    let visit = loop {
        match visit::open(&name, GENERIC_READ | GENERIC_WRITE, spin::Spin::Adaptive, false) {
            Ok((visit, _)) => break visit,
            Err(Code::PIPE_BUSY) => known::wait(&name, left(milliseconds, begun))?,
            Err(code) => return Err(code),
        }
    };
    visit.set_modes(Modes::checked(PIPE_READMODE_MESSAGE, visit.end().segment().shape().message)?);
    NamedEnd::Client(&visit).transact(request, reply, Timeout::INFINITE)
}

/// What is left of the time that a call names in its own way: 0 is the pipe's default, 1 no time at all.
fn left(milliseconds: u32, begun: u64) -> u32 {
    if milliseconds <= 1 || milliseconds == u32::MAX {
        return milliseconds;
    }
    let gone = (futex::now() - begun) / 1_000_000;
    u32::try_from(u64::from(milliseconds).saturating_sub(gone)).unwrap_or(milliseconds).max(1)
}
