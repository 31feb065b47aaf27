//! `transom man`: one manual page with every command, made from the same definitions as the parser.

use clap::{Arg, Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};
use std::io;

use crate::args::Cli;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::topics::TOPICS;

/// Prints the page.
pub fn run(output: &Output) -> Result<i32, Failure> {
    let mut page = Vec::new();
    render(&mut page).map_err(|error| Failure::output(&error))?;
    output.text(&String::from_utf8_lossy(&page))?;
    Ok(Exit::Ok.code())
}

fn render(out: &mut Vec<u8>) -> io::Result<()> {
    let mut command = Cli::command();
    command.build();
    let man = Man::new(command.clone());
    man.render_title(out)?;
    man.render_name_section(out)?;
    man.render_synopsis_section(out)?;
    man.render_description_section(out)?;
    man.render_options_section(out)?;
    let mut roff = Roff::new();
    roff.control("SH", ["COMMANDS"]);
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        section(&mut roff, sub);
    }
    for topic in TOPICS {
        roff.control("SH", [topic.title.to_uppercase().as_str()]);
        preformatted(&mut roff, &(topic.text)());
    }
    roff.to_writer(out)
}

/// One command, or the commands below it.
fn section(roff: &mut Roff, command: &Command) {
    if command.has_subcommands() {
        for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
            section(roff, sub);
        }
        return;
    }
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    roff.control("SS", [name]);
    if let Some(about) = command.get_long_about().or_else(|| command.get_about()) {
        roff.text([roman(about.to_string())]);
    }
    roff.control("PP", []);
    roff.text([bold(usage(command))]);
    let own = |arg: &&Arg| !arg.is_global_set() && !arg.is_hide_set() && arg.get_id() != "help";
    for arg in command.get_arguments().filter(own) {
        roff.control("TP", []);
        roff.text(heading(arg));
        roff.text([roman(description(arg))]);
    }
    if let Some(examples) = command.get_after_help() {
        examples_and_remarks(roff, &examples.to_string());
    }
}

/// The usage line without its title.
fn usage(command: &Command) -> String {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim();
    usage.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `-n, --count N`, or a positional argument's name.
fn heading(arg: &Arg) -> Vec<Inline> {
    let mut line = Vec::new();
    if let Some(short) = arg.get_short() {
        line.push(bold(format!("-{short}")));
    }
    if let Some(long) = arg.get_long() {
        if !line.is_empty() {
            line.push(roman(", "));
        }
        line.push(bold(format!("--{long}")));
    }
    let takes_value = arg.get_num_args().is_some_and(|number| number.takes_values());
    if takes_value || arg.is_positional() {
        if !line.is_empty() {
            line.push(roman(" "));
        }
        let names: Vec<&str> =
            arg.get_value_names().unwrap_or_default().iter().map(|name| name.as_str()).collect();
        line.push(italic(names.join(" ")));
    }
    line
}

/// The help of an argument, with its values and default.
fn description(arg: &Arg) -> String {
    let mut text = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let values: Vec<String> = arg
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set())
        .map(|value| match value.get_help() {
            Some(help) => format!("{}: {help}", value.get_name()),
            None => value.get_name().to_owned(),
        })
        .collect();
    let is_switch = arg.get_num_args().is_some_and(|number| !number.takes_values());
    if !values.is_empty() && !is_switch {
        text.push_str(&format!(". Values: {}", values.join("; ")));
    }
    let defaults: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if !defaults.is_empty() && !is_switch {
        text.push_str(&format!(" (default {})", defaults.join(" ")));
    }
    text
}

/// The text behind a command's options: indented lines stay as they are, the others are paragraphs.
fn examples_and_remarks(roff: &mut Roff, text: &str) {
    for paragraph in text.split("\n\n") {
        roff.control("PP", []);
        if paragraph.contains("\n  ") {
            preformatted(roff, paragraph);
        } else {
            roff.text([roman(paragraph)]);
        }
    }
}

/// Lines as they are.
fn preformatted(roff: &mut Roff, text: &str) {
    roff.control("nf", []);
    roff.text([roman(text.trim_end())]);
    roff.control("fi", []);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_and_topic_is_on_the_page() {
        let mut page = Vec::new();
        render(&mut page).unwrap();
        let page = String::from_utf8(page).unwrap();
        for words in [
            "map create",
            "semaphore run",
            "tour",
            "EXIT CODES",
            "TRANSOM_DIR",
            "TRANSOM_BACKING",
            "NO_COLOR",
        ] {
            assert!(page.contains(words), "{words}");
        }
        assert!(!page.contains("tour-child"), "hidden commands stay hidden");
    }
}
