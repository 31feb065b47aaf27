//! What pipes there are, from their boards and the memory of their connections.

use transom_core::code::Code;
use transom_core::pipe::State;
use transom_core::text;

use super::super::{Flow, Instance, InstanceState, NamedPipe};
use crate::engine::overview;

pub(super) fn list() -> std::result::Result<Vec<NamedPipe>, Code> {
    let mut pipes: Vec<NamedPipe> = overview::all()?
        .into_iter()
        .map(|pipe| NamedPipe {
            name: format!(r"\\.\pipe\{}", text::to_string_lossy(&pipe.spelling)),
            message: Some(pipe.message_type),
            max_instances: Some(pipe.max_instances),
            instances: pipe.instances.into_iter().map(instance).collect(),
        })
        .collect();
    pipes.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(pipes)
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
