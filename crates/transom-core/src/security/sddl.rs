//! The textual form of security descriptors: reading and printing.
//!
//! ```text
//!   text  = { "O:" sid | "G:" sid | "D:" list | "S:" list }
//!   list  = { "P" | "AI" | "AR" | "NO_ACCESS_CONTROL" } { "(" entry ")" }
//!   entry = type ";" flags ";" rights ";" ";" ";" sid
//! ```
//!
//! Spaces are allowed between the parts and around the fields of an entry.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use super::{Class, NO_GROUP, Rule, Security};
use crate::access::{GENERIC_ALL, GENERIC_EXECUTE, GENERIC_READ, GENERIC_WRITE};
use crate::code::Code;

/// Rights by their two letters.
const RIGHTS: &[(&str, u32)] = &[
    ("GA", GENERIC_ALL),
    ("GR", GENERIC_READ),
    ("GW", GENERIC_WRITE),
    ("GX", GENERIC_EXECUTE),
    ("SD", 0x0001_0000),
    ("RC", 0x0002_0000),
    ("WD", 0x0004_0000),
    ("WO", 0x0008_0000),
    ("FA", 0x001F_01FF),
    ("FR", 0x0012_0089),
    ("FW", 0x0012_0116),
    ("FX", 0x0012_00A0),
    ("KA", 0x000F_003F),
    ("KR", 0x0002_0019),
    ("KW", 0x0002_0006),
    ("KX", 0x0002_0019),
    ("CC", 0x0001),
    ("DC", 0x0002),
    ("LC", 0x0004),
    ("SW", 0x0008),
    ("RP", 0x0010),
    ("WP", 0x0020),
    ("DT", 0x0040),
    ("LO", 0x0080),
    ("CR", 0x0100),
];

/// Abbreviations of sids that are well formed and mean nobody here.
const NOBODY: &[&str] = &[
    "AA", "AC", "AN", "AO", "AP", "AS", "BG", "BO", "CA", "CD", "CN", "CY", "DA", "DC", "DD", "DG", "DU",
    "EA", "ED", "EK", "ER", "ES", "HA", "HI", "HO", "IS", "KA", "LG", "LS", "LU", "LW", "ME", "MP", "MS",
    "MU", "NO", "NS", "NU", "OS", "PA", "PO", "PS", "PU", "RA", "RC", "RD", "RE", "RM", "RO", "RS", "RU",
    "SA", "SI", "SO", "SS", "SU", "UD", "WR",
];

/// Whom a sid means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    Owner,
    Group,
    Everyone,
    Nobody,
    LinuxUser(u32),
    LinuxGroup(u32),
}

/// The access list as it was written, before users and groups are settled.
enum List {
    Absent,
    Null,
    Entries(Vec<Entry>),
}

struct Entry {
    deny: bool,
    mask: u32,
    subject: Subject,
}

pub(super) fn parse(text: &str) -> Result<Security, Code> {
    let mut rest = text.trim_start_matches(' ');
    let (mut owner, mut group, mut sacl_seen) = (None, None, false);
    let mut list = List::Absent;
    while !rest.is_empty() {
        let (tag, after) = rest.split_once(':').ok_or(Code::INVALID_PARAMETER)?;
        let after = after.trim_start_matches(' ');
        let after = match tag {
            "O" if owner.is_none() => {
                let (subject, after) = parse_sid(after)?;
                owner = Some(subject);
                after
            }
            "G" if group.is_none() => {
                let (subject, after) = parse_sid(after)?;
                group = Some(subject);
                after
            }
            "D" if matches!(list, List::Absent) => {
                let (parsed, after) = parse_list(after)?;
                list = parsed;
                after
            }
            "S" if !sacl_seen => {
                sacl_seen = true;
                skip_list(after)?
            }
            _ => return Err(Code::INVALID_PARAMETER),
        };
        rest = after.trim_start_matches(' ');
    }
    settle(owner, group, &list)
}

