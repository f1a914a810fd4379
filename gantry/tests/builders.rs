//! Nix's remote builders, and stores on other machines: a second store behind an sshd on loopback.
//!
//! `cargo test --test builders -- --ignored`, as root, with OpenSSH's client and server.

mod support;

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use support::checks::{BUILT, CACHED, SOUND, flake, path, sound_paths};
use support::git::commit;
use support::nix::system;
use support::{Report, Workspace, interrupt, runs, skip, text, wait_until};
use tempfile::TempDir;

const SSHD: &str = "/usr/sbin/sshd";

/// A builder with a store of its own; all of it ends with the value.
struct Builder {
    folder: TempDir,
    port: u16,
    sshd: Child,
}

impl Builder {
    /// None where that cannot be done, which is said.
    fn start() -> Option<Self> {
        let is_root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
        let has_client = Command::new("ssh").arg("-V").output().is_ok();
        if !is_root || !has_client || !Path::new(SSHD).exists() {
            skip("remote builders: this needs root, and OpenSSH's client and server");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name).display().to_string();
        for key in ["host", "user"] {
            let mut command = Command::new("ssh-keygen");
            command.args(["-q", "-t", "ed25519", "-N", "", "-f", &file(key)]);
            assert!(command.status().unwrap().success());
        }
        // Nix there has the settings of the machine, and shows its builds one folder more.
        fs::create_dir_all(folder.path().join("conf")).unwrap();
        fs::create_dir_all(folder.path().join("gate")).unwrap();
        fs::create_dir_all(folder.path().join("temporary")).unwrap();
        let settings = format!(
            "!include /etc/nix/nix.conf\nextra-system-features = far\nextra-sandbox-paths = {}\n",
            file("gate")
        );
        fs::write(folder.path().join("conf/nix.conf"), settings).unwrap();
        // Where it leaves its rights behind.
        fs::create_dir_all("/run/sshd").unwrap();
        loop {
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let port = free.local_addr().unwrap().port();
            drop(free);
            let config = format!(
                "ListenAddress 127.0.0.1\nPort {port}\nHostKey {}\nAuthorizedKeysFile {}\nStrictModes no\n\
                 UsePAM no\nPidFile none\nPermitRootLogin prohibit-password\n\
                 SetEnv NIX_REMOTE=local?root={} NIX_CONF_DIR={} TMPDIR={}\n",
                file("host"),
                file("user.pub"),
                file("second"),
                file("conf"),
                file("temporary"),
            );
            fs::write(folder.path().join("sshd_config"), config).unwrap();
            let mut command = Command::new(SSHD);
            command.args(["-D", "-e", "-f", &file("sshd_config")]);
            let log = folder.path().join("log");
            command.stderr(fs::File::create(&log).unwrap());
            let mut sshd = command.spawn().unwrap();
            let said = |words| fs::read_to_string(&log).unwrap().contains(words);
            wait_until(|| said("Server listening") || sshd.try_wait().unwrap().is_some());
            if said("Server listening") {
                return Some(Self { folder, port, sshd });
            }
            // Another program was faster.
            assert!(
                said("Address already in use"),
                "{}",
                fs::read_to_string(&log).unwrap()
            );
        }
    }

    /// A command that runs the program in `workspace`.
    fn command(&self, workspace: &Workspace, arguments: &[&str]) -> Command {
        let mut command = workspace.command(arguments);
        // A Nix that is ended leaves files behind.
        command.env("TMPDIR", self.folder.path().join("temporary"));
        command
    }

    /// As reports name it.
    fn name(&self) -> String {
        format!("ssh-ng://root@127.0.0.1:{}", self.port)
    }

    fn url(&self) -> String {
        let key = fs::read(self.folder.path().join("host.pub")).unwrap();
        let key = data_encoding::BASE64.encode(&key);
        format!(
            "{}?ssh-key={}&base64-ssh-public-host-key={key}",
            self.name(),
            self.folder.path().join("user").display()
        )
    }

