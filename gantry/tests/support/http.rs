//! A binary cache on loopback: files of a folder over HTTP, to be read and written.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::{fs, thread};

pub(crate) struct Server {
    pub(crate) url: String,
    shared: Arc<Shared>,
}

struct Shared {
    folder: PathBuf,
    /// Method and path of each request.
    requests: Mutex<Vec<String>>,
    state: AtomicU8,
}

/// States of a server: it answers; it will stop in the middle of the next archive; it has stopped.
const SOUND: u8 = 0;
const FAILING: u8 = 1;
const STOPPED: u8 = 2;

impl Server {
    /// Serves `folder` for as long as the test runs.
    pub(crate) fn start(folder: &Path) -> Self {
        fs::create_dir_all(folder).unwrap();
        let info = "StoreDir: /nix/store\nWantMassQuery: 1\nPriority: 30\n";
        fs::write(folder.join("nix-cache-info"), info).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            shared: Arc::new(Shared {
                folder: folder.to_owned(),
                requests: Mutex::default(),
                state: AtomicU8::new(SOUND),
            }),
        };
        let shared = Arc::clone(&server.shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                // A client may go away at any time.
                thread::spawn(move || drop(shared.answer(stream)));
            }
        });
        server
    }

    /// The requests since the last call.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().unwrap().drain(..).collect()
    }

    /// Forgets a store path.
    pub(crate) fn remove(&self, path: &str) {
        let name = path.rsplit('/').next().unwrap();
        let hash = name.split('-').next().unwrap();
        fs::remove_file(self.shared.folder.join(format!("{hash}.narinfo"))).unwrap();
    }

    /// Lets it stop for good in the middle of the next archive.
    pub(crate) fn stop_in_the_middle(&self) {
        self.shared.state.store(FAILING, Ordering::SeqCst);
    }
}

impl Shared {
    fn answer(&self, mut stream: TcpStream) -> std::io::Result<()> {
        if self.state.load(Ordering::SeqCst) == STOPPED {
            return Ok(());
        }
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let mut words = line.split_whitespace();
        let (Some(method), Some(path)) = (words.next(), words.next()) else {
            return Ok(());
        };
        let mut length = 0;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            let header = header.trim().to_lowercase();
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if header == "expect: 100-continue" {
                stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            }
            if header.is_empty() {
                break;
            }
        }
        self.requests
            .lock()
            .unwrap()
            .push(format!("{method} {path}"));
        let file = self.folder.join(path.trim_start_matches('/'));
        let (status, body) = if method == "PUT" {
            let mut body = vec![0; length];
            reader.read_exact(&mut body)?;
            fs::create_dir_all(file.parent().unwrap())?;
            fs::write(file, body)?;
            ("201 Created", Vec::new())
        } else {
            match fs::read(file) {
                Ok(body) => ("200 OK", body),
                Err(_) => ("404 Not Found", Vec::new()),
            }
        };
        let length = body.len();
        // Of several archives that are asked for at once, one is the first.
        let is_archive = method == "GET" && path.starts_with("/nar/");
        let stops = is_archive
            && self
                .state
                .compare_exchange(FAILING, STOPPED, Ordering::SeqCst, Ordering::SeqCst)
                .is_ok();
        if !stops && self.state.load(Ordering::SeqCst) == STOPPED {
            return Ok(());
        }
        write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        )?;
        if stops {
            return stream.write_all(&body[..length / 2]);
        }
        if method != "HEAD" {
            stream.write_all(&body)?;
        }
        Ok(())
    }
}
