//! The other process of a step.

use std::ffi::OsString;

use transom::handle::RawHandle;
use transom::process::{Child, Command, Inherit};
use transom::wait::{self, Wait};

use super::{PATIENCE, expect};
use crate::exit::Exit;
use crate::failure::Failure;

/// A child playing a role; killed if it still runs when this value goes.
pub struct Peer {
    child: Child,
    role: &'static str,
}

/// How a role's standard streams and handles are set up.
#[derive(Default)]
pub struct Setup {
    /// What it inherits.
    pub inherit: Inherit,
    /// Standard input and output, where they are not this process's.
    pub input: Option<RawHandle>,
    /// See `input`.
    pub output: Option<RawHandle>,
}

impl Peer {
    /// Starts a role that gets nothing but its arguments.
    pub fn start<S: Into<OsString>>(
        role: &'static str,
        arguments: impl IntoIterator<Item = S>,
    ) -> Result<Peer, Failure> {
        Peer::start_with(role, arguments, Setup::default())
    }

    /// Starts a role.
    pub fn start_with<S: Into<OsString>>(
        role: &'static str,
        arguments: impl IntoIterator<Item = S>,
        setup: Setup,
    ) -> Result<Peer, Failure> {
        let program = std::env::current_exe()
            .map_err(|error| Failure::new(Exit::General, format!("cannot find this program: {error}")))?;
        let arguments = arguments.into_iter().map(Into::into);
        let mut command =
            Command::new(program).arg("tour-child").arg(role).args(arguments).inherit(setup.inherit);
        if let Some(handle) = setup.input {
            command = command.stdin(handle);
        }
        if let Some(handle) = setup.output {
            command = command.stdout(handle);
        }
        Ok(Peer { child: command.spawn()?, role })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.process_id
    }

    /// The process, to be waited for or to duplicate handles into.
    pub fn process(&self) -> &transom::process::Process {
        &self.child.process
    }

    /// Waits for its end and gives its exit code.
    pub fn exit_code(&self) -> Result<u32, Failure> {
        let ended = wait::one(&self.child.process, PATIENCE)? != Wait::Timeout;
        expect(ended, format!("the child '{}' did not end", self.role))?;
        // Ended, so the code is there; 259 would mean that it is not.
        Ok(self.child.process.exit_code()?.unwrap_or(259))
    }

    /// Waits for an end without failure.
    pub fn finish(&self) -> Result<(), Failure> {
        let code = self.exit_code()?;
        expect(code == 0, format!("the child '{}' failed with exit code {code}", self.role))
    }

    /// Ends it without giving it a chance (SIGKILL, TerminateProcess) and waits until it is gone.
    pub fn kill(&self) -> Result<(), Failure> {
        self.child.process.terminate(9)?;
        let ended = wait::one(&self.child.process, PATIENCE)? != Wait::Timeout;
        expect(ended, format!("the child '{}' outlived being killed", self.role))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Fails if it has ended already, which is what is wanted.
        let _ = self.child.process.terminate(9);
    }
}
