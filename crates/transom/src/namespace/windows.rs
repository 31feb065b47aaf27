//! Names on Windows: the kernel keeps them, and no documented call lists them.

use transom_sys::windows::{process, system};

use super::{Finding, NamedObject, Severity};
use crate::error::{Code, Error, Result};
use crate::handle::RawHandle;

pub(crate) fn list() -> Result<Vec<NamedObject>> {
    Err(Error::new("list names", Code::NOT_SUPPORTED))
}

pub(crate) fn find(name: &str) -> Result<Option<NamedObject>> {
    Err(Error::new("find name", Code::NOT_SUPPORTED).with_name(name))
}

pub(crate) fn sweep() -> Result<usize> {
    Err(Error::new("sweep names", Code::NOT_SUPPORTED))
}

pub(crate) fn examine() -> Vec<Finding> {
    let mut findings = vec![system()];
    findings.push(pages());
    findings.extend(handles());
    findings
}

fn system() -> Finding {
    let (major, minor, build) = system::version();
    let windows = format!("Windows {major}.{minor}, build {build}");
    match system::wine() {
        None => {
            Finding { severity: Severity::Fine, subject: "system".into(), message: windows, remedy: None }
        }
        Some(wine) => Finding {
            severity: Severity::Note,
            subject: "system".into(),
            message: format!("Wine {wine}, which presents itself as {windows}"),
            remedy: None,
        },
    }
}

fn pages() -> Finding {
    let (page, granularity) = system::granularity();
    Finding {
        severity: Severity::Fine,
        subject: "shared memory".into(),
        message: format!("pages of {page} bytes, views at multiples of {granularity}"),
        remedy: None,
    }
}

/// How many handles this process has; nothing where the system does not tell (Wine says 0).
fn handles() -> Option<Finding> {
    let count = process::handle_count(RawHandle::CURRENT_PROCESS.value()).ok().filter(|&count| count > 0)?;
    Some(Finding {
        severity: Severity::Fine,
        subject: "open handles".into(),
        message: format!("{count} in this process"),
        remedy: None,
    })
}

#[cfg(test)]
mod tests {
    use crate::namespace::{Severity, examine};
    use crate::support::under_wine;

    #[test]
    fn the_findings_say_which_system_it_is() {
        let findings = examine();
        let system = findings.iter().find(|finding| finding.subject == "system").unwrap();
        assert!(system.message.contains("Windows "));
        assert_eq!(system.message.starts_with("Wine "), under_wine());
        assert!(findings.iter().all(|finding| finding.severity < Severity::Problem));
        assert!(findings.iter().any(|finding| finding.message.contains("65536")));
    }
}
