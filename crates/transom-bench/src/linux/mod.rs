//! Linux: what workers and partners do.
//!
//! | module | what |
//! | --- | --- |
//! | [`partner`] | the second process of a case, and how the two begin together |
//! | [`machine`] | what machine this is |
//! | [`floors`], [`mapping`], [`copy`], [`sync`], [`handle`], [`window`] | the roles |
//! | [`carry`], [`fans`] | the roles of all links, and of all fans |
//! | [`named`], [`stream`], [`fifo`], [`slots`] | the links |
//! | [`slots`], [`datagram`], [`bare`] | the fans |

mod bare;
mod carry;
mod copy;
mod datagram;
mod fans;
mod fifo;
mod floors;
mod handle;
mod machine;
mod mapping;
mod named;
mod partner;
mod slots;
mod stream;
mod sync;
mod window;

use transom_sys::linux::affinity;

use crate::Role;
use crate::error::{Error, Result};
use crate::sample::say;

pub use carry::Carrier;
pub(crate) use machine::machine;

/// What a role is told besides its own arguments.
struct Stage<'a> {
    /// The role's word.
    role: &'a str,
    /// What this process's command line has between the program and the role.
    prefix: Vec<String>,
    /// Where the partner is to run.
    partner_cpu: usize,
    /// The role's own arguments.
    arguments: &'a [String],
}

impl Stage<'_> {
    /// The argument at `index`, a number.
    fn number(&self, index: usize) -> Result<usize> {
        let word = self.arguments.get(index).ok_or_else(|| Error::new("a role lacks an argument"))?;
        word.parse().map_err(Error::of("read an argument"))
    }
}

