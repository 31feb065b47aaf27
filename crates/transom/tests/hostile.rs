//! A peer of the same user that writes anything anywhere: into entry files, object pages, the records and
//! inboxes of other processes, the variable that names a child's record; and that cuts files short under views.
//! It gets errors and may make its own objects useless. Nobody else crashes, hangs on anything else, uses or
//! closes descriptors that are not its own, or loses any.
//!
//! Linux only: there the library does what the kernel does on Windows. docs/limits.md says what a peer can do.
#![cfg(target_os = "linux")]

mod support;

#[path = "hostile/cut.rs"]
mod cut;
#[path = "hostile/forged.rs"]
mod forged;
#[path = "hostile/inbox.rs"]
mod inbox;
#[path = "hostile/mailslot.rs"]
mod mailslot;
#[path = "hostile/mutex.rs"]
mod mutex;
#[path = "hostile/peer.rs"]
mod peer;
#[path = "hostile/record.rs"]
mod record;
#[path = "hostile/scribble.rs"]
mod scribble;

#[test]
fn child_entry() {
    support::child(&[
        ("bystander", peer::bystander),
        ("empty-table", forged::empty_table),
        ("values", forged::values),
        ("scribbler-of-entry", scribble::scribbler_of_entry),
        ("scribbler-of-page", scribble::scribbler_of_page),
        ("scribbler-of-record", record::scribbler),
        ("honest-by-name", scribble::honest_by_name),
        ("honest-with-page", scribble::honest_with_page),
        ("honest-with-mailslot", mailslot::honest_with_mailslot),
        ("honest-with-record", record::honest),
        ("reopened", record::reopened),
        ("duplicator", record::duplicator),
        ("receiver", inbox::receiver),
        ("owner-of-two", mutex::owner_of_two),
        ("taker-twice", mutex::taker_twice),
        ("two-threads", mutex::two_threads),
        ("viewer", cut::viewer),
        ("other-bus-error", cut::other_bus_error),
        ("sent-bus-error", cut::sent_bus_error),
        ("earlier-handler", cut::earlier_handler),
    ]);
}