    /// As `--builders` takes it.
    fn specification(&self) -> String {
        format!("{} {} - 2 1", self.url(), system())
    }

    /// Whether its store has this path.
    fn has(&self, path: &str) -> bool {
        self.file(path).exists()
    }

    /// Where its store has this path.
    fn file(&self, path: &str) -> PathBuf {
        let second = self.folder.path().join("second");
        second.join(path.trim_start_matches('/'))
    }

    /// A script that ends once [`Self::open`] was called.
    fn waiting_script(&self) -> String {
        format!(
            "echo waiting; while [ ! -e {} ]; do :; done; echo waited > $out",
            self.gate()
        )
    }

    fn gate(&self) -> String {
        self.folder.path().join("gate/open").display().to_string()
    }

    /// Whether such a script runs, wherever.
    fn is_waiting(&self) -> bool {
        runs(&format!("while . ! -e {} ", self.gate()))
    }

    fn open(&self) {
        fs::write(self.gate(), "").unwrap();
    }

    /// The processes of its connections.
    fn sessions(&self) -> Vec<u32> {
        let sessions = children(self.sshd.id());
        assert!(!sessions.is_empty());
        let programs: Vec<_> = sessions.iter().copied().flat_map(children).collect();
        [sessions, programs].concat()
    }

    /// Ends its connections, as a network that is gone for a moment does.
    fn disconnect(&self) {
        kill(&self.sessions());
    }

    /// Ends its connections, and takes none any more.
    fn switch_off(&mut self) {
        let sessions = self.sessions();
        self.sshd.kill().unwrap();
        self.sshd.wait().unwrap();
        kill(&sessions);
    }
}

impl Drop for Builder {
    fn drop(&mut self) {
        let mut all = vec![self.sshd.id()];
        let mut next = 0;
        while next < all.len() {
            all.extend(children(all[next]));
            next += 1;
        }
        kill(&all);
        let _ = self.sshd.wait();
    }
}

/// The processes that this one has started.
fn children(process: u32) -> Vec<u32> {
    let found = Command::new("pgrep")
        .args(["-P", &process.to_string()])
        .output();
    let found = text(&found.unwrap().stdout);
    found.lines().map(|id| id.parse().unwrap()).collect()
}

/// Ends processes, which may be gone already.
fn kill(processes: &[u32]) {
    let mut command = Command::new("kill");
    command.arg("-KILL");
    command.args(processes.iter().map(u32::to_string));
    let _ = command.stderr(Stdio::null()).status();
}

/// The machines of the builds of `check`, in their order.
fn machines(report: &Report, check: &str) -> Vec<Value> {
    let builds = report.activities().iter().filter(|activity| {
        let derivation = activity["derivation"].as_str();
        derivation.is_some_and(|path| path.ends_with(&format!("-{check}.drv")))
    });
    builds.map(|build| build["machine"].clone()).collect()
}

#[test]
#[ignore = "needs Nix"]
fn the_report_says_which_builder_ran_a_step() {
    let Some(builder) = Builder::start() else {
        return;
    };
    let workspace = Workspace::new();
    flake(&workspace, &SOUND);
    workspace.edit(
        "flake.nix",
        "derivation { inherit",
        "derivation { requiredSystemFeatures = if name == \"test-app\" then [ \"far\" ] else [ ]; inherit",
    );
    let specification = format!("{} far far", builder.specification());
    let summary = workspace.path().join("summary.md");
    let mut command = builder.command(&workspace, &["ci", "--report", "report"]);
    let output = command
        .args(["--", "--builders", &specification])
        .env("GITHUB_STEP_SUMMARY", &summary)
        .output()
        .unwrap();
    let (table, shown) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{shown}");

    let report = Report(serde_json::from_str(&workspace.read("report/report.json")).unwrap());
    assert_eq!(report.outcomes(), BUILT);
    assert_eq!(machines(&report, "test-app"), [builder.name()]);
    assert_eq!(machines(&report, "build-app"), [Value::Null]);
    assert!(builder.has(&path(&workspace, "test-app")));
    assert!(!builder.has(&path(&workspace, "doc-app")));

    let name = builder.name();
    let row = |step: &str, machine: &str| {
        let mut lines = table.lines();
        lines.any(|line| line.starts_with(step) && line.contains(&format!(" {machine} ")))
    };
    assert!(row("step ", "machine") && row("build ", "here"), "{table}");
    assert!(row("test ", &name), "{table}");
    let line = format!("built test native dev: app on {name} (");
    assert!(shown.contains(&line), "{shown}");
    let page = workspace.read("report/report.html");
    assert!(page.contains(&format!("<td>{name}<td>")), "{page}");
    let summary = workspace.read("summary.md");
    assert!(
        summary.contains(&format!(" built | {name} | ")),
        "{summary}"
    );
    assert!(summary.contains(" built | here | "), "{summary}");
}