/// What plays a role until its work is over.
type Play = fn(&Stage<'_>) -> Result<()>;

const WORKERS: &[(&str, Play)] = &[
    ("syscall", floors::syscall),
    ("line", floors::line),
    ("ring", floors::ring),
    ("futex", floors::futex),
    ("std-mutex", floors::std_mutex),
    ("futex-mutex", floors::futex_mutex),
    ("rwlock-read", floors::rwlock_read),
    ("rwlock-write", floors::rwlock_write),
    ("dup", floors::dup),
    ("std-spawn", floors::std_spawn),
    ("memfd", mapping::memfd),
    ("memfd-reserved", mapping::memfd_reserved),
    ("memfd-touched", mapping::memfd_touched),
    ("raw-map", mapping::raw_map),
    ("raw-open", mapping::raw_open),
    ("anonymous", mapping::anonymous),
    ("anonymous-touched", mapping::anonymous_touched),
    ("view", mapping::view),
    ("named-create", mapping::named_create),
    ("named-create-fresh", mapping::named_create_fresh),
    ("named-open", mapping::named_open),
    ("named-open-own", mapping::named_open_own),
    ("copy", copy::copy),
    ("copy-1m", copy::copy_long),
    ("memcpy-in", copy::memcpy_in),
    ("memcpy-out", copy::memcpy_out),
    ("memcpy-64", copy::memcpy_64),
    ("view-write", copy::view_write),
    ("view-read", copy::view_read),
    ("view-64", copy::view_64),
    ("view-copy", copy::view_copy),
    ("guarded-load", copy::guarded_load),
    ("guarded-store", copy::guarded_store),
    ("event", sync::event),
    ("event-fast", sync::event_fast),
    ("mutex", sync::mutex),
    ("mutex-contended", sync::mutex_contended),
    ("semaphore", sync::semaphore),
    ("any-fast", sync::any_fast),
    ("any", sync::any),
    ("send", window::send),
    ("send-own", window::send_own),
    ("copydata", window::copydata),
    ("post", window::post),
    ("find", window::find),
    ("duplicate", handle::duplicate),
    ("spawn", handle::spawn),
    ("spawn-inherit", handle::spawn_inherit),
];

/// What the partner of a case does.
const PARTNERS: &[(&str, partner::Play)] = &[
    ("line", floors::line_partner),
    ("ring", floors::ring_partner),
    ("futex", floors::futex_partner),
    ("futex-mutex", floors::futex_mutex_partner),
    ("hold-mapping", mapping::hold_partner),
    ("copy", copy::copy_partner),
    ("copy-1m", copy::copy_long_partner),
    ("view-copy", copy::view_copy_partner),
    ("event", sync::event_partner),
    ("mutex-contended", sync::mutex_contended_partner),
    ("any", sync::any_partner),
    ("send", window::partner),
    ("copydata", window::partner),
    ("post", window::partner),
];

const CARRIERS: &[Carrier] = &[
    Carrier::of::<named::Named<false>>("transom"),
    Carrier::of::<named::Named<true>>("transom-msg"),
    Carrier::of::<named::Lent>("transom-lent"),
    Carrier::of::<stream::Stream>("unix"),
    Carrier::of::<fifo::Pipes>("pipe2"),
    Carrier::of::<slots::TwoSlots>("slots"),
    Carrier::fan::<slots::Slot>("slot"),
    Carrier::fan::<slots::Singly>("slot-singly"),
    Carrier::fan::<slots::Cast>("broadcast"),
    Carrier::fan::<bare::Bare>("bare"),
    Carrier::fan::<datagram::Datagram>("datagram"),
];

/// Plays a worker, `ROLE CPU PARTNER-CPU …`, or a partner, `partner ROLE CPU …`.
pub(crate) fn run_child(arguments: &[String], roles: &[Role], carriers: &[Carrier]) -> Result<()> {
    affinity::end_with_parent().map_err(Error::of("tie this process to its parent"))?;
    if let [word, role, rest @ ..] = arguments
        && word == "partner"
    {
        let carrier = || carrier(role, carriers).map(|carrier| carrier.partner);
        let found = PARTNERS.iter().find(|(name, _)| name == role).map(|(_, play)| *play);
        return partner::run(rest, found.or_else(carrier).ok_or_else(|| unknown(role))?);
    }
    let result = run_worker(arguments, roles, carriers);
    if let Err(error) = &result {
        // Line ends would end the message.
        say(&format!("error {}", error.to_string().replace('\n', " ")))?;
    }
    result
}

fn unknown(role: &str) -> Error {
    Error::new(format!("there is no role '{role}'"))
}

fn carrier(word: &str, more: &[Carrier]) -> Option<Carrier> {
    CARRIERS.iter().chain(more).find(|carrier| carrier.word == word).copied()
}

fn run_worker(arguments: &[String], roles: &[Role], carriers: &[Carrier]) -> Result<()> {
    let [role, cpu, partner_cpu, rest @ ..] = arguments else {
        return Err(Error::new("a worker needs a role and two processors"));
    };
    pin(cpu)?;
    if let Some((_, play)) = roles.iter().find(|(name, _)| name == role) {
        return play(rest);
    }
    let carrier = || carrier(role, carriers).map(|carrier| carrier.worker);
    let found = WORKERS.iter().find(|(name, _)| name == role).map(|(_, play)| *play);
    let play = found.or_else(carrier).ok_or_else(|| unknown(role))?;
    let all: Vec<String> = std::env::args().collect();
    let prefix = all[1..all.len() - arguments.len()].to_vec();
    let partner_cpu = partner_cpu.parse().map_err(Error::of("read the partner's processor"))?;
    play(&Stage { role, prefix, partner_cpu, arguments: rest })
}

fn pin(cpu: &str) -> Result<()> {
    let cpu = cpu.parse().map_err(Error::of("read the processor's number"))?;
    affinity::pin(&[cpu]).map_err(Error::of("stay on one processor"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Plan, Worker};
    use std::borrow::Cow;
    use std::collections::BTreeSet;

    #[test]
    fn every_role_of_the_plan_is_played_and_every_role_played_is_in_the_plan() {
        let cases = Plan::map()
            .extend(Plan::pipe().cases)
            .extend(Plan::mailslot().cases)
            .extend(Plan::window().cases)
            .cases;
        let wanted = cases.into_iter().filter_map(|case| match case.worker {
            Worker::Role(role, _) => Some(role),
            _ => None,
        });
        let workers = WORKERS.iter().map(|(role, _)| *role);
        let played = workers.chain(CARRIERS.iter().map(|carrier| carrier.word)).map(Cow::Borrowed);
        assert_eq!(wanted.collect::<BTreeSet<_>>(), played.collect::<BTreeSet<_>>());
    }
}
