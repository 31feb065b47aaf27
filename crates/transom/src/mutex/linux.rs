//! Mutexes on Linux: a robust futex, see [`transom_core::word`].

use transom_core::access::{Kind, SYNCHRONIZE};
use transom_core::code::Code;
use transom_core::word::Rule;

use super::MutexOptions;
use crate::engine::named::{create_sync, error, open_sync};
use crate::engine::owner;
use crate::engine::sync::Blueprint;
use crate::engine::waiter::{self, Target};
use crate::error::Result;
use crate::handle::{Attributes, Created, Handle};
use crate::wait::{Timeout, Wait};

pub(super) fn create(options: &MutexOptions) -> Result<Created<Handle>> {
    let blueprint = Blueprint { rule: Rule::Mutex, signalled: false, count: 0, maximum: 0 };
    let created = create_sync(&options.attributes, Kind::Mutex, blueprint, "create mutex")?;
    if options.initial_owner && !created.existed {
        // Others may know the name already; whoever was quicker has it, and then this waits for its turn.
        let object = created.object.resolved.sync(Kind::Mutex, 0).map_err(error("create mutex"))?;
        waiter::one(&Target::Sync(object), Timeout::INFINITE).map_err(error("create mutex"))?;
    }
    Ok(created)
}

pub(super) fn open(attributes: &Attributes) -> Result<Handle> {
    open_sync(attributes, Kind::Mutex, "open mutex")
}

pub(super) fn acquire(handle: &Handle) -> Result<bool> {
    let object = handle.resolved.sync(Kind::Mutex, SYNCHRONIZE).map_err(error("lock mutex"))?;
    let wait = waiter::lock(object).map_err(error("lock mutex"))?;
    Ok(matches!(wait, Wait::Abandoned(_)))
}

pub(super) fn release(handle: &Handle) -> Result<()> {
    // Any right will do (Y15).
    let object = handle.resolved.sync(Kind::Mutex, 0).map_err(error("release mutex"))?;
    if owner::release(object) { Ok(()) } else { Err(error("release mutex")(Code::NOT_OWNER)) }
}
