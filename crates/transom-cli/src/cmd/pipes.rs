//! `transom pipe list`: named pipes, their instances, and what goes through them.

use std::collections::HashMap;
use std::io;
use std::time::Instant;

use serde::Serialize;
use transom::pipe::{self, Flow, Instance, InstanceState, NamedPipe};

use crate::args::PipeListArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::keep::{SHORTEST, pause};
use crate::output::{FAINT, Output, Report, printable, table};
use crate::units;

/// Prints the list, once or again and again.
pub fn run(args: &PipeListArgs, output: &Output) -> Result<i32, Failure> {
    let mut before: Option<Look> = None;
    loop {
        let now = Look::take()?;
        let list = List::new(&now, before.as_ref());
        if before.is_some() && !output.is_json() {
            output.text("\n")?;
        }
        output.report(&list)?;
        if !args.watch {
            return Ok(Exit::Ok.code());
        }
        before = Some(now);
        pause(args.interval.max(SHORTEST));
    }
}

/// All pipes at one moment.
struct Look {
    at: Instant,
    pipes: Vec<NamedPipe>,
}

impl Look {
    fn take() -> Result<Look, Failure> {
        Ok(Look { pipes: pipe::list()?, at: Instant::now() })
    }
}

/// What is printed.
#[derive(Debug, Serialize)]
struct List {
    pipes: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    name: String,
    /// `"bytes"` or `"messages"`; absent where the system does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_instances: Option<u32>,
    /// Whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_count: Option<u32>,
    instances: Vec<InstanceRow>,
}

#[derive(Debug, Serialize)]
struct InstanceRow {
    number: u32,
    state: &'static str,
    server: u32,
    client: Option<u32>,
    inbound: FlowRow,
    outbound: FlowRow,
}

#[derive(Debug, Serialize)]
struct FlowRow {
    quota: u32,
    unread: u64,
    bytes: u64,
    messages: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_per_second: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    messages_per_second: Option<f64>,
}

impl List {
    fn new(now: &Look, before: Option<&Look>) -> List {
        let seconds = before.map(|before| (now.at - before.at).as_secs_f64());
        let old: HashMap<(&str, u32), &Instance> = before
            .iter()
            .flat_map(|look| &look.pipes)
            .flat_map(|pipe| pipe.instances.iter().map(|one| ((pipe.name.as_str(), one.number), one)))
            .collect();
        let row = |pipe: &NamedPipe| Row {
            name: pipe.name.clone(),
            kind: pipe.message.map(|message| if message { "messages" } else { "bytes" }),
            max_instances: pipe.max_instances,
            user: pipe.user,
            instance_count: pipe.instance_count,
            instances: pipe
                .instances
                .iter()
                .map(|one| {
                    InstanceRow::new(one, old.get(&(pipe.name.as_str(), one.number)).copied(), seconds)
                })
                .collect(),
        };
        List { pipes: now.pipes.iter().map(row).collect() }
    }
}

impl InstanceRow {
    fn new(now: &Instance, old: Option<&Instance>, seconds: Option<f64>) -> InstanceRow {
        // Another client's numbers begin anew: nothing to compare with.
        let old = old.filter(|old| old.client == now.client);
        InstanceRow {
            number: now.number,
            state: match now.state {
                InstanceState::Listening => "listening",
                InstanceState::Connected => "connected",
                InstanceState::Closing => "closing",
                InstanceState::Disconnected => "disconnected",
            },
            server: now.server,
            client: now.client,
            inbound: FlowRow::new(&now.inbound, old.map(|old| &old.inbound), seconds),
            outbound: FlowRow::new(&now.outbound, old.map(|old| &old.outbound), seconds),
        }
    }
}

impl FlowRow {
    fn new(now: &Flow, old: Option<&Flow>, seconds: Option<f64>) -> FlowRow {
        let rate = |now: u64, old: Option<u64>| {
            seconds
                .filter(|seconds| *seconds > 0.0)
                .map(|seconds| now.saturating_sub(old.unwrap_or(now)) as f64 / seconds)
        };
        FlowRow {
            quota: now.quota,
            unread: now.unread,
            bytes: now.bytes,
            messages: now.messages,
            bytes_per_second: rate(now.bytes, old.map(|old| old.bytes)),
            messages_per_second: rate(now.messages, old.map(|old| old.messages)),
        }
    }

