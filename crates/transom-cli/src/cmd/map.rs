//! `transom map create`, `read` and `write`: shared memory from a shell.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use transom::mapping::{Backing, Mapping, MappingOptions, Protection, View};

use crate::args::{BackingArg, MapCommand, MapCreateArgs, MapReadArgs, MapWriteArgs, Part};
use crate::cmd::{dump, watch};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::keep::{self, Ready};
use crate::output::{Output, Report};
use crate::payload::all_input;
use crate::units;

/// Bytes copied at a time.
const CHUNK: usize = 1 << 20;

/// Copies shorter than this are over before a progress bar could be read.
const LONG: u64 = 64 << 20;

/// Runs a `map` command.
pub fn run(command: MapCommand, output: &Output) -> Result<i32, Failure> {
    match command {
        MapCommand::Create(args) => create(&args, output),
        MapCommand::Read(args) => read(&args, output),
        MapCommand::Write(args) => write(args, output),
        MapCommand::Dump(args) => dump::run(&args, output),
        MapCommand::Watch(args) => watch::run(&args, output),
    }
}

/// The bytes a part of a section stands for: where it begins and how long it is.
pub fn part(part: &Part, size: u64) -> Result<(usize, usize), Failure> {
    let length = part.length.unwrap_or(size.saturating_sub(part.offset));
    let end = part.offset.checked_add(length);
    if part.offset > size || end.is_none_or(|end| end > size) {
        return Err(beyond(part.offset, length, size));
    }
    // Both are at most the length of a view that is mapped in this process.
    Ok((part.offset as usize, length as usize))
}

fn beyond(offset: u64, length: u64, size: u64) -> Failure {
    let what = format!("{length} bytes at offset {offset} do not fit: the section has {size} bytes");
    Failure::usage(what).hint("sizes may be written 4096, 4K or 0x1000")
}

fn create(args: &MapCreateArgs, output: &Output) -> Result<i32, Failure> {
    if let Some(path) = &args.file {
        return create_over_file(args, path, output);
    }
    let mut source = args.from.as_deref().map(|path| Source::open(path, args.size)).transpose()?;
    let size = args.size.or(source.as_ref().and_then(|source| source.length)).unwrap_or(0);
    if size == 0 {
        return Err(Failure::usage("a section needs at least one byte").hint("say how many with --size"));
    }
    let backing = match args.backing {
        BackingArg::Auto => Backing::Auto,
        BackingArg::Memory => Backing::Memory,
        BackingArg::Path => Backing::Path,
    };
    let options = MappingOptions::new(size).name(&args.name).backing(backing);
    let created = secured(options, args).create()?;
    keep::check_new(&args.keep, created.existed, "mapping", &args.name)?;
    let input_taken = source.as_ref().is_some_and(|source| source.is_standard_input);
    if let Some(source) = &mut source {
        copy_in(source, &created.object.view()?, 0)?;
    }
    finish(args, &created.object, created.existed, input_taken, output)
}

fn create_over_file(args: &MapCreateArgs, path: &Path, output: &Output) -> Result<i32, Failure> {
    let file = OpenOptions::new().read(true).write(!args.read_only).create(args.size.is_some()).open(path);
    let file = file.map_err(|error| Failure::file("open", path, &error))?;
    let protection = if args.read_only { Protection::ReadOnly } else { Protection::ReadWrite };
    let options =
        MappingOptions::of_file(&file, args.size.unwrap_or(0)).protection(protection).name(&args.name);
    let created = secured(options, args).create()?;
    keep::check_new(&args.keep, created.existed, "mapping", &args.name)?;
    finish(args, &created.object, created.existed, false, output)
}

fn secured<'a>(options: MappingOptions<'a>, args: &MapCreateArgs) -> MappingOptions<'a> {
    match args.keep.security() {
        Some(security) => options.security(security),
        None => options,
    }
}

fn finish(
    args: &MapCreateArgs,
    mapping: &Mapping,
    existed: bool,
    input_taken: bool,
    output: &Output,
) -> Result<i32, Failure> {
    let mut ready = Ready::new("mapping", &args.name, existed);
    ready.size = Some(mapping.size()?);
    keep::keep(&args.keep, ready, input_taken, output)
}

