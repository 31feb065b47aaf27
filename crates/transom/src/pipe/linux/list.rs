//! What pipes there are, from their boards and the memory of their connections.

use transom_core::code::Code;
use transom_core::pipe::State;
use transom_core::text;
use transom_sys::linux::process;

use super::super::{Flow, Instance, InstanceState, NamedPipe};
use crate::engine::gate::call::Stranger;
use crate::engine::{gate, overview};

pub(super) fn list() -> std::result::Result<Vec<NamedPipe>, Code> {
    let own = overview::all()?;
    // Without /proc/net the own ones are all that can be told.
    let others = gate::call::strangers(own.iter().map(|pipe| &*pipe.spelling)).unwrap_or_default();
    let own = own.into_iter().map(|pipe| NamedPipe {
        name: name(&pipe.spelling),
        message: Some(pipe.message_type),
        max_instances: Some(pipe.max_instances),
        user: Some(process::user()),
        instance_count: Some(pipe.instances.len() as u32),
        instances: pipe.instances.into_iter().map(instance).collect(),
    });
    let others = others.into_iter().map(|Stranger { answer, user }| NamedPipe {
        name: name(&answer.spelling),
        message: Some(answer.message_type),
        max_instances: Some(answer.max_instances),
        user: Some(user),
        instance_count: Some(answer.instances),
        instances: Vec::new(),
    });
    let mut pipes: Vec<NamedPipe> = own.chain(others).collect();
    pipes.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(pipes)
}

fn name(spelling: &[u8]) -> String {
    format!(r"\\.\pipe\{}", text::to_string_lossy(spelling))
}

fn instance(row: overview::Row) -> Instance {
    Instance {
        number: row.number,
        state: match row.state {
            State::Listening => InstanceState::Listening,
            State::Connected => InstanceState::Connected,
            State::Closing => InstanceState::Closing,
            State::Disconnected => InstanceState::Disconnected,
        },
        server: row.server,
        client: (row.client != 0).then_some(row.client),
        inbound: flow(row.inbound),
        outbound: flow(row.outbound),
    }
}

fn flow(flow: overview::Flow) -> Flow {
    let overview::Flow { quota, unread, bytes, messages } = flow;
    Flow { quota, unread, bytes, messages }
}
