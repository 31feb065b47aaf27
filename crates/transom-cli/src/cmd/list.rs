//! `transom list`: the names that exist.

use std::io;

use serde::Serialize;
use transom::handle::Kind;
use transom::namespace::{self, NamedObject, Scope};

use crate::args::{KindArg, ListArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::keep::report_changes;
use crate::output::{FAINT, Output, Report, printable, table};
use crate::units;

/// Characters of a name in the table; JSON and `who` have all of them.
const SHOWN: usize = 60;

/// Prints the list, once or whenever it changes.
pub fn run(args: &ListArgs, output: &Output) -> Result<i32, Failure> {
    if args.watch {
        return report_changes(output, args.interval, || List::take(args));
    }
    output.report(&List::take(args)?)?;
    Ok(Exit::Ok.code())
}

/// All names, or those of one kind.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct List {
    objects: Vec<Row>,
}

impl List {
    fn take(args: &ListArgs) -> Result<List, Failure> {
        let wanted = args.kind.map(|kind| match kind {
            KindArg::Mapping => Kind::Mapping,
            KindArg::Event => Kind::Event,
            KindArg::Mutex => Kind::Mutex,
            KindArg::Semaphore => Kind::Semaphore,
            KindArg::Pipe => Kind::Pipe,
        });
        let objects = namespace::list().map_err(no_directory)?;
        let fits = |object: &NamedObject| wanted.is_none_or(|kind| kind == object.kind);
        Ok(List { objects: objects.into_iter().filter(fits).map(Row::from).collect() })
    }
}

/// The failure of looking into the namespace; on Windows it always fails.
pub fn no_directory(error: transom::Error) -> Failure {
    let unsupported = error.code() == transom::Code::NOT_SUPPORTED;
    let failure = Failure::from(error);
    if unsupported {
        failure.hint("Windows documents no call that lists names or holders; on Linux there is one")
    } else {
        failure
    }
}

impl Report for List {
    fn text(&self, out: &mut dyn io::Write) -> io::Result<()> {
        if self.objects.is_empty() {
            return writeln!(out, "{FAINT}no names exist{FAINT:#}");
        }
        let heading = ["NAME", "KIND", "SIZE/STATE", "HOLDERS"].map(str::to_owned).to_vec();
        let rows: Vec<Vec<String>> =
            std::iter::once(heading).chain(self.objects.iter().map(Row::cells)).collect();
        table(out, &rows)
    }
}

/// A name.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    name: String,
    scope: &'static str,
    kind: &'static str,
    /// Bytes of a section.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    /// State of a synchronisation object.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    path_backed: bool,
    pub holders: Vec<HolderRow>,
}

/// A process that holds a name.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct HolderRow {
    pub process_id: u32,
    pub command: String,
    /// In another PID namespace.
    pub elsewhere: bool,
    /// The access mask.
    pub access: u32,
    /// The same, spelled out.
    pub rights: Vec<String>,
}

impl From<NamedObject> for Row {
    fn from(object: NamedObject) -> Row {
        let holder = |holder: namespace::Holder| HolderRow {
            process_id: holder.process_id,
            command: holder.command,
            elsewhere: holder.elsewhere,
            access: holder.access,
            rights: crate::rights::names(object.kind, holder.access),
        };
        Row {
            name: object.name,
            scope: match object.scope {
                Scope::Local => "local",
                Scope::Global => "global",
            },
            kind: object.kind.name(),
            size: object.size,
            state: object.state,
            path_backed: object.path_backed,
            holders: object.holders.into_iter().map(holder).collect(),
        }
    }
}

impl Row {
    /// The one-line description that `who` begins with.
    pub fn title(&self) -> String {
        format!("{} '{}', {}", self.kind, printable(&self.name), self.detail())
    }

    fn detail(&self) -> String {
        let size = self.size.map(units::readable);
        let state = self.state.clone();
        let place = self.path_backed.then(|| "in a file".to_owned());
        let words: Vec<String> = [size, state, place].into_iter().flatten().collect();
        if words.is_empty() { "-".to_owned() } else { words.join(", ") }
    }

    fn cells(&self) -> Vec<String> {
        let holder = |holder: &HolderRow| match printable(&holder.command) {
            // Not a command but a remark, such as that the process is in another PID namespace.
            remark if remark.starts_with('(') => format!("{} {remark}", holder.process_id),
            command => format!("{} ({})", holder.process_id, short(&command)),
        };
        let holders: Vec<String> = self.holders.iter().map(holder).collect();
        vec![shortened(&self.name), self.kind.to_owned(), self.detail(), holders.join(", ")]
    }
}

/// A name as it fits into a table: names may have thousands of characters.
fn shortened(name: &str) -> String {
    let name = printable(name);
    match name.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name,
    }
}

/// The program of a command line, without its folder.
fn short(command: &str) -> &str {
    let program = command.split_whitespace().next().unwrap_or(command);
    program.rsplit(['/', '\\']).next().unwrap_or(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut_in_the_table() {
        assert_eq!(shortened("short"), "short");
        let cut = shortened(&"ä".repeat(61));
        assert_eq!(cut, format!("{}…", "ä".repeat(60)));
    }

    #[test]
    fn holders_are_shown_by_program() {
        assert_eq!(short("/usr/bin/sleep 100"), "sleep");
        assert_eq!(short("C:\\x\\app.exe"), "app.exe");
        assert_eq!(short(""), "");
    }
}