/// What `map read` did, for JSON or when the bytes went to a file.
#[derive(Debug, Serialize)]
struct Copied<'a> {
    name: &'a str,
    /// Bytes of the section.
    size: u64,
    offset: u64,
    /// Bytes copied.
    length: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    hex: Option<String>,
}

impl Report for Copied<'_> {
    fn text(&self, _out: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

fn read(args: &MapReadArgs, output: &Output) -> Result<i32, Failure> {
    let view = Mapping::open_read_only(&args.name)?.view_read_only()?;
    let size = view.len() as u64;
    let (offset, mut length) = part(&args.part, size)?;
    if args.until_nul {
        length = length_to_nul(&view, offset, length)?;
    }
    let mut copied =
        Copied { name: &args.name, size, offset: offset as u64, length: length as u64, hex: None };
    if let Some(path) = &args.output {
        let mut file = File::create(path).map_err(|error| Failure::file("create", path, &error))?;
        copy_out(&view, offset, length, &mut file).map_err(|failed| failed.into_failure(path))?;
        output.report(&copied)?;
    } else if output.is_json() {
        copied.hex = Some(units::to_hex(&view.read_to_vec(offset, length)?));
        output.report(&copied)?;
    } else {
        // Not through the coloured output: these are bytes, not text.
        copy_out(&view, offset, length, &mut io::stdout().lock()).map_err(|failed| match failed {
            CopyFailure::Section(failure) => failure,
            CopyFailure::Output(error) => Failure::output(&error),
        })?;
    }
    Ok(Exit::Ok.code())
}

/// How many of the bytes come before the first zero.
fn length_to_nul(view: &View, offset: usize, length: usize) -> Result<usize, Failure> {
    let mut buffer = vec![0; CHUNK.min(length)];
    let mut done = 0;
    while done < length {
        let chunk = &mut buffer[..CHUNK.min(length - done)];
        view.read(offset + done, chunk)?;
        if let Some(at) = chunk.iter().position(|&byte| byte == 0) {
            return Ok(done + at);
        }
        done += chunk.len();
    }
    Ok(length)
}

enum CopyFailure {
    Section(Failure),
    Output(io::Error),
}

impl CopyFailure {
    fn into_failure(self, path: &Path) -> Failure {
        match self {
            CopyFailure::Section(failure) => failure,
            CopyFailure::Output(error) => Failure::file("write", path, &error),
        }
    }
}

fn copy_out(view: &View, offset: usize, length: usize, out: &mut impl Write) -> Result<(), CopyFailure> {
    let bar = progress(Some(length as u64));
    let mut buffer = vec![0; CHUNK.min(length)];
    let mut done = 0;
    while done < length {
        let chunk = &mut buffer[..CHUNK.min(length - done)];
        view.read(offset + done, chunk).map_err(|error| CopyFailure::Section(error.into()))?;
        out.write_all(chunk).map_err(CopyFailure::Output)?;
        done += chunk.len();
        bar.inc(chunk.len() as u64);
    }
    bar.finish_and_clear();
    out.flush().map_err(CopyFailure::Output)
}

/// What `map write` did.
#[derive(Debug, Serialize)]
struct Written<'a> {
    name: &'a str,
    offset: u64,
    length: u64,
}