/// Turns sids into the three classes.
fn settle(owner: Option<Subject>, group: Option<Subject>, list: &List) -> Result<Security, Code> {
    let mut security = match list {
        List::Absent => Security::owner_only(),
        List::Null => Security::everyone(),
        List::Entries(_) => Security::nobody(),
    };
    if let Some(Subject::LinuxUser(id)) = owner {
        security.owner_id = Some(id);
    }
    if let Some(Subject::LinuxGroup(id)) = group {
        security.group_id = Some(id);
    }
    let group_is_fixed = security.group_id.is_some();
    let mut creator_group = false;
    let List::Entries(entries) = list else {
        return Ok(security);
    };
    for entry in entries {
        let class = match entry.subject {
            Subject::Nobody => continue,
            Subject::Owner => Class::Owner,
            Subject::Everyone => Class::Everyone,
            Subject::Group => {
                creator_group = true;
                Class::Group
            }
            Subject::LinuxUser(id) if security.owner_id == Some(id) => Class::Owner,
            Subject::LinuxUser(_) => return Err(Code::NOT_SUPPORTED),
            Subject::LinuxGroup(id) => {
                if security.group_id.is_some_and(|known| known != id) {
                    return Err(Code::NOT_SUPPORTED);
                }
                security.group_id = Some(id);
                Class::Group
            }
        };
        security.rules.push(Rule { deny: entry.deny, class, mask: entry.mask });
    }
    if creator_group && !group_is_fixed && security.group_id.is_some() {
        // The creator's group and one by number: two groups, and there is room for one.
        return Err(Code::NOT_SUPPORTED);
    }
    Ok(security)
}

fn parse_list(text: &str) -> Result<(List, &str), Code> {
    let (mut rest, null) = skip_flags(text);
    let mut entries = Vec::new();
    while let Some(inside) = rest.strip_prefix('(') {
        let (entry, after) = inside.split_once(')').ok_or(Code::INVALID_PARAMETER)?;
        if let Some(entry) = parse_entry(entry)? {
            entries.push(entry);
        }
        rest = after.trim_start_matches(' ');
    }
    Ok((if null { List::Null } else { List::Entries(entries) }, rest))
}

