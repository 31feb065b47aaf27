//! `transom who`: the holders of a name.

use std::io;

use serde::Serialize;
use transom::namespace;
use transom::{Code, Error};

use crate::args::WhoArgs;
use crate::cmd::list::{Row, no_directory};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, Report, printable, table};

/// Prints who holds a name.
pub fn run(args: &WhoArgs, output: &Output) -> Result<i32, Failure> {
    match namespace::find(&args.name).map_err(no_directory)? {
        Some(object) => output.report(&Who(Row::from(object)))?,
        None => return Err(Error::new("find", Code::FILE_NOT_FOUND).with_name(args.name.as_str()).into()),
    }
    Ok(Exit::Ok.code())
}

#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Who(Row);

impl Report for Who {
    fn text(&self, out: &mut dyn io::Write) -> io::Result<()> {
        writeln!(out, "{}", self.0.title())?;
        let heading = ["PROCESS", "COMMAND", "RIGHTS"].map(str::to_owned).to_vec();
        let holders = self.0.holders.iter().map(|holder| {
            vec![holder.process_id.to_string(), printable(&holder.command), holder.rights.join(" | ")]
        });
        table(out, &std::iter::once(heading).chain(holders).collect::<Vec<_>>())
    }
}
