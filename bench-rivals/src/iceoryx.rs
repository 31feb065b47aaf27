//! iceoryx2: what stands for a mapping there is a service with its memory. Two kinds: publish-subscribe,
//! whose publisher owns a segment of samples, and the blackboard, a shared value.
//!
//! A node is made once and not measured: it stands for the process, not for the memory. The roles get a
//! folder for iceoryx2's files and the run's number as their arguments, see [`told`].

use iceoryx2::prelude::*;
use transom_bench::{Case, Error, Place, Result, each, serve};

use crate::folder::Folder;

const SIZE: usize = 64 * 1024;
type Block = [u8; SIZE];

fn name(what: &str) -> Result<ServiceName> {
    let name = format!("bench-rivals/{what}/{}", std::process::id());
    ServiceName::new(&name).map_err(Error::of("name a service"))
}

/// What the names of all its files in shared memory begin with.
fn prefix(run: u32) -> String {
    format!("bench-rivals-{run}-")
}

/// A case with the arguments that all of iceoryx2's have.
pub fn told(case: Case, folder: &Folder) -> Case {
    case.with(folder.path("iceoryx2").display()).with(std::process::id())
}

/// A node for an end of a link.
pub fn joined(place: &Place) -> Result<Node<ipc::Service>> {
    node(&place.arguments)
}

/// A name for a service that both ends of a link use.
pub fn service_name(place: &Place, what: &str) -> Result<ServiceName> {
    ServiceName::new(&format!("{}/{what}", place.tag)).map_err(Error::of("name a service"))
}

/// A node whose files lie where they are removed after the run.
pub fn node(arguments: &[String]) -> Result<Node<ipc::Service>> {
    set_log_level(LogLevel::Fatal);
    let [folder, run, ..] = arguments else { return Err(Error::new("iceoryx2 has no folder")) };
    let mut config = Config::default();
    let path = Path::new(folder.as_bytes()).map_err(|error| Error::new(format!("{folder}: {error:?}")))?;
    config.global.set_root_path(&path);
    let begin = prefix(run.parse().map_err(Error::of("read the run's number"))?);
    config.global.prefix =
        FileName::new(begin.as_bytes()).map_err(|error| Error::new(format!("{begin}: {error:?}")))?;
    NodeBuilder::new().config(&config).create::<ipc::Service>().map_err(Error::of("create a node"))
}

/// Removes what iceoryx2 leaves in shared memory for the next process that uses it.
pub fn clean() {
    let begin = prefix(std::process::id());
    let Ok(entries) = std::fs::read_dir("/dev/shm") else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(&begin) {
            // Another process of the run may have been quicker.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// A service, and a publisher of samples of 64 KiB.
pub fn pubsub_create(arguments: &[String]) -> Result<()> {
    let (node, name) = (node(arguments)?, name("pubsub-create")?);
    serve(&mut |count| {
        each(count, || {
            let service = node.service_builder(&name).publish_subscribe::<[u8]>().create();
            let service = service.map_err(Error::of("create a service"))?;
            let publisher = service.publisher_builder().initial_max_slice_len(SIZE).create();
            publisher.map(drop).map_err(Error::of("create a publisher"))
        })
    })
}

/// Opens the service of another node of this process and subscribes, which maps the publisher's segment.
pub fn pubsub_open(arguments: &[String]) -> Result<()> {
    let (holder, node, name) = (node(arguments)?, node(arguments)?, name("pubsub-open")?);
    let held = holder.service_builder(&name).publish_subscribe::<[u8]>().create();
    let held = held.map_err(Error::of("create a service"))?;
    let publisher = held.publisher_builder().initial_max_slice_len(SIZE).create();
    let _publisher = publisher.map_err(Error::of("create a publisher"))?;
    serve(&mut |count| {
        each(count, || {
            let service = node.service_builder(&name).publish_subscribe::<[u8]>().open();
            let service = service.map_err(Error::of("open a service"))?;
            service.subscriber_builder().create().map(drop).map_err(Error::of("create a subscriber"))
        })
    })
}

/// A blackboard with one value of 64 KiB.
pub fn blackboard_create(arguments: &[String]) -> Result<()> {
    let (node, name) = (node(arguments)?, name("blackboard-create")?);
    serve(&mut |count| {
        each(count, || {
            let creator = node.service_builder(&name).blackboard_creator::<u64>().add::<Block>(0, [0; SIZE]);
            let service = creator.create().map_err(Error::of("create a blackboard"))?;
            service.writer_builder().create().map(drop).map_err(Error::of("create a writer"))
        })
    })
}

/// Opens the blackboard of another node of this process and makes a reader.
pub fn blackboard_open(arguments: &[String]) -> Result<()> {
    let (holder, node, name) = (node(arguments)?, node(arguments)?, name("blackboard-open")?);
    let creator = holder.service_builder(&name).blackboard_creator::<u64>().add::<Block>(0, [0; SIZE]);
    let _held = creator.create().map_err(Error::of("create a blackboard"))?;
    serve(&mut |count| {
        each(count, || {
            let service = node.service_builder(&name).blackboard_opener::<u64>().open();
            let service = service.map_err(Error::of("open a blackboard"))?;
            service.reader_builder().create().map(drop).map_err(Error::of("create a reader"))
        })
    })
}
