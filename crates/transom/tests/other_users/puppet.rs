//! A process of another user that does what it is told, line by line.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use transom::handle::{AsHandle, DuplicateOptions, FromHandle, Handle, RawHandle};
use transom::pipe::{self, Client, ClientOptions, Connected, InstanceWait, Pipe, Server, ServerOptions};
use transom::process::{PROCESS_DUP_HANDLE, Process};
use transom::security::Security;
use transom::wait::Timeout;
use transom_sys::linux::process;

use crate::support::{PATIENCE, ROLE, With, argument, expect_signal, handle, named_event, ready, unique};

pub const ROOT: u32 = 0;
/// Users that nobody else is.
pub const ALICE: u32 = 54_321;
pub const BOB: u32 = 54_322;
pub const CAROL: u32 = 54_323;

/// Whether this process can play other users; if not, says so.
pub fn is_administrator() -> bool {
    let is_root = process::user() == 0;
    if !is_root {
        eprintln!("skipped: only the administrator can start processes of other users");
    }
    is_root
}

/// A client comes, and its server gives it back what it says.
pub fn converse(server: &mut Puppet, client: &mut Puppet, what: &str) {
    server.say("echo");
    assert_eq!(client.tell("open-waiting"), "0", "{what}");
    assert_eq!(client.tell("send hello"), "5", "{what}");
    assert_eq!(client.tell("receive"), "hello", "{what}");
    assert_eq!(server.hear(), "hello", "{what}");
}

/// What a puppet's answers begin with; the test harness writes other lines.
const MARK: &str = "> ";

/// Such a process. It is killed when this is dropped.
pub struct Puppet {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Puppet {
    pub fn new(user: u32, pipe: &str) -> Puppet {
        Puppet::start(&mut command(user, user, "puppet", pipe))
    }

    /// One that is in a further group.
    pub fn in_group(user: u32, group: u32, pipe: &str) -> Puppet {
        Puppet::start(&mut command(user, group, "puppet", pipe))
    }

    /// One that is killed at a step.
    pub fn killed_at(user: u32, pipe: &str, step: &str) -> Puppet {
        Puppet::start(command(user, user, "puppet", pipe).env("TRANSOM_KILL_AT", step))
    }

    /// One in a PID namespace of its own.
    pub fn elsewhere(user: u32, pipe: &str) -> Puppet {
        Puppet::start(&mut elsewhere(user, pipe))
    }

    /// Whether there can be such a one.
    pub fn can_be_elsewhere() -> bool {
        let mut command = Command::new("unshare");
        command.args(ELSEWHERE).arg("true").stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }

    /// One that plays another role.
    pub fn of_role(user: u32, role: &str, pipe: &str) -> Puppet {
        Puppet::start(&mut command(user, user, role, pipe))
    }

    fn start(command: &mut Command) -> Puppet {
        let mut child = command.spawn().expect("the child starts");
        let input = child.stdin.take().expect("its input");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        Puppet { child, input, output }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The number here of one that is [`elsewhere`](Self::elsewhere).
    pub fn id_of_child(&self) -> u32 {
        let id = self.id();
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).expect("/proc");
        children.trim().parse().expect("one child")
    }

    /// Gives an order.
    pub fn say(&mut self, order: &str) {
        // It may have been killed.
        let _ = writeln!(self.input, "{order}");
    }

    /// What it answers; nothing if it has ended.
    pub fn hear(&mut self) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            if self.output.read_line(&mut line).expect("its output") == 0 {
                return String::new();
            }
            // The harness may leave its own line unfinished.
            if let Some(at) = line.find(MARK) {
                return line[at + MARK.len()..].trim_end().to_owned();
            }
        }
    }

    pub fn tell(&mut self, order: &str) -> String {
        self.say(order);
        self.hear()
    }

    pub fn kill(&mut self) {
        self.child.kill().expect("a signal");
        let _ = self.child.wait();
    }

    /// Nothing of it runs until [`go_on`](Self::go_on).
    pub fn stop(&self) {
        self.signal("STOP");
        let status = format!("/proc/{}/stat", self.id());
        while !std::fs::read_to_string(&status).expect("its status").contains(") T ") {
            std::thread::yield_now();
        }
    }

    pub fn go_on(&self) {
        self.signal("CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().expect("kill runs").success());
    }

    /// Whether it was killed by SIGKILL; waits for its end.
    pub fn was_killed(&mut self) -> bool {
        use std::os::unix::process::ExitStatusExt;
        self.child.wait().expect("its end").signal() == Some(9)
    }
}

