//! `transom help`: of a command, or about a topic.

use clap::CommandFactory;
use serde::Serialize;
use std::io;

use crate::args::Cli;
use crate::exit::{Exit, TABLE};
use crate::failure::Failure;
use crate::output::{HEAD, Output, Report};
use crate::topics::TOPICS;

/// Prints the help for a command, given by its words, or for a topic.
pub fn run(words: &[String], output: &Output) -> Result<i32, Failure> {
    let topic = TOPICS.iter().find(|topic| words == [topic.word]);
    if let Some(topic) = topic {
        output.report(&TopicHelp { topic: topic.word, title: topic.title, text: (topic.text)() })?;
        return Ok(Exit::Ok.code());
    }
    let mut command = Cli::command();
    command.build();
    let mut found = &mut command;
    for word in words {
        found = match found.find_subcommand_mut(word) {
            Some(sub) => sub,
            None => {
                let topics: Vec<&str> = TOPICS.iter().map(|topic| topic.word).collect();
                let failure = Failure::usage(format!("no help for '{}'", words.join(" ")));
                return Err(
                    failure.hint(format!("`transom help` lists the commands; topics: {}", topics.join(", ")))
                );
            }
        };
    }
    output.text(&found.render_long_help().ansi().to_string())?;
    Ok(Exit::Ok.code())
}

/// A topic's text; for JSON the exit codes come as pairs too.
#[derive(Debug)]
struct TopicHelp {
    topic: &'static str,
    title: &'static str,
    text: String,
}

impl Serialize for TopicHelp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("topic", self.topic)?;
        map.serialize_entry("title", self.title)?;
        if self.topic == "exit-codes" {
            map.serialize_entry("exit_codes", TABLE)?;
        } else {
            map.serialize_entry("text", &self.text)?;
        }
        map.end()
    }
}

impl Report for TopicHelp {
    fn text(&self, out: &mut dyn io::Write) -> io::Result<()> {
        write!(out, "{HEAD}{}{HEAD:#}\n\n{}", self.title, self.text)
    }
}