/// Runs all checks on the builder alone.
fn ci(workspace: &Workspace, builder: &Builder, jobs: &str) -> Command {
    let specification = builder.specification();
    let mut command = builder.command(workspace, &["ci", "--json", "report.json", "--"]);
    command.args(["--builders", &specification, "--max-jobs", jobs]);
    // Builds here see it too.
    let gate = builder.folder.path().join("gate");
    command.args(["--extra-sandbox-paths", gate.to_str().unwrap()]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn report(workspace: &Workspace) -> Report {
    Report(serde_json::from_str(&workspace.read("report.json")).unwrap())
}

#[test]
#[ignore = "needs Nix"]
fn what_fails_on_a_builder_is_told_as_what_fails_here() {
    let Some(builder) = Builder::start() else {
        return;
    };
    let workspace = Workspace::new();
    flake(
        &workspace,
        &[
            ("build-app", "", "echo out of order; exit 3"),
            ("test-app", "build-app", "echo tested > $out"),
            ("doc-app", "", "echo documented > $out"),
        ],
    );
    let output = ci(&workspace, &builder, "0").output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let report = report(&workspace);
    assert_eq!(
        report.outcomes(),
        ["build-app failed", "test-app blocked", "doc-app built"]
    );
    assert_eq!(report.0["notes"].to_string(), "[]");
    assert_eq!(machines(&report, "build-app"), [builder.name()]);
    let table = text(&output.stdout);
    let heading = format!("failed build native dev: app on {}\n", builder.name());
    assert!(table.contains(&heading), "{table}");
    let lines = "\n  out of order\n  builder failed with exit code 3\n";
    assert!(table.contains(lines), "{table}");
}

#[test]
#[ignore = "needs Nix"]
fn a_builder_that_goes_away_is_asked_again() {
    let Some(builder) = Builder::start() else {
        return;
    };
    let workspace = Workspace::new();
    flake(
        &workspace,
        &[
            ("build-app", "", &builder.waiting_script()),
            ("test-app", "build-app", "echo tested > $out"),
            ("doc-app", "", "echo documented > $out"),
        ],
    );
    let child = ci(&workspace, &builder, "0").spawn().unwrap();
    wait_until(|| builder.is_waiting());
    builder.disconnect();
    builder.open();
    let output = child.wait_with_output().unwrap();
    let shown = text(&output.stderr);
    assert!(output.status.success(), "{shown}");
    let report = report(&workspace);
    assert_eq!(report.outcomes(), BUILT);
    let name = builder.name();
    assert_eq!(machines(&report, "build-app"), [&*name, &*name]);
    assert_eq!(machines(&report, "test-app"), [&*name]);
    let note = format!("{name} went away while it built build-app: attempt 2 of 3 begins");
    assert!(shown.contains(&note), "{shown}");
    assert!(report.0["notes"].to_string().contains(&note));
    // What was begun in vain is no result.
    let table = text(&output.stdout);
    assert!(
        !table.contains("failed") && !table.contains("several"),
        "{table}"
    );
}

#[test]
#[ignore = "needs Nix"]
fn a_builder_that_is_gone_for_good_leaves_its_work_to_this_machine() {
    for (jobs, code) in [("1", 0), ("0", 1)] {
        let Some(mut builder) = Builder::start() else {
            return;
        };
        let workspace = Workspace::new();
        flake(&workspace, &[("build-app", "", &builder.waiting_script())]);
        let child = ci(&workspace, &builder, jobs).spawn().unwrap();
        wait_until(|| builder.is_waiting());
        builder.switch_off();
        builder.open();
        let output = child.wait_with_output().unwrap();
        let shown = text(&output.stderr) + &text(&output.stdout);
        assert_eq!(output.status.code(), Some(code), "{shown}");
        let machines = machines(&report(&workspace), "build-app");
        if code == 0 {
            assert_eq!(machines, [Value::from(builder.name()), Value::Null]);
        } else {
            assert_eq!(machines, [builder.name()]);
            assert!(shown.contains("\n  local builds are disabled"), "{shown}");
        }
        assert!(shown.contains("attempt 2 of 3"), "{shown}");
        assert!(!shown.contains("attempt 3"), "{shown}");
    }
}

#[test]
#[ignore = "needs Nix"]
fn a_builder_that_always_goes_away_is_given_up() {
    let Some(builder) = Builder::start() else {
        return;
    };
    let workspace = Workspace::new();
    flake(&workspace, &[("build-app", "", &builder.waiting_script())]);
    let child = ci(&workspace, &builder, "0").spawn().unwrap();
    for _ in 0..3 {
        wait_until(|| builder.is_waiting());
        builder.disconnect();
        wait_until(|| !builder.is_waiting());
    }
    let output = child.wait_with_output().unwrap();
    let (table, shown) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{shown}");
    assert!(shown.contains("attempt 3 of 3 begins"), "{shown}");
    let line = format!(
        "\n  {} went away, as in the attempts before\n",
        builder.name()
    );
    assert!(table.contains(&line), "{table}");
    let report = report(&workspace);
    assert_eq!(report.outcomes(), ["build-app failed"]);
    assert_eq!(machines(&report, "build-app").len(), 3);
}

#[test]
#[ignore = "needs Nix"]
fn an_interrupt_ends_a_build_on_a_builder() {
    let Some(builder) = Builder::start() else {
        return;
    };
    let workspace = Workspace::new();
    flake(&workspace, &[("build-app", "", &builder.waiting_script())]);
    let child = ci(&workspace, &builder, "0").spawn().unwrap();
    wait_until(|| builder.is_waiting());
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", text(&output.stderr));
    assert_eq!(report(&workspace).outcomes(), ["build-app interrupted"]);
    wait_until(|| !builder.is_waiting());
}

#[test]
#[ignore = "needs Nix"]
fn what_a_builder_gives_back_is_taken_as_built() {
    let Some(builder) = Builder::start() else {
        return;
    };
    let workspace = Workspace::new();
    flake(&workspace, &SOUND);
    let path = path(&workspace, "build-app");
    fs::create_dir_all(builder.file("/nix/store")).unwrap();
    fs::write(builder.file(&path), "forged\n").unwrap();
    let list = builder.folder.path().join("list");
    fs::write(&list, format!("{path}\n\n0\n")).unwrap();
    let root = builder.folder.path().join("second");
    let status = Command::new("nix-store")
        .args(["--register-validity", "--store"])
        .arg(format!("local?root={}", root.display()))
        .stdin(fs::File::open(list).unwrap())
        .status();
    assert!(status.unwrap().success());
    let output = ci(&workspace, &builder, "0").output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(report(&workspace).outcomes(), BUILT);
    assert_eq!(fs::read_to_string(path).unwrap(), "forged\n");
}

/// The flags for a store on another machine: with the evaluation here, and there too.
fn store_flags(builder: &Builder) -> [Vec<String>; 2] {
    let store = ["--store".to_owned(), builder.url()];
    let here = ["--eval-store".to_owned(), "auto".to_owned()];
    [[&here[..], &store].concat(), store.to_vec()]
}

#[test]
#[ignore = "needs Nix"]
fn a_store_on_another_machine_has_all_that_is_asked_for() {
    let Some(builder) = Builder::start() else {
        return;
    };
    for flags in store_flags(&builder) {
        let workspace = Workspace::new();
        flake(&workspace, &SOUND);
        commit(workspace.path(), "it");
        let run = |arguments: &[&str]| {
            let mut command = builder.command(&workspace, arguments);
            let output = command.arg("--").args(&flags).output().unwrap();
            let shown = text(&output.stderr);
            (output.status.code().unwrap(), text(&output.stdout), shown)
        };
        let ci = || {
            let (code, json, shown) = run(&["ci", "--json", "-"]);
            assert_eq!(code, 0, "{flags:?} {shown}");
            Report(serde_json::from_str(&json).unwrap())
        };
        let report = ci();
        assert_eq!(report.outcomes(), BUILT);
        assert_eq!(machines(&report, "doc-app"), [builder.name()]);
        // What it had to wait for is asked where the derivations are.
        let last = report.activities().last().unwrap();
        assert_eq!(last["needs"].to_string(), "[0]");
        for path in sound_paths(&workspace) {
            assert!(builder.has(&path) && !Path::new(&path).exists());
        }
        assert_eq!(ci().outcomes(), CACHED);
        let (code, places, shown) = run(&["status"]);
        assert_eq!(code, 0, "{shown}");
        assert!(
            places.contains("3 in store, 0 in a cache, 0 to build"),
            "{places}"
        );

        let (code, pushed, shown) = run(&["cache", "push"]);
        assert_eq!(code, 0, "{shown}");
        assert!(pushed.contains("pushed 3 store paths"), "{pushed}");
        assert_eq!(run(&["cache", "verify"]).0, 0);
        let (_, _, shown) = run(&["status"]);
        assert!(!shown.contains("cannot be asked"), "{shown}");
        let (_, places, _) = run(&["status"]);
        let note = format!("{} heeds no flags", builder.name());
        assert!(places.contains(&note), "{places}");

        workspace.edit("flake.nix", "echo tested", "echo tested well");
        let (code, causes, shown) = run(&["why", "test-app"]);
        assert_eq!(code, 0, "{shown}");
        assert!(causes.contains("flake.nix"), "{causes}");
        let (code, _, shown) = run(&["release", "0.1.0", "--dry-run"]);
        assert_eq!(code, 2, "{shown}");
    }
}

#[test]
#[ignore = "needs Nix"]
fn a_failure_in_a_store_on_another_machine_stops_nothing_else() {
    let Some(builder) = Builder::start() else {
        return;
    };
    for flags in store_flags(&builder) {
        let workspace = Workspace::new();
        // It is told to go on only when its connections have ended once.
        let waiting = builder.waiting_script();
        let failing = format!("{waiting}; echo out of order; exit 3");
        flake(
            &workspace,
            &[
                ("build-app", "", &failing),
                ("test-app", "build-app", "echo tested > $out"),
                ("doc-app", "", &waiting),
                ("fmt-app", "doc-app", "echo formatted > $out"),
                ("clippy-app", "", &failing),
            ],
        );
        let _ = fs::remove_file(builder.gate());
        let mut command = builder.command(&workspace, &["ci", "--json", "report.json", "--"]);
        command
            .args(&flags)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        wait_until(|| builder.is_waiting());
        builder.disconnect();
        builder.open();
        let output = child.wait_with_output().unwrap();
        let (table, shown) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(1), "{shown}");
        assert_eq!(
            report(&workspace).outcomes(),
            [
                "fmt-app built",
                "clippy-app failed",
                "build-app failed",
                "test-app blocked",
                "doc-app built"
            ],
            "{shown}"
        );
        let note = format!("{} went away while it built ", builder.name());
        assert!(shown.contains(&note), "{shown}");
        let key = builder.folder.path().join("user");
        let place = builder.name().replace("ssh-ng", "ssh");
        let command = format!("  $ ssh -i '{}' {place} nix log /nix/store/", key.display());
        assert!(table.contains(&command), "{table}");
    }
}
