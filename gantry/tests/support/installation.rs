//! A Nix beside the machine's: with a store, settings and, where a test wants one, a daemon of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::{env, fs};

use super::wait_until;

pub(crate) struct Installation {
    folder: PathBuf,
    daemon: Option<Daemon>,
}

/// Ends when the value goes.
struct Daemon(Child);

impl Installation {
    /// One in this folder, with the machine's settings.
    pub(crate) fn new(folder: &Path) -> Self {
        let installation = Self {
            folder: folder.to_owned(),
            daemon: None,
        };
        installation.configure("");
        installation
    }

    /// Replaces what its settings have beyond the machine's.
    fn configure(&self, settings: &str) {
        let machine = env::var_os("NIX_CONF_DIR").unwrap_or_else(|| "/etc/nix".into());
        let machine = Path::new(&machine).join("nix.conf");
        fs::create_dir_all(self.folder.join("conf")).unwrap();
        let text = format!("!include {}\n{settings}\n", machine.display());
        fs::write(self.folder.join("conf/nix.conf"), text).unwrap();
    }

    /// Starts its daemon, or starts it again, with these settings beyond the machine's.
    pub(crate) fn serve(&mut self, settings: &str) {
        // Two at once would share the socket.
        self.daemon = None;
        let socket = self.folder.join("socket");
        let _ = fs::remove_file(&socket);
        self.configure(settings);
        let mut command = Command::new("nix-daemon");
        self.enter(&mut command);
        command
            .env_remove("NIX_REMOTE")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.daemon = Some(Daemon(command.spawn().unwrap()));
        wait_until(|| socket.exists());
    }

    /// Its store's folder, which is a part of all its store paths.
    pub(crate) fn store(&self) -> PathBuf {
        self.folder.join("store")
    }

    /// Makes `command` use it, through its daemon where it has one.
    pub(crate) fn enter<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        for (name, place) in [
            ("NIX_CONF_DIR", "conf"),
            ("NIX_STATE_DIR", "state"),
            ("NIX_LOG_DIR", "log"),
            ("NIX_DAEMON_SOCKET_PATH", "socket"),
        ] {
            command.env(name, self.folder.join(place));
        }
        let remote = self.daemon.as_ref().map_or("local", |_| "daemon");
        command
            .env("NIX_STORE_DIR", self.store())
            .env("NIX_REMOTE", remote)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Processes of its own that serve a client end with that client.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