impl Drop for Puppet {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How the administrator starts something in a PID namespace of its own, to be killed with who starts it there.
const ELSEWHERE: [&str; 6] =
    ["--pid", "--fork", "--mount-proc", "setpriv", "--pdeathsig=KILL", "--clear-groups"];

/// A puppet in such a one.
fn elsewhere(user: u32, pipe: &str) -> Command {
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new("unshare");
    command.args(ELSEWHERE).args([format!("--reuid={user}"), format!("--regid={user}")]).arg(program);
    as_child(&mut command, "puppet", pipe);
    command
}

/// This program, playing `role` as `user`. By that path it starts although it may lie where others cannot look.
fn command(user: u32, group: u32, role: &str, pipe: &str) -> Command {
    let mut command = Command::new("/proc/self/exe");
    as_child(&mut command, role, pipe);
    command.uid(user).gid(group);
    command
}

fn as_child(command: &mut Command, role: &str, pipe: &str) {
    command.args(["child_entry", "--exact", "--nocapture", "--test-threads=1"]);
    command.env(ROLE, role).env("TRANSOM_TEST_PIPE", pipe).env_remove("TRANSOM_DIR");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).current_dir("/");
}

/// Answers, with what [`Puppet::hear`] finds.
pub fn answer(text: impl std::fmt::Display) {
    println!("{MARK}{text}");
    let _ = std::io::stdout().flush();
}

/// The orders, one after the other.
pub fn orders() -> impl Iterator<Item = String> {
    std::io::stdin().lines().map_while(Result::ok)
}

/// What a puppet has.
#[derive(Default)]
struct State {
    servers: Vec<Arc<Server>>,
    used: usize,
    clients: Vec<Client>,
    /// The end of another process's.
    given: Option<Pipe>,
    connecting: Option<JoinHandle<transom::Result<Connected>>>,
}

pub fn play() -> u32 {
    let name = argument("PIPE");
    let mut state = State::default();
    for order in orders() {
        let mut words = order.split(' ');
        let verb = words.next().unwrap_or_default();
        let rest: Vec<&str> = words.collect();
        match state.follow(&name, verb, &rest) {
            Ok(text) => answer(text),
            Err(error) => answer(error.code().value()),
        }
    }
    0
}

impl State {
    fn server(&self) -> &Arc<Server> {
        &self.servers[self.used]
    }

    /// The end that it has, the client's first.
    fn pipe(&self) -> &Pipe {
        let own = || self.clients.first().map_or_else(|| self.server().pipe(), Client::pipe);
        self.given.as_ref().unwrap_or_else(own)
    }

