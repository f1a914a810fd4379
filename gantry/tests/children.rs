//! The programs that gantry runs: none waits for an answer on the terminal, and none outlives gantry.

mod support;

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::net::TcpListener;
use std::os::fd::FromRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::{env, ptr, thread};

use support::nix::{SETTINGS, WITHOUT_FLAKES};
use support::{Workspace, text, wait_until};

/// A folder with a flake, and these programs in front of all others.
fn with_programs(programs: &[(&str, &str)]) -> Workspace {
    let workspace = Workspace::empty("gantry-children-");
    workspace.write("flake.nix", "{ outputs = _: { }; }\n");
    workspace.write("Cargo.toml", "[workspace]\n");
    workspace.write("programs/settings", SETTINGS);
    for (name, script) in programs {
        let file = format!("programs/{name}");
        workspace.write(&file, &format!("#!/bin/sh\n{script}\n"));
        let executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(workspace.path().join(file), executable).unwrap();
    }
    workspace
}

fn command(workspace: &Workspace, arguments: &[&str]) -> Command {
    let programs = workspace.path().join("programs");
    let mut command = workspace.command(arguments);
    let path = env::var("PATH").unwrap();
    command.env("PATH", format!("{}:{path}", programs.display()));
    command
}

/// A terminal: the end that a program has, and the one that its user has.
#[expect(unsafe_code, reason = "the standard library makes no terminals")]
fn terminal() -> (File, File) {
    let (mut user, mut program) = (0, 0);
    let (name, termios, size) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
    // SAFETY: it writes the two numbers alone, and both are files that nobody else has.
    unsafe {
        assert_eq!(
            libc::openpty(&raw mut user, &raw mut program, name, termios, size),
            0
        );
        (File::from_raw_fd(program), File::from_raw_fd(user))
    }
}

/// Makes standard input the terminal that a command and all that it runs can ask on.
#[expect(unsafe_code, reason = "the standard library has no call for it")]
fn take_terminal(command: &mut Command) {
    let take = || {
        // SAFETY: neither call touches memory.
        let result = unsafe {
            libc::setsid();
            libc::ioctl(0, libc::TIOCSCTTY, 0)
        };
        if result == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    };
    // SAFETY: between fork and exec it makes two system calls.
    unsafe { command.pre_exec(take) };
}

#[test]
fn a_child_that_wants_a_password_fails_and_does_not_wait_for_it() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/repository", server.local_addr().unwrap());
    thread::spawn(move || {
        for connection in server.incoming() {
            let mut connection = connection.unwrap();
            let _ = connection.read(&mut [0; 4096]);
            let _ = connection.write_all(
                b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\
                  Content-Length: 0\r\nConnection: close\r\n\r\n",
            );
        }
    });
    let evaluates = format!(
        "case \"$*\" in *--version*) echo 'nix (Nix) 2.34.8' ;; \
         *) git -c credential.helper= ls-remote {url} ;; esac"
    );
    let asks = "read -r answer </dev/tty && echo \"$answer\"";
    for (program, script, message) in [
        ("nix", &*evaluates, "terminal prompts disabled"),
        ("git", asks, "this is no git repository"),
    ] {
        let workspace = with_programs(&[(program, script)]);
        let (program, mut user) = terminal();
        let mut doctor = command(&workspace, &["doctor"]);
        doctor
            .env_remove("GIT_ASKPASS")
            .env_remove("SSH_ASKPASS")
            .stdin(program.try_clone().unwrap())
            .stdout(program.try_clone().unwrap())
            .stderr(program);
        take_terminal(&mut doctor);
        let mut child = doctor.spawn().unwrap();
        drop(doctor);
        let printed = thread::spawn(move || {
            let mut printed = Vec::new();
            // At its end there is an error: nobody has the other end any more.
            let _ = user.read_to_end(&mut printed);
            text(&printed)
        });
        wait_until(|| child.try_wait().unwrap().is_some());
        let printed = printed.join().unwrap();
        assert!(printed.contains(message), "{printed}");
    }
}

#[test]
fn no_child_outlives_sigterm() {
    let nix = "case \"$*\" in *--version*) echo 'nix (Nix) 2.34.8' ;; *) . \"$SLEEP\" ;; esac";
    let cases = [
        ("nix", nix, &["ci"] as &[&str]),
        ("nix", nix, &["cache", "push"]),
        ("git", ". \"$SLEEP\"", &["why", "default"]),
        ("git", ". \"$SLEEP\"", &["release", "0.1.0"]),
        ("git", ". \"$SLEEP\"", &["doctor"]),
        ("cargo", ". \"$SLEEP\"", &["doctor"]),
        ("rustc", ". \"$SLEEP\"", &["doctor"]),
        ("df", ". \"$SLEEP\"", &["doctor"]),
        ("cargo", ". \"$SLEEP\"", &["bench", "generate", "generated"]),
    ];
    thread::scope(|scope| {
        for (program, script, arguments) in cases {
            scope.spawn(move || {
                let programs = [("nix", WITHOUT_FLAKES), (program, script)];
                assert_none_is_left(&programs, arguments);
            });
        }
    });
}

/// Ends a command while a child and its own child sleep, which heed no signal that can be ignored.
fn assert_none_is_left(programs: &[(&str, &str)], arguments: &[&str]) {
    let workspace = with_programs(programs);
    let sleep =
        "trap '' TERM INT HUP\nsleep 1000 &\necho $$ $! > $SLEEP.started\nwait\nsleep 1000\n";
    workspace.write("sleep", sleep);
    workspace.write("rust-toolchain.toml", "[toolchain]\nchannel = \"1.2.3\"\n");
    let input = r#"{ "locked": { "owner": "a", "repo": "b", "rev": "c" } }"#;
    let inputs = ["nixpkgs", "crane", "rust-overlay"].map(|name| format!("\"{name}\": {input}"));
    let lock = format!("{{ \"nodes\": {{ {} }} }}", inputs.join(", "));
    workspace.write("flake.lock", &lock);

    let started = workspace.path().join("sleep.started");
    let mut child = command(&workspace, arguments)
        .env("SLEEP", workspace.path().join("sleep"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_until(|| fs::read_to_string(&started).is_ok_and(|ids| ids.ends_with('\n')));
    let signal = |kind: &str, id: &str| {
        let kill = Command::new("kill").args([kind, id]).output();
        kill.unwrap().status.success()
    };
    assert!(signal("-TERM", &child.id().to_string()));
    let mut status = None;
    wait_until(|| {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    assert_eq!(
        status.unwrap().code(),
        Some(130),
        "{programs:?} {arguments:?}"
    );
    for id in fs::read_to_string(started).unwrap().split_whitespace() {
        wait_until(|| !signal("-0", id));
    }
}
