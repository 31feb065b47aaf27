//! The arguments of `transom map`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum, ValueHint};

use super::Keep;
use crate::units;

/// `transom map …`
#[derive(Debug, Subcommand)]
pub enum MapCommand {
    /// Create shared memory under a name and keep it (CreateFileMapping)
    #[command(after_help = "Examples:
  transom map create cfg --from app.conf --hold &      share a file's content
  transom map create cfg --size 64K -- ./server        while ./server runs
  transom map create cfg --file data.bin               the file itself: changes reach it
  make-data | transom map create cfg --from - --for 1m
  transom CreateFileMapping cfg --size 4096

Memory has whole pages of 4096 bytes: what --from leaves over is zero. A section over a file (--file) has \
the file's exact size. If the name exists it is opened, and keeps its size; --from then overwrites its \
beginning. The command prints a line when the name can be opened by others.")]
    Create(MapCreateArgs),

    /// Copy bytes from shared memory to standard output or a file
    #[command(after_help = "Examples:
  transom map read cfg > copy.bin
  transom map read cfg --until-nul               text, up to the first zero byte
  transom map read cfg --offset 0x40 --length 16 --json
  transom OpenFileMapping cfg --output copy.bin")]
    Read(MapReadArgs),

    /// Copy bytes into shared memory, from standard input by default
    #[command(after_help = "Examples:
  echo hello | transom map write cfg
  transom map write cfg --text hello --offset 64
  transom map write cfg --hex 'de ad be ef'
  transom map write cfg --from new.conf && transom event set cfg-changed")]
    Write(MapWriteArgs),

    /// Show bytes in hexadecimal and ASCII; equal lines are folded into a star
    #[command(after_help = "Examples:
  transom map dump cfg
  transom map dump cfg --offset 4K --length 256 --width 32")]
    Dump(MapDumpArgs),

    /// Print what changes in shared memory
    #[command(after_help = "Examples:
  transom map watch cfg
  transom map watch cfg --offset 0 --length 64 --interval 10ms
  transom map watch cfg --event cfg-changed          look whenever the event is set
  transom map watch cfg --count 1 --for 5s           wait for the first change

Memory has no event of its own when it changes, so this samples: what changes and changes back between \
two looks is not seen. With --event it looks when the writer says so. The watcher keeps the memory, but \
not the name.")]
    Watch(MapWatchArgs),
}

/// `transom map create`
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("content").args(["size", "from", "file"]).required(true).multiple(true))]
pub struct MapCreateArgs {
    /// The name
    pub name: String,

    /// Bytes: 4096, 4K, 64KiB, 0x10000
    #[arg(long, value_parser = units::size)]
    pub size: Option<u64>,

    /// Fill it with a file's content; - is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub from: Option<PathBuf>,

    /// Share the file itself instead of memory; --size may lengthen it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "from")]
    pub file: Option<PathBuf>,

    /// Let nobody write through this name (PAGE_READONLY)
    #[arg(long, requires = "file", conflicts_with = "size")]
    pub read_only: bool,

    /// Where the memory lies, on Linux
    #[arg(long, value_enum, default_value = "auto", conflicts_with = "file")]
    pub backing: BackingArg,

    /// How long it is kept.
    #[command(flatten)]
    pub keep: Keep,
}

/// Where memory lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BackingArg {
    /// Memory, unless TRANSOM_BACKING=path is set
    Auto,
    /// A memory file that nobody can cut short
    Memory,
    /// A file in the namespace's folder, for peers that cannot reach this process
    Path,
}

/// A part of a section.
#[derive(Debug, Clone, Copy, Args)]
pub struct Part {
    /// Where to begin, in bytes: 64, 4K, 0x40
    #[arg(long, value_name = "BYTES", value_parser = units::size, default_value = "0")]
    pub offset: u64,

    /// How many bytes; to the end if not given
    #[arg(long, value_name = "BYTES", value_parser = units::size)]
    pub length: Option<u64>,
}

/// `transom map read`
#[derive(Debug, Args)]
pub struct MapReadArgs {
    /// The name
    pub name: String,

    /// Which part.
    #[command(flatten)]
    pub part: Part,

    /// Stop before the first zero byte
    #[arg(long)]
    pub until_nul: bool,

    /// Write into this file instead of standard output
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
}

/// `transom map write`
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("source").args(["from", "hex", "text"]))]
pub struct MapWriteArgs {
    /// The name
    pub name: String,

    /// Where to begin, in bytes: 64, 4K, 0x40
    #[arg(long, value_name = "BYTES", value_parser = units::size, default_value = "0")]
    pub offset: u64,

    /// Copy this file; - is standard input, the default
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub from: Option<PathBuf>,

    /// Write these bytes: de ad be ef
    #[arg(long, value_name = "BYTES", value_parser = parse_hex)]
    pub hex: Option<HexBytes>,

    /// Write this text in UTF-8, without a zero byte at its end
    #[arg(long, value_name = "TEXT")]
    pub text: Option<String>,

    /// Have a file behind the section written to disk (FlushViewOfFile)
    #[arg(long)]
    pub flush: bool,
}

/// Bytes from the command line; a type of its own, since clap takes a vector for repeated values.
#[derive(Debug, Clone)]
pub struct HexBytes(pub Vec<u8>);

fn parse_hex(text: &str) -> Result<HexBytes, String> {
    units::hex(text).map(HexBytes)
}

/// `transom map dump`
#[derive(Debug, Args)]
pub struct MapDumpArgs {
    /// The name
    pub name: String,

    /// Which part.
    #[command(flatten)]
    pub part: Part,

    /// Bytes in a line, 1 to 256
    #[arg(long, value_name = "BYTES", default_value = "16", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub width: u16,
}

/// `transom map watch`
#[derive(Debug, Args)]
pub struct MapWatchArgs {
    /// The name
    pub name: String,

    /// Which part.
    #[command(flatten)]
    pub part: Part,

    /// How often to look: 10ms, 1s
    #[arg(long, value_name = "TIME", value_parser = units::duration, default_value = "100ms")]
    pub interval: Duration,

    /// Look when this event is set, instead of at intervals
    #[arg(long, value_name = "NAME", conflicts_with = "interval")]
    pub event: Option<String>,

    /// End after this many looks that found changes
    #[arg(long, short = 'n', value_name = "N")]
    pub count: Option<u64>,

    /// End after this long; exit code 6 if --count was not reached
    #[arg(long = "for", value_name = "TIME", value_parser = units::duration)]
    pub duration: Option<Duration>,
}