    fn follow(&mut self, name: &str, verb: &str, rest: &[&str]) -> transom::Result<String> {
        let ok = || Ok("0".to_owned());
        match verb {
            "create" | "add" | "create-inbound" | "create-outbound" => {
                let security = match rest[0] {
                    "everyone" => Security::everyone(),
                    "owner" => Security::owner_only(),
                    text => Security::from_sddl(text).expect("a good descriptor"),
                };
                let options = ServerOptions::new(name).message(true).max_instances(rest[1].parse().unwrap());
                let options = options.first_instance(verb != "add").security(security);
                let options = match verb {
                    "create-inbound" => options.inbound(),
                    "create-outbound" => options.outbound(),
                    _ => options,
                };
                self.servers.push(Arc::new(options.create()?));
                ok()
            }
            "use" => {
                self.used = rest[0].parse().unwrap();
                ok()
            }
            "open" | "another" => {
                let mut options = ClientOptions::new(name);
                if let Some(way) = rest.first() {
                    options = options.read(way.contains('r')).write(way.contains('w'));
                }
                self.clients.push(options.open()?);
                ok()
            }
            "open-waiting" => {
                self.clients.push(ClientOptions::new(name).message_read(true).wait(PATIENCE).open()?);
                ok()
            }
            "connect" => self.server().connect().map(came),
            "connect-timeout" => {
                self.server().connect_timeout(Timeout::millis(rest[0].parse().unwrap())).map(came)
            }
            "connect-begin" => {
                let server = Arc::clone(self.server());
                self.connecting = Some(std::thread::spawn(move || server.connect()));
                // It listens from the moment on that others can see.
                let listens = |pipe: &pipe::NamedPipe| {
                    pipe.name.ends_with(&name[9..])
                        && pipe.instances.iter().any(|it| it.state == pipe::InstanceState::Listening)
                };
                while !pipe::list()?.iter().any(listens)
                    && !self.connecting.as_ref().is_some_and(JoinHandle::is_finished)
                {
                    std::thread::yield_now();
                }
                Ok("begun".to_owned())
            }
            "connect-end" => self.connecting.take().expect("begun").join().expect("no panic").map(came),
            "disconnect" => self.server().disconnect().and_then(|()| ok()),
            "close" => {
                if self.clients.pop().is_none() {
                    self.servers.clear();
                }
                ok()
            }
            "give" => {
                let target = Process::open(rest[0].parse().unwrap(), PROCESS_DUP_HANDLE, false)?;
                let given = self.pipe().as_handle().duplicate_into(&target, DuplicateOptions::default())?;
                Ok(given.value().to_string())
            }
            "take" => {
                let given = RawHandle::new(rest[0].parse().unwrap());
                self.given = Some(Pipe::from_handle(Handle::from_raw(given)?)?);
                ok()
            }
            "send" => self.pipe().send_timeout(rest.join(" ").as_bytes(), PATIENCE).map(|n| n.to_string()),
            "receive" => {
                let mut buffer = [0; 4096];
                let count = self.pipe().receive_timeout(&mut buffer, PATIENCE)?;
                Ok(String::from_utf8_lossy(&buffer[..count]).into_owned())
            }
            "call" => {
                let mut reply = [0; 100];
                let message = pipe::call(name, rest[0].as_bytes(), &mut reply, PATIENCE)?;
                Ok(String::from_utf8_lossy(&reply[..message.len]).into_owned())
            }
            "wait" => {
                let milliseconds: i64 = rest[0].parse().unwrap();
                pipe::wait(name, InstanceWait::from_value(milliseconds as u32))?;
                ok()
            }
            "ids" => {
                let pipe = self.pipe();
                Ok(format!("{} {}", pipe.client_process_id()?, pipe.server_process_id()?))
            }
            "user" => self.pipe().client_user_id().map(|user| user.to_string()),
            "echo" => loop {
                match self.server().connect() {
                    Err(error) if error.code().value() == 232 => {}
                    result => drop(result?),
                }
                let pipe = self.server().pipe();
                let mut buffer = [0; 100];
                if let Ok(count) = pipe.receive_timeout(&mut buffer, PATIENCE) {
                    pipe.send_timeout(&buffer[..count], PATIENCE)?;
                    pipe.flush_timeout(PATIENCE)?;
                    return Ok(String::from_utf8_lossy(&buffer[..count]).into_owned());
                }
                self.server().disconnect()?;
            },
            "bequeath-server" => {
                let options = ServerOptions::new(name).message(true).inherit(true);
                let server = options.security(Security::everyone()).create()?;
                let raw = server.as_handle().as_raw().value();
                Ok(bequeath(name, "heir-of-server", raw))
            }
            "bequeath-client" => {
                let client = ClientOptions::new(name).inherit(true).open()?;
                let raw = client.as_handle().as_raw().value();
                Ok(bequeath(name, "heir-of-client", raw))
            }
            "descriptors" => Ok(std::fs::read_dir("/proc/self/fd").expect("/proc").count().to_string()),
            "try-everything" => Ok(try_everything(self.server())),
            "close-while-waiting" => {
                let server = self.servers.remove(0);
                let waits = Arc::clone(&server);
                let waiting = std::thread::spawn(move || {
                    // It gets nonsense, or waits.
                    for _ in 0..1_000_000 {
                        match waits.pipe().receive(&mut [0; 64]) {
                            Err(error) if matches!(error.code().value(), 995 | 233) => break,
                            _ => {}
                        }
                    }
                });
                let began = Instant::now();
                while !waiting.is_finished() {
                    assert!(began.elapsed() < Duration::from_secs(30), "it cannot be had out");
                    let _ = server.pipe().cancel();
                    let _ = server.disconnect();
                }
                waiting.join().expect("no panic");
                drop(server);
                Ok("done".to_owned())
            }
            "instances" => self.pipe().state().map(|state| state.instances.to_string()),
            "list" => {
                let pipes = pipe::list()?;
                let mut found = pipes.iter().filter(|pipe| pipe.name.ends_with(&name[9..]));
                let it = found.next();
                assert!(found.next().is_none(), "it is listed twice");
                Ok(it.map_or("0".to_owned(), |pipe| {
                    let (count, user) = (pipe.instance_count.unwrap_or(0), pipe.user.unwrap_or(0));
                    let Some(first) = pipe.instances.first() else { return format!("{count} of {user}") };
                    let state = format!("{:?}", first.state).to_lowercase();
                    let client = first.client.unwrap_or(0);
                    format!("{} {state} {} {client}", pipe.instances.len(), first.server)
                }))
            }
            other => panic!("no order {other}"),
        }
    }
}