/// Passes over the list after `S:`, whose entries may hold brackets.
fn skip_list(text: &str) -> Result<&str, Code> {
    let (mut rest, _) = skip_flags(text);
    while rest.starts_with('(') {
        let mut depth = 0_usize;
        let end = rest.find(|c| {
            match c {
                '(' => depth += 1,
                // Starts at 1, and the search stops at 0.
                ')' => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        let end = end.ok_or(Code::INVALID_PARAMETER)?;
        rest = rest[end + 1..].trim_start_matches(' ');
    }
    Ok(rest)
}

/// Passes over the flags of a list and says whether it is the list that denies nothing.
fn skip_flags(text: &str) -> (&str, bool) {
    let mut rest = text;
    let mut null = false;
    loop {
        if let Some(after) = rest.strip_prefix("NO_ACCESS_CONTROL") {
            null = true;
            rest = after;
        } else if let Some(after) = ["AI", "AR", "P", " "].iter().find_map(|flag| rest.strip_prefix(flag)) {
            rest = after;
        } else {
            return (rest, null);
        }
    }
}

/// `None` for an entry that is not about the object itself.
fn parse_entry(text: &str) -> Result<Option<Entry>, Code> {
    let mut fields = text.split(';').map(str::trim);
    let mut field = || fields.next().ok_or(Code::INVALID_ACL);
    let (kind, flags, rights) = (field()?, field()?, field()?);
    let (object, parent, sid) = (field()?, field()?, field()?);
    let deny = match kind {
        "A" => false,
        "D" => true,
        "OA" | "OD" | "XA" | "XD" | "ZA" => return Err(Code::NOT_SUPPORTED),
        _ => return Err(Code::INVALID_ACL),
    };
    if fields.next().is_some() || !object.is_empty() || !parent.is_empty() {
        return Err(Code::INVALID_ACL);
    }
    let inherit_only = parse_ace_flags(flags)?;
    let mask = parse_rights(rights)?;
    let (subject, after) = parse_sid(sid)?;
    if !after.is_empty() {
        return Err(Code::INVALID_SID);
    }
    Ok(if inherit_only { None } else { Some(Entry { deny, mask, subject }) })
}

/// Says whether the flag `IO` is among them.
fn parse_ace_flags(flags: &str) -> Result<bool, Code> {
    let mut inherit_only = false;
    for pair in pairs(flags) {
        match pair? {
            "IO" => inherit_only = true,
            "CI" | "OI" | "NP" | "ID" | "SA" | "FA" => {}
            _ => return Err(Code::INVALID_ACL),
        }
    }
    Ok(inherit_only)
}

fn parse_rights(rights: &str) -> Result<u32, Code> {
    if rights.starts_with(|c: char| c.is_ascii_digit()) {
        return parse_number(rights).ok_or(Code::INVALID_ACL);
    }
    let mut mask = 0;
    for pair in pairs(rights) {
        let pair = pair?;
        let (_, bits) = RIGHTS.iter().find(|(name, _)| *name == pair).ok_or(Code::INVALID_ACL)?;
        mask |= bits;
    }
    Ok(mask)
}

/// Hexadecimal after `0x`, octal after `0`, else decimal.
fn parse_number(text: &str) -> Option<u32> {
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if text.len() > 1 && text.starts_with('0') => (&text[1..], 8),
        None => (text, 10),
    };
    // from_str_radix() would take a sign.
    if !digits.starts_with(|c: char| c.is_digit(radix)) {
        return None;
    }
    u32::from_str_radix(digits, radix).ok()
}

/// The two-letter words of a field.
fn pairs(field: &str) -> impl Iterator<Item = Result<&str, Code>> {
    let bytes = field.as_bytes();
    bytes.chunks(2).map(|pair| match pair {
        [b'A'..=b'Z', b'A'..=b'Z'] => core::str::from_utf8(pair).map_err(|_| Code::INVALID_ACL),
        _ => Err(Code::INVALID_ACL),
    })
}

/// Reads a sid at the start of a text, and gives what follows it.
fn parse_sid(text: &str) -> Result<(Subject, &str), Code> {
    if let Some(numbers) = text.strip_prefix("S-") {
        // Numbers are decimal, so that the D of "S-1-5-18D:" is the start of the next part.
        let is_part = |c: char| c.is_ascii_digit() || c == '-';
        let end = numbers.find(|c| !is_part(c)).unwrap_or(numbers.len());
        let (numbers, after) = numbers.split_at(end);
        return Ok((parse_long_sid(numbers)?, after));
    }
    let short = text.get(..2).ok_or(Code::INVALID_SID)?;
    let subject = match short {
        "WD" | "AU" | "BU" | "IU" => Subject::Everyone,
        "OW" | "CO" | "SY" | "BA" | "LA" => Subject::Owner,
        "CG" => Subject::Group,
        _ if NOBODY.contains(&short) => Subject::Nobody,
        _ => return Err(Code::INVALID_SID),
    };
    Ok((subject, &text[2..]))
}

/// `numbers` is what follows `S-`: revision, authority (48 bits), one to fifteen further numbers.
fn parse_long_sid(numbers: &str) -> Result<Subject, Code> {
    let mut parts = numbers.split('-');
    if parts.next() != Some("1") {
        return Err(Code::INVALID_SID);
    }
    let authority: u64 = parts
        .next()
        .and_then(|part| part.parse().ok())
        .filter(|&authority| authority < 1 << 48)
        .ok_or(Code::INVALID_SID)?;
    let mut sub = [0_u32; 15];
    let mut count = 0;
    for part in parts {
        let slot = sub.get_mut(count).ok_or(Code::INVALID_SID)?;
        *slot = part.parse().map_err(|_| Code::INVALID_SID)?;
        count += 1;
    }
    Ok(match (authority, &sub[..count]) {
        (_, []) => return Err(Code::INVALID_SID),
        (1, [0]) | (2, [0]) | (5, [4] | [11] | [32, 545]) => Subject::Everyone,
        (3, [0] | [4]) | (5, [18] | [32, 544]) => Subject::Owner,
        (3, [1]) => Subject::Group,
        // Samba's numbers for Linux users and groups; the largest is no valid id.
        (22, [1 | 2, NO_GROUP]) => return Err(Code::INVALID_SID),
        (22, [1, id]) => Subject::LinuxUser(*id),
        (22, [2, id]) => Subject::LinuxGroup(*id),
        _ => Subject::Nobody,
    })
}

pub(super) fn print(security: &Security) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_sddl(security, &mut text);
    text
}

fn write_sddl(security: &Security, text: &mut String) -> core::fmt::Result {
    if let Some(id) = security.owner_id {
        write!(text, "O:S-1-22-1-{id}")?;
    }
    if let Some(id) = security.group_id {
        write!(text, "G:S-1-22-2-{id}")?;
    }
    text.write_str("D:")?;
    for rule in &security.rules {
        let class = match rule.class {
            Class::Owner => "OW",
            Class::Group => "CG",
            Class::Everyone => "WD",
        };
        write!(text, "({};;", if rule.deny { 'D' } else { 'A' })?;
        write_rights(rule.mask, text)?;
        write!(text, ";;;{class})")?;
    }
    Ok(())
}

/// Letters for masks of generic rights only, a number for all others.
fn write_rights(mask: u32, text: &mut String) -> core::fmt::Result {
    let generic = &RIGHTS[..4];
    let known = generic.iter().fold(0, |bits, (_, bit)| bits | bit);
    if mask & !known != 0 {
        return write!(text, "0x{mask:x}");
    }
    for (name, bit) in generic {
        if mask & bit != 0 {
            text.write_str(name)?;
        }
    }
    Ok(())
}
