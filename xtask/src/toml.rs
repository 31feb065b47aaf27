//! The little of TOML that this repository's own files use: tables, and keys whose value
//! is a string, a word or an inline table of those. Anything else is kept as raw text.

/// One `key = value` line with the table it stands in.
#[derive(Debug, PartialEq, Eq, Clone)]
pub struct Row {
    /// The line, from 1.
    pub line: usize,
    /// The table's name as written, empty before the first table.
    pub table: String,
    /// The key as written, dots included.
    pub key: String,
    /// The value.
    pub value: Value,
}

/// A value, as far as it is understood.
#[derive(Debug, PartialEq, Eq, Clone)]
pub enum Value {
    /// A quoted string, unescaped.
    Text(String),
    /// An inline table.
    Table(Vec<(String, Value)>),
    /// Anything else, as written.
    Raw(String),
}

impl Value {
    /// The text of a string.
    pub fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// An inline table's entry.
    pub fn entry(&self, key: &str) -> Option<&Value> {
        match self {
            Value::Table(entries) => entries.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }
}

/// Reads a file. A value that goes over several lines keeps its first line only; its
/// other lines are passed over.
pub fn parse(text: &str) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    let mut table = String::new();
    let mut open = 0i32;
    for (number, line) in text.lines().enumerate().map(|(n, l)| (n + 1, l.trim())) {
        if open > 0 {
            open += balance(line);
            continue;
        }
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line.starts_with('[') {
            let name = line.trim_start_matches('[');
            let end = name.rfind(']').ok_or(format!("line {number}: table without ]"))?;
            table = name[..end].trim_end_matches(']').trim().to_owned();
            continue;
        }
        let (key, value) = line
            .split_once('=')
            .ok_or_else(|| format!("line {number}: neither a table nor a key: {line}"))?;
        open = balance(value);
        rows.push(Row {
            line: number,
            table: table.clone(),
            key: key.trim().trim_matches('"').to_owned(),
            value: self::value(value.trim()).map_err(|why| format!("line {number}: {why}"))?,
        });
    }
    Ok(rows)
}

/// How many more brackets a line opens than it closes, strings and comments aside.
fn balance(line: &str) -> i32 {
    let mut depth = 0;
    let mut quoted = false;
    let mut escaped = false;
    for c in line.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '#' if !quoted => break,
            '[' | '{' if !quoted => depth += 1,
            ']' | '}' if !quoted => depth -= 1,
            _ => {}
        }
    }
    depth
}

fn value(text: &str) -> Result<Value, String> {
    if text.starts_with('"') {
        return string(text).map(|(text, _)| Value::Text(text));
    }
    if text.starts_with('{') && balance(text) == 0 {
        return inline_table(text);
    }
    let bare = text.split('#').next().unwrap_or_default();
    Ok(Value::Raw(bare.trim().to_owned()))
}

/// A quoted string at the beginning of `text`, and what follows it.
fn string(text: &str) -> Result<(String, &str), String> {
    let mut out = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((out, &text[at + 1..])),
            '\\' => match chars.next() {
                Some((_, 'n')) => out.push('\n'),
                Some((_, 't')) => out.push('\t'),
                Some((_, c @ ('\\' | '"'))) => out.push(c),
                _ => return Err("an escape this reader does not know".to_owned()),
            },
            c => out.push(c),
        }
    }
    Err("a string without its end".to_owned())
}

fn inline_table(text: &str) -> Result<Value, String> {
    let mut entries = Vec::new();
    let mut rest = text[1..].trim_start();
    while !rest.starts_with('}') {
        let (key, after) = rest.split_once('=').ok_or("an inline table without =")?;
        let after = after.trim_start();
        let (value, after) = if after.starts_with('"') {
            let (text, after) = string(after)?;
            (Value::Text(text), after)
        } else {
            let end = raw_end(after);
            (Value::Raw(after[..end].trim().to_owned()), &after[end..])
        };
        entries.push((key.trim().to_owned(), value));
        rest = after.trim_start();
        rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
        if rest.is_empty() {
            return Err("an inline table without }".to_owned());
        }
    }
    Ok(Value::Table(entries))
}

/// Where an unquoted value inside an inline table ends.
fn raw_end(text: &str) -> usize {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '[' | '{' => depth += 1,
            ']' | '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => return at,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_know_their_table() {
        let rows = parse("a = \"x\"\n# no\n[t]\nb.c = true # yes\n[[u]]\nd = \"y\"").unwrap();
        let seen: Vec<_> = rows.iter().map(|r| (r.table.as_str(), r.key.as_str())).collect();
        assert_eq!(seen, [("", "a"), ("t", "b.c"), ("u", "d")]);
        assert_eq!(rows[1].value, Value::Raw("true".to_owned()));
        assert_eq!(rows[1].line, 4);
    }

    #[test]
    fn strings_may_hold_marks_and_escapes() {
        let rows = parse(r#"a = "x = \"y\" # [ \\ z""#).unwrap();
        assert_eq!(rows[0].value.text(), Some(r#"x = "y" # [ \ z"#));
    }

    #[test]
    fn inline_tables_have_entries() {
        let rows = parse(r#"a = { text = "b, }", features = ["c", "d"], package = "e" }"#).unwrap();
        let value = &rows[0].value;
        assert_eq!(value.entry("text").and_then(Value::text), Some("b, }"));
        assert_eq!(value.entry("package").and_then(Value::text), Some("e"));
        assert_eq!(value.entry("none"), None);
    }

    #[test]
    fn values_over_several_lines_hide_none_behind_them() {
        let rows = parse("a = [\n  \"b = c\",\n]\nd = \"e\"").unwrap();
        let keys: Vec<_> = rows.iter().map(|r| r.key.as_str()).collect();
        assert_eq!(keys, ["a", "d"]);
    }

    #[test]
    fn quoted_tables_keep_their_name() {
        let rows = parse("[target.'cfg(windows)'.dependencies]\nx = \"1\"").unwrap();
        assert_eq!(rows[0].table, "target.'cfg(windows)'.dependencies");
    }

    #[test]
    fn nonsense_is_refused_with_its_line() {
        assert!(parse("a = \"x\"\nwhat").unwrap_err().contains("line 2"));
        assert!(parse("a = \"x").is_err());
    }
}
