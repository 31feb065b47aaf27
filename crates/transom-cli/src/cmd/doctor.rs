//! `transom doctor`: will it work here?

use std::io;

use serde::Serialize;
use transom::namespace::{self, Finding, Severity};

use crate::args::DoctorArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{BAD, FAINT, GOOD, NOTE, Output, Report, printable};

/// Sweeps if asked to, examines, and prints.
pub fn run(args: &DoctorArgs, output: &Output) -> Result<i32, Failure> {
    let swept = if args.sweep { Some(namespace::sweep()?) } else { None };
    let findings = namespace::examine();
    let problems = count(&findings, Severity::Problem);
    let examination = Examination {
        problems,
        notes: count(&findings, Severity::Note),
        swept,
        findings: findings.into_iter().map(Row::from).collect(),
    };
    output.report(&examination)?;
    Ok(if problems > 0 { Exit::General.code() } else { Exit::Ok.code() })
}

fn count(findings: &[Finding], severity: Severity) -> usize {
    findings.iter().filter(|finding| finding.severity == severity).count()
}

#[derive(Debug, Serialize)]
struct Examination {
    problems: usize,
    notes: usize,
    /// Entries removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    swept: Option<usize>,
    findings: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    severity: &'static str,
    subject: String,
    message: String,
    remedy: Option<String>,
}

impl From<Finding> for Row {
    fn from(finding: Finding) -> Row {
        let severity = match finding.severity {
            Severity::Fine => "fine",
            Severity::Note => "note",
            Severity::Problem => "problem",
        };
        Row { severity, subject: finding.subject, message: finding.message, remedy: finding.remedy }
    }
}

impl Report for Examination {
    fn text(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let mut subjects: Vec<&str> = Vec::new();
        for row in &self.findings {
            if !subjects.contains(&row.subject.as_str()) {
                subjects.push(&row.subject);
            }
        }
        let width = subjects.iter().map(|subject| subject.chars().count()).max().unwrap_or(0);
        for subject in subjects {
            let mut heading = subject;
            for row in self.findings.iter().filter(|row| row.subject == subject) {
                let (style, word) = match row.severity {
                    "problem" => (BAD, "problem"),
                    "note" => (NOTE, "note"),
                    _ => (GOOD, "ok"),
                };
                writeln!(out, "{style}{word:<7}{style:#}  {heading:<width$}  {}", printable(&row.message))?;
                if let Some(remedy) = &row.remedy {
                    writeln!(out, "{:9}{:width$}  {FAINT}->{FAINT:#} {}", "", "", printable(remedy))?;
                }
                // Further findings about it stand below the first.
                heading = "";
            }
        }
        match self.swept {
            None => {}
            Some(0) => writeln!(out, "\nnothing was left behind")?,
            Some(1) => writeln!(out, "\n1 leftover entry removed")?,
            Some(swept) => writeln!(out, "\n{swept} leftover entries removed")?,
        }
        let (style, verdict) = match (self.problems, self.notes) {
            (0, 0) => (GOOD, "everything is in order".to_owned()),
            (0, notes) => (GOOD, format!("no problems, {notes} to note")),
            (1, _) => (BAD, "1 problem to mend".to_owned()),
            (problems, _) => (BAD, format!("{problems} problems to mend")),
        };
        writeln!(out, "\n{style}{verdict}{style:#}")
    }
}