    /// `unread/quota, total`, and the rate where there is one.
    fn text(&self, messages: bool) -> String {
        let mut text = format!(
            "{}/{} unread, {} in all",
            units::readable(self.unread),
            units::readable(u64::from(self.quota)),
            units::readable(self.bytes)
        );
        if let Some(rate) = self.bytes_per_second {
            text += &format!(", {}/s", units::readable(rate as u64));
        }
        if let Some(rate) = self.messages_per_second.filter(|_| messages) {
            text += &format!(", {rate:.0} messages/s");
        }
        text
    }
}

impl Report for List {
    fn text(&self, out: &mut dyn io::Write) -> io::Result<()> {
        if self.pipes.is_empty() {
            return writeln!(out, "{FAINT}no named pipes{FAINT:#}");
        }
        let heading =
            ["NAME", "INSTANCE", "STATE", "SERVER", "CLIENT", "CLIENT TO SERVER", "SERVER TO CLIENT"];
        let mut rows = vec![heading.map(str::to_owned).to_vec()];
        for pipe in &self.pipes {
            let name = printable(&pipe.name);
            let messages = pipe.kind == Some("messages");
            if pipe.instances.is_empty() {
                // Of another user's pipe this is all there is.
                let count = pipe.instance_count.map(|count| format!("{count} in all"));
                let user = pipe.user.filter(|_| count.is_some()).map(|user| format!("user {user}"));
                let mut row = vec![name.clone(), count.unwrap_or_default(), user.unwrap_or_default()];
                row.resize(heading.len(), String::new());
                rows.push(row);
            }
            for one in &pipe.instances {
                rows.push(vec![
                    name.clone(),
                    one.number.to_string(),
                    one.state.to_owned(),
                    one.server.to_string(),
                    one.client.map_or("-".to_owned(), |id| id.to_string()),
                    one.inbound.text(messages),
                    one.outbound.text(messages),
                ]);
            }
        }
        table(out, &rows)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn look(at: Instant, bytes: u64, client: Option<u32>) -> Look {
        let flow = Flow { quota: 4096, unread: 10, bytes, messages: bytes / 10 };
        let none = Flow { quota: 4096, unread: 0, bytes: 0, messages: 0 };
        let instance = Instance {
            number: 0,
            state: InstanceState::Connected,
            server: 1,
            client,
            inbound: flow,
            outbound: none,
        };
        let pipe = NamedPipe {
            name: r"\\.\pipe\x".to_owned(),
            message: Some(true),
            max_instances: Some(255),
            user: Some(1000),
            instance_count: Some(1),
            instances: vec![instance],
        };
        Look { at, pipes: vec![pipe] }
    }

    #[test]
    fn rates_are_what_came_since_the_last_look() {
        let start = Instant::now();
        let (first, second) =
            (look(start, 1000, Some(2)), look(start + Duration::from_secs(2), 3000, Some(2)));
        let list = List::new(&second, Some(&first));
        let flow = &list.pipes[0].instances[0].inbound;
        assert_eq!((flow.bytes_per_second, flow.messages_per_second), (Some(1000.0), Some(100.0)));
    }

    #[test]
    fn another_clients_numbers_are_not_compared() {
        let start = Instant::now();
        let (first, second) =
            (look(start, 1000, Some(2)), look(start + Duration::from_secs(1), 3000, Some(3)));
        let list = List::new(&second, Some(&first));
        assert_eq!(list.pipes[0].instances[0].inbound.bytes_per_second, Some(0.0));
    }

    #[test]
    fn without_an_earlier_look_there_are_no_rates() {
        let list = List::new(&look(Instant::now(), 5, None), None);
        assert_eq!(list.pipes[0].instances[0].inbound.bytes_per_second, None);
    }
}