impl Report for Written<'_> {
    fn text(&self, _out: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

fn write(args: MapWriteArgs, output: &Output) -> Result<i32, Failure> {
    let view = Mapping::open(&args.name)?.view()?;
    let mut source = match (args.hex, args.text, args.from) {
        (Some(bytes), _, _) => Source::bytes(bytes.0),
        (_, Some(text), _) => Source::bytes(text.into_bytes()),
        (_, _, Some(path)) => Source::open(&path, None)?,
        (None, None, None) => Source::open(Path::new("-"), Some(0))?,
    };
    let size = view.len() as u64;
    if args.offset > size {
        return Err(beyond(args.offset, source.length.unwrap_or(0), size));
    }
    let length = copy_in(&mut source, &view, args.offset as usize)?;
    if args.flush && length > 0 {
        view.flush(args.offset as usize, length)?;
    }
    output.report(&Written { name: &args.name, offset: args.offset, length: length as u64 })?;
    Ok(Exit::Ok.code())
}

/// Bytes on their way into a section.
struct Source {
    reader: Box<dyn Read>,
    /// How many there are, where that is known beforehand.
    length: Option<u64>,
    /// How to call it in a message.
    label: String,
    is_standard_input: bool,
}

impl Source {
    fn bytes(bytes: Vec<u8>) -> Source {
        let length = Some(bytes.len() as u64);
        Source {
            reader: Box::new(io::Cursor::new(bytes)),
            length,
            label: "the command line".to_owned(),
            is_standard_input: false,
        }
    }

    /// A file, or standard input for `-`. Standard input is read to its end now if its length is needed,
    /// that is, if no size is given.
    fn open(path: &Path, size: Option<u64>) -> Result<Source, Failure> {
        if path == Path::new("-") {
            let label = "standard input".to_owned();
            if size.is_some() {
                return Ok(Source {
                    reader: Box::new(io::stdin()),
                    length: None,
                    label,
                    is_standard_input: true,
                });
            }
            return Ok(Source { label, is_standard_input: true, ..Source::bytes(all_input()?) });
        }
        let file = File::open(path).map_err(|error| Failure::file("open", path, &error))?;
        let data = file.metadata().map_err(|error| Failure::file("open", path, &error))?;
        // A pipe or device has no length to rely on; what it gives is counted while it is copied.
        let mut source = Source {
            reader: Box::new(file),
            length: data.is_file().then_some(data.len()),
            label: path.display().to_string(),
            is_standard_input: false,
        };
        if source.length.is_none() && size.is_none() {
            let mut bytes = Vec::new();
            source.reader.read_to_end(&mut bytes).map_err(|error| Failure::file("read", path, &error))?;
            source = Source { label: source.label, ..Source::bytes(bytes) };
        }
        Ok(source)
    }
}

/// Copies a source into a view; gives the number of bytes. What does not fit is refused before anything is
/// written, if it can be known.
fn copy_in(source: &mut Source, view: &View, offset: usize) -> Result<usize, Failure> {
    let room = view.len() - offset;
    if source.length.is_some_and(|length| length > room as u64) {
        return Err(beyond(offset as u64, source.length.unwrap_or(0), view.len() as u64));
    }
    let bar = progress(source.length);
    let mut buffer = vec![0; CHUNK];
    let mut done = 0;
    loop {
        let count = match source.reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                return Err(Failure::file("read", Path::new(&source.label), &error));
            }
        };
        let fits = count.min(room - done);
        view.write(offset + done, &buffer[..fits])?;
        done += fits;
        if fits < count {
            let what =
                format!("{} has more than the {room} bytes that fit; these were written", source.label);
            return Err(Failure::usage(what));
        }
        bar.inc(count as u64);
    }
    bar.finish_and_clear();
    Ok(done)
}

/// A progress bar on standard error, for long copies and terminals only.
fn progress(length: Option<u64>) -> ProgressBar {
    let bar = match length {
        Some(length) if length >= LONG => ProgressBar::new(length),
        _ => return ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()),
    };
    let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {bytes_per_sec}");
    style.map_or(bar.clone(), |style| bar.with_style(style))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_without_length_goes_to_the_end() {
        let whole = Part { offset: 0, length: None };
        assert_eq!(part(&whole, 4096).unwrap(), (0, 4096));
        let tail = Part { offset: 4000, length: None };
        assert_eq!(part(&tail, 4096).unwrap(), (4000, 96));
        let nothing = Part { offset: 4096, length: None };
        assert_eq!(part(&nothing, 4096).unwrap(), (4096, 0));
    }

    #[test]
    fn a_part_beyond_the_end_is_refused() {
        for (offset, length) in [(4097, None), (4000, Some(97)), (0, Some(4097)), (u64::MAX, Some(1))] {
            let failure = part(&Part { offset, length }, 4096).unwrap_err();
            assert_eq!(failure.exit_code, Exit::Usage.code(), "{offset} {length:?}");
        }
    }
}
