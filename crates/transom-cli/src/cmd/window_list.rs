//! `transom window list` and `watch`.

use std::io;

use serde::Serialize;
use transom::window::{Sender, WindowHandle, raw};

use crate::args::{WindowFilter, WindowListArgs, WindowWatchArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::keep::report_changes;
use crate::output::{FAINT, Output, Report, printable, table};
use crate::system;

use super::window::shown;

/// Prints the list.
pub fn list(args: &WindowListArgs, output: &Output) -> Result<i32, Failure> {
    output.report(&List::take(&args.filter)?)?;
    Ok(Exit::Ok.code())
}

/// Prints the list whenever it changes, until this is stopped or its reader goes away.
pub fn watch(args: &WindowWatchArgs, output: &Output) -> Result<i32, Failure> {
    report_changes(output, args.interval, || List::take(&args.filter))
}

/// The windows of the desktop, in Z order.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct List {
    windows: Vec<Row>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Row {
    handle: String,
    class: String,
    title: String,
    process_id: u32,
    command: String,
    thread_id: u32,
    kind: &'static str,
    /// Whether its thread has not looked at its queue for 5 seconds.
    hung: bool,
}

impl List {
    fn take(filter: &WindowFilter) -> Result<List, Failure> {
        let (class, title) = (filter.class.as_deref(), filter.title.as_deref());
        let found = Sender::all(class, title)?;
        let top_level = raw::top_level()?;
        let kind =
            |window: WindowHandle| if top_level.contains(&window) { "top-level" } else { "message-only" };
        let mut windows: Vec<Row> =
            found.iter().filter_map(|sender| Row::of(*sender, kind(sender.handle()))).collect();
        if filter.all {
            for parent in Sender::all(None, None)? {
                // One that has gone meanwhile has no children either.
                let children = raw::children(parent.handle()).unwrap_or_default();
                let rows = children.into_iter().filter_map(|child| Row::of(Sender::new(child), "child"));
                windows.extend(rows.filter(|row| row.fits(class, title)));
            }
        }
        Ok(List { windows })
    }
}

impl Row {
    /// `None` if the window has gone.
    fn of(window: Sender, kind: &'static str) -> Option<Row> {
        let process_id = window.process_id().ok()?;
        Some(Row {
            handle: shown(window.handle()),
            class: window.class_name().ok()?,
            title: window.title().ok()?,
            process_id,
            command: system::command_of(process_id),
            thread_id: window.thread_id().ok()?,
            kind,
            hung: window.is_hung(),
        })
    }

    /// As the search compares: without case, in full.
    fn fits(&self, class: Option<&str>, title: Option<&str>) -> bool {
        let same = |wanted: Option<&str>, text: &str| {
            wanted.is_none_or(|wanted| wanted.to_lowercase() == text.to_lowercase())
        };
        same(class, &self.class) && same(title, &self.title)
    }

    fn cells(&self) -> Vec<String> {
        let program = self.command.split_whitespace().next().unwrap_or_default();
        let program = program.rsplit(['/', '\\']).next().unwrap_or(program);
        let process = if program.is_empty() {
            self.process_id.to_string()
        } else {
            format!("{} ({})", self.process_id, printable(program))
        };
        let kind = if self.hung { format!("{}, hung", self.kind) } else { self.kind.to_owned() };
        let title = if self.title.is_empty() { "-".to_owned() } else { printable(&self.title) };
        vec![self.handle.clone(), printable(&self.class), title, process, self.thread_id.to_string(), kind]
    }
}

impl Report for List {
    fn text(&self, out: &mut dyn io::Write) -> io::Result<()> {
        if self.windows.is_empty() {
            return writeln!(out, "{FAINT}no windows{FAINT:#}");
        }
        let heading = ["HANDLE", "CLASS", "TITLE", "PROCESS", "THREAD", "KIND"].map(str::to_owned).to_vec();
        let rows: Vec<Vec<String>> =
            std::iter::once(heading).chain(self.windows.iter().map(Row::cells)).collect();
        table(out, &rows)
    }
}
