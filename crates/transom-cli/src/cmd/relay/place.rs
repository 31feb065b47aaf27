//! What can stand on either side of a relay.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// One side, as it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Standard input and output.
    Streams,
    /// A named pipe, as its client.
    Pipe(String),
    /// A named pipe, as its server.
    PipeListen(String),
    /// A Unix socket.
    Unix(PathBuf),
    /// A Unix socket that takes connections.
    UnixListen(PathBuf),
    /// HOST:PORT.
    Tcp(String),
    /// HOST:PORT that takes connections.
    TcpListen(String),
    /// A command line for the shell.
    Exec(String),
}

impl Place {
    /// Whether connections come to this side.
    pub fn listens(&self) -> bool {
        matches!(self, Place::PipeListen(_) | Place::UnixListen(_) | Place::TcpListen(_))
    }
}

/// The whole name of a pipe: `NAME` is short for `\\.\pipe\NAME`.
pub fn pipe_name(name: &str) -> String {
    let is_whole = name.starts_with(r"\\") || name.starts_with("//");
    if is_whole { name.to_owned() } else { format!(r"\\.\pipe\{name}") }
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Place, String> {
        if text == "-" {
            return Ok(Place::Streams);
        }
        if text.starts_with(r"\\") || text.starts_with("//./") {
            return Ok(Place::Pipe(text.to_owned()));
        }
        let (kind, rest) = text.split_once(':').ok_or_else(|| {
            format!("'{text}' has no kind: write -, pipe:NAME, unix:PATH, tcp:HOST:PORT, exec:CMD, or KIND-listen:…")
        })?;
        if rest.is_empty() {
            return Err(format!("nothing stands behind '{kind}:'"));
        }
        let address = || match rest.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(rest.to_owned()),
            _ => Err(format!("'{rest}' is not HOST:PORT")),
        };
        match kind.to_ascii_lowercase().as_str() {
            "pipe" => Ok(Place::Pipe(pipe_name(rest))),
            "pipe-listen" => Ok(Place::PipeListen(pipe_name(rest))),
            "unix" => Ok(Place::Unix(rest.into())),
            "unix-listen" => Ok(Place::UnixListen(rest.into())),
            "tcp" => address().map(Place::Tcp),
            "tcp-listen" => address().map(Place::TcpListen),
            "exec" => Ok(Place::Exec(rest.to_owned())),
            _ => Err(format!(
                "'{kind}' is not a kind of side: pipe, unix, tcp, each also with -listen, or exec"
            )),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Streams => f.write_str("standard streams"),
            Place::Pipe(name) | Place::PipeListen(name) => f.write_str(name),
            Place::Unix(path) | Place::UnixListen(path) => write!(f, "{}", path.display()),
            Place::Tcp(address) | Place::TcpListen(address) => f.write_str(address),
            Place::Exec(command) => f.write_str(command),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_told_by_their_kind() {
        assert_eq!("-".parse(), Ok(Place::Streams));
        assert_eq!("pipe:x".parse(), Ok(Place::Pipe(r"\\.\pipe\x".to_owned())));
        assert_eq!(r"\\.\pipe\x".parse(), Ok(Place::Pipe(r"\\.\pipe\x".to_owned())));
        assert_eq!("//./pipe/x".parse(), Ok(Place::Pipe("//./pipe/x".to_owned())));
        assert_eq!(r"pipe-listen:\\.\pipe\x".parse(), Ok(Place::PipeListen(r"\\.\pipe\x".to_owned())));
        assert_eq!("unix:a:b".parse(), Ok(Place::Unix("a:b".into())));
        assert_eq!("TCP:[::1]:80".parse(), Ok(Place::Tcp("[::1]:80".to_owned())));
        assert_eq!("exec:a b".parse(), Ok(Place::Exec("a b".to_owned())));
    }

    #[test]
    fn what_cannot_be_is_refused_with_a_reason() {
        for (text, word) in
            [("x", "no kind"), ("pipe:", "nothing"), ("tcp:80", "HOST:PORT"), ("udp:a:1", "not a kind")]
        {
            let error = text.parse::<Place>().unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }
}