/// Starts a process that inherits an end, and waits until it has that; gives its number.
fn bequeath(name: &str, role: &str, end: usize) -> String {
    let here = unique("heir");
    let event = named_event(&here);
    let command = transom::process::Command::new("/proc/self/exe")
        .args(["child_entry", "--exact", "--nocapture", "--test-threads=1"])
        .env(ROLE, role)
        .inheriting();
    let child = command.with("END", end).with("PIPE", name).with("READY", &here).start();
    expect_signal(&event);
    child.process.id().expect("its number").to_string()
}

/// Serves one client by the end that it has inherited.
pub fn heir_of_server() -> u32 {
    let server = Server::from_pipe(Pipe::from_raw(handle("END")).unwrap());
    // This is when it is known as one who serves the name.
    server.pipe().info().unwrap();
    ready();
    let mut state = State { servers: vec![Arc::new(server)], ..State::default() };
    let served = state.follow(&argument("PIPE"), "echo", &[]);
    u32::from(served.is_err())
}

/// Talks by the end that it has inherited.
pub fn heir_of_client() -> u32 {
    let client = Client::from_pipe(Pipe::from_raw(handle("END")).unwrap());
    let instances = client.pipe().state().unwrap().instances;
    client.pipe().send(format!("{instances} from the heir").as_bytes()).unwrap();
    ready();
    let answered = client.pipe().receive(&mut [0; 64]).is_ok();
    // Nobody serves any more: no signal comes of that.
    while client.pipe().send(b"more").is_ok() {}
    u32::from(!answered)
}

/// Calls that are not to wait, or not for long, on a connection that is being scribbled on.
fn try_everything(server: &Server) -> String {
    let pipe = server.pipe();
    let began = Instant::now();
    let mut buffer = [0; 600];
    while began.elapsed() < Duration::from_secs(1) {
        let each = Instant::now();
        let soon = Timeout::millis(20);
        let _ = pipe.set_nowait(true);
        let _ = pipe.receive(&mut buffer);
        let _ = pipe.send(&buffer);
        let _ = pipe.set_nowait(false);
        let _ = pipe.peek(&mut buffer);
        let _ = pipe.receive_timeout(&mut buffer, soon);
        let _ = pipe.send_timeout(&buffer, soon);
        let _ = pipe.send_timeout(&[7; 20_000], soon);
        let _ = pipe.flush_timeout(soon);
        let _ = (pipe.info(), pipe.state(), pipe.client_process_id(), pipe.client_user_id());
        let took = each.elapsed();
        if took > Duration::from_secs(8) {
            return format!("it took {took:?}");
        }
    }
    "done".to_owned()
}

fn came(connected: Connected) -> String {
    match connected {
        Connected::During => "during".to_owned(),
        Connected::Already => "already".to_owned(),
    }
}
